/** @jsxImportSource preact */
import { ButtonLink, Card } from "../components/card.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { PageShell } from "../shell.ts";

export function renderSignedOut(shell: PageShell, { signInUrl }: { signInUrl: string }): string {
  const { signedOut: t } = translator(shell.locale);
  return renderPage(
    shell,
    <Card shell={shell} heading={t.title} showClient={false}>
      <p>{t.explanation}</p>
      <ButtonLink href={signInUrl}>{t.signIn}</ButtonLink>
    </Card>,
    { title: t.title },
  );
}
