/** @jsxImportSource preact */
import type { JSX } from "preact";
import { Card, Logo, Name } from "../components/card.tsx";
import { ClientLinks, ClientWarning, RequestedAccess } from "../components/client-access.tsx";
import { PostForm } from "../components/form.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { ClientIdentityView, ClientView, FormTarget, PageShell } from "../shell.ts";

export interface ConsentProps {
  form: FormTarget;
  client: ClientView;
  identity: ClientIdentityView;
  /** Who is signed in, as they know themselves: the email address or the username. */
  user: string;
  /** What is asked for; `description` is for scopes that the tenant made itself. */
  scopes: readonly { name: string; description?: string | undefined }[];
  /** RFC 8707: the services elsewhere at which the access is to be used. */
  resources: readonly string[];
  /** Signs in as somebody else within the same authorization request. */
  otherAccountUrl?: string | undefined;
}

/** Fields posted: `csrf`, `interaction`, `decision` (`allow` or `deny`). */
export function renderConsent(shell: PageShell, props: ConsentProps): string {
  return renderPage(shell, <Consent shell={shell} {...props} />, {
    title: translator(shell.locale).consent.documentTitle,
  });
}

function Consent({ shell, client, identity, ...props }: ConsentProps & { shell: PageShell }): JSX.Element {
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
      <ClientWarning identity={identity} t={t} />
      <RequestedAccess scopes={props.scopes} resources={props.resources} t={t} />
      <PostForm {...props.form}>
        <button type="submit" name="decision" value="allow">
          {t.consent.allow}
        </button>
        <button type="submit" name="decision" value="deny" class="secondary">
          {t.consent.deny}
        </button>
      </PostForm>
      <p class="muted">{t.consent.redirect(<Name>{identity.destination}</Name>)}</p>
      <ClientLinks client={client} t={t} />
    </Card>
  );
}
