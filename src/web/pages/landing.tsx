/** @jsxImportSource preact */
import { ButtonLink, Card } from "../components/card.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { PageShell } from "../shell.ts";

export interface LandingProps {
  signInUrl: string;
  /** Undefined where the tenant does not let people register themselves. */
  signUpUrl?: string | undefined;
  docsUrl?: string | undefined;
  /** Set in development only. */
  mailboxUrl?: string | undefined;
}

/** For somebody who opens the server's root without an application and is not signed in. */
export function renderLanding(shell: PageShell, props: LandingProps): string {
  const t = translator(shell.locale);
  return renderPage(
    shell,
    <Card
      shell={shell}
      heading={shell.tenant.name}
      showClient={false}
      footer={
        props.docsUrl || props.mailboxUrl ? (
          <>
            {props.docsUrl ? <a href={props.docsUrl}>{t.landing.docs}</a> : null}
            {props.docsUrl && props.mailboxUrl ? " · " : null}
            {props.mailboxUrl ? <a href={props.mailboxUrl}>{t.mailbox.title}</a> : null}
          </>
        ) : undefined
      }
    >
      <p>{t.landing.explanation}</p>
      <ButtonLink href={props.signInUrl}>{t.landing.signIn}</ButtonLink>
      {props.signUpUrl ? (
        <ButtonLink href={props.signUpUrl} secondary>
          {t.landing.signUp}
        </ButtonLink>
      ) : null}
    </Card>,
    { title: t.landing.signIn },
  );
}
