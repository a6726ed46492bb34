/** @jsxImportSource preact */
/** On the way to a connection, and back from one that came to nothing. */
import type { FederationProblem } from "../../domain/federation/refusals.ts";
import { ButtonLink, Card, Name } from "../components/card.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { PageShell } from "../shell.ts";

export interface LeavingProps {
  connectionName: string;
  url: string;
}

/**
 * Goes on by itself, without a script. What follows a form could not be a redirect to somebody else: Chromium holds the whole
 * chain after a form to the page's `form-action`, and which hosts a provider leads through nobody knows.
 */
export function renderLeaving(shell: PageShell, { connectionName, url }: LeavingProps): string {
  const t = translator(shell.locale).federation.leaving;
  return renderPage(
    shell,
    <Card shell={shell} heading={t.title} showClient={false}>
      <p role="status">{t.explanation(<Name>{connectionName}</Name>)}</p>
      <ButtonLink href={url}>{t.submit}</ButtonLink>
    </Card>,
    { title: t.title, refresh: { seconds: 0, url } },
  );
}

export interface FederationProblemProps {
  problem: FederationProblem;
  /** Undefined where there is none of that name. */
  connectionName?: string | undefined;
  back: { to: "account" | "sign_in"; url: string };
  /** Answers the application that waits with an error. */
  clientUrl?: string | undefined;
}

export function renderFederationProblem(shell: PageShell, props: FederationProblemProps): string {
  const t = translator(shell.locale).federation;
  const { problem, connectionName, back, clientUrl } = props;
  return renderPage(
    shell,
    <Card shell={shell} heading={t.title} showClient={false}>
      {connectionName === undefined ? null : (
        <p class="lead">
          <Name>{connectionName}</Name>
        </p>
      )}
      <p role="alert">{t.problems[problem]}</p>
      <ButtonLink href={back.url}>{back.to === "account" ? t.backToAccount : t.backToSignIn}</ButtonLink>
      {clientUrl && shell.client ? (
        <ButtonLink href={clientUrl} secondary>
          {t.backToClient(<Name>{shell.client.name}</Name>)}
        </ButtonLink>
      ) : null}
    </Card>,
    { title: t.title },
  );
}
