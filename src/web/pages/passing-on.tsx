/** @jsxImportSource preact */
import { ButtonLink, Card } from "../components/card.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { PageShell } from "../shell.ts";

/**
 * Goes on by itself, without a script, to an application that is to be told of a logout. What follows a form could not be a
 * redirect to somebody else: Chromium holds the whole chain after a form to the page's `form-action`.
 * @param props `url` is registered, or of our own making
 */
export function renderPassingOn(shell: PageShell, { url }: { url: string }): string {
  const { formPost: t } = translator(shell.locale);
  return renderPage(
    shell,
    <Card shell={shell} heading={t.title} showClient={false}>
      <p role="status">{t.explanation}</p>
      <ButtonLink href={url}>{t.submit}</ButtonLink>
    </Card>,
    { title: t.title, refresh: { seconds: 0, url } },
  );
}
