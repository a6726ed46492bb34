/** @jsxImportSource preact */
/** What a person has to know before they let an application in: who it is, and what it asks for. */
import type { JSX } from "preact";
import type { Inline, Messages } from "../messages/en.ts";
import { type ClientIdentityView, type ClientView, safeWebUrl } from "../shell.ts";
import { Name } from "./card.tsx";

export interface RequestedAccessProps {
  /** `description` is for scopes that the tenant made itself. */
  scopes: readonly { name: string; description?: string | undefined }[];
  /** RFC 8707. */
  resources: readonly string[];
  t: Messages;
}

export function RequestedAccess({ scopes, resources, t }: RequestedAccessProps): JSX.Element {
  return (
    <>
      <p id="scopes-label">{t.consent.wants}</p>
      <ul class="scopes" aria-labelledby="scopes-label">
        {scopes.map(({ name, description }) => (
          <li>{scopeText(t, name, description)}</li>
        ))}
      </ul>
      {resources.length === 0 ? null : (
        <>
          <p id="resources-label">{t.consent.resources}</p>
          <ul class="scopes" aria-labelledby="resources-label">
            {resources.map((resource) => (
              <li>
                <code>{resource}</code>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function scopeText(t: Messages, name: string, description: string | undefined): Inline | Inline[] {
  const known: Readonly<Record<string, string>> = t.consent.scopes;
  if (Object.hasOwn(known, name)) return known[name];
  return description ?? t.consent.otherScope(<code>{name}</code>);
}

/**
 * For an application that nobody here vouches for: what it says about itself may be made up, and what is answered on the
 * person's own device may reach any program there.
 */
export function ClientWarning(props: { identity: ClientIdentityView; t: Messages }): JSX.Element | null {
  const { identity, t } = props;
  if (identity.vouchedFor) return null;
  return (
    <div class="alert" role="note">
      <p>
        {identity.host === null
          ? t.consent.unverified
          : t.consent.unverifiedFrom(<Name>{identity.host}</Name>)}
      </p>
      {identity.onlyLocal ? <p>{t.consent.local}</p> : null}
    </div>
  );
}

export function ClientLinks({ client, t }: { client: ClientView; t: Messages }): JSX.Element | null {
  const links = [
    { url: safeWebUrl(client.homepageUrl), text: t.consent.homepage },
    { url: safeWebUrl(client.policyUrl), text: t.consent.policy },
    { url: safeWebUrl(client.termsUrl), text: t.consent.terms },
  ].filter(({ url }) => url !== undefined);
  if (links.length === 0) return null;
  return (
    <p class="inline-links">
      {links.map(({ url, text }) => (
        <a href={url} target="_blank" rel="noopener noreferrer">
          {text}
        </a>
      ))}
    </p>
  );
}
