/** @jsxImportSource preact */
import type { JSX } from "preact";
import { Card, Logo, Name } from "../components/card.tsx";
import { PostForm } from "../components/form.tsx";
import type { Inline, Messages } from "../messages/en.ts";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import { type ClientView, type FormTarget, type PageShell, safeWebUrl } from "../shell.ts";

export interface ConsentProps {
  form: FormTarget;
  client: ClientView;
  /** Who is signed in, as they know themselves: the email address or the username. */
  user: string;
  /** What is asked for; `description` is for scopes that the tenant made itself. */
  scopes: readonly { name: string; description?: string | undefined }[];
  /** Host, or custom scheme, of the redirect URI: the one fact about the client that it cannot make up. */
  redirectHost?: string | undefined;
  /** Signs in as somebody else within the same authorization request. */
  otherAccountUrl?: string | undefined;
}

/** Fields posted: `csrf`, `interaction`, `decision` (`allow` or `deny`). */
export function renderConsent(shell: PageShell, props: ConsentProps): string {
  return renderPage(shell, <Consent shell={shell} {...props} />, {
    title: translator(shell.locale).consent.documentTitle,
  });
}

function Consent({ shell, client, ...props }: ConsentProps & { shell: PageShell }): JSX.Element {
  const t = translator(shell.locale);
  return (
    <Card
      shell={shell}
      showClient={false}
      heading={
        <>
          <span class="heading-logo">
            <Logo name={client.name} url={client.logoUrl} />
          </span>
          {t.consent.title(<bdi>{client.name}</bdi>)}
        </>
      }
    >
      <p class="muted">
        {t.consent.signedInAs(<Name>{props.user}</Name>)}{" "}
        {props.otherAccountUrl ? <a href={props.otherAccountUrl}>{t.consent.otherAccount}</a> : null}
      </p>
      <p id="scopes-label">{t.consent.wants}</p>
      <ul class="scopes" aria-labelledby="scopes-label">
        {props.scopes.map(({ name, description }) => (
          <li>{scopeText(t, name, description)}</li>
        ))}
      </ul>
      <PostForm {...props.form}>
        <button type="submit" name="decision" value="allow">
          {t.consent.allow}
        </button>
        <button type="submit" name="decision" value="deny" class="secondary">
          {t.consent.deny}
        </button>
      </PostForm>
      {props.redirectHost ? (
        <p class="muted">{t.consent.redirect(<Name>{props.redirectHost}</Name>)}</p>
      ) : null}
      <ClientLinks client={client} t={t} />
    </Card>
  );
}

function scopeText(t: Messages, name: string, description: string | undefined): Inline | Inline[] {
  const known: Readonly<Record<string, string>> = t.consent.scopes;
  if (Object.hasOwn(known, name)) return known[name];
  return description ?? t.consent.otherScope(<code>{name}</code>);
}

function ClientLinks({ client, t }: { client: ClientView; t: Messages }): JSX.Element | null {
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
