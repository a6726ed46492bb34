/** @jsxImportSource preact */
import { Card } from "../components/card.tsx";
import type { Messages } from "../messages/en.ts";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { PageShell } from "../shell.ts";

export interface ErrorPageProps {
  status: number;
  requestId: string;
  /** A registered or stable code of ours (`invalid_request`, `not_found`), for developers. */
  code?: string | undefined;
  /** The public text of an AppError. Never what the request held. Without it, a text for the status. */
  message?: string | undefined;
  homeUrl?: string | undefined;
}

/** For errors that no redirect can bring to the application, and those of the hosted pages themselves. */
export function renderError(shell: PageShell, props: ErrorPageProps): string {
  const t = translator(shell.locale);
  const kind = kindOf(props.status);
  const title = t.error.titles[kind];
  return renderPage(
    shell,
    <Card shell={shell} heading={title} showClient={false}>
      <p>{props.message ?? t.error.messages[kind]}</p>
      <dl class="facts">
        {props.code ? (
          <>
            <dt>{t.error.code}</dt>
            <dd>
              <code>{props.code}</code>
            </dd>
          </>
        ) : null}
        <dt>{t.requestId}</dt>
        <dd>
          <code>{props.requestId}</code>
        </dd>
      </dl>
      {props.homeUrl ? (
        <p>
          <a href={props.homeUrl}>{t.error.home}</a>
        </p>
      ) : null}
    </Card>,
    { title },
  );
}

function kindOf(status: number): keyof Messages["error"]["titles"] {
  if (status === 401 || status === 403) return "forbidden";
  if (status === 404 || status === 405) return "not_found";
  if (status === 429) return "too_many_requests";
  if (status === 503) return "unavailable";
  return status >= 500 ? "internal" : "bad_request";
}
