/** @jsxImportSource preact */
import { Card } from "../components/card.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { PageShell } from "../shell.ts";

export interface FormPostProps {
  /** The redirect URI. */
  action: string;
  /** The parameters of the authorization response, in order. */
  parameters: Readonly<Record<string, string>>;
  /** As given to `pageHeaders` as `scriptNonce`. */
  nonce: string;
}

/** `submit` is taken from the prototype, since a parameter of that name would hide the form's own. */
const SUBMIT = "HTMLFormElement.prototype.submit.call(document.forms[0])";

/**
 * The authorization response as a form that posts itself to the application (OAuth 2.0 Form Post Response Mode §2).
 * Without JavaScript the button does it. Needs `pageHeaders({ formPost: true, scriptNonce, formActionTargets })`.
 */
export function renderFormPost(shell: PageShell, { action, parameters, nonce }: FormPostProps): string {
  const { formPost: t } = translator(shell.locale);
  return renderPage(
    shell,
    <Card shell={shell} heading={t.title} showClient={false}>
      <p>{t.explanation}</p>
      <form method="post" action={action}>
        {Object.entries(parameters).map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        <button type="submit">{t.submit}</button>
      </form>
    </Card>,
    { title: t.title, script: { nonce, code: SUBMIT } },
  );
}
