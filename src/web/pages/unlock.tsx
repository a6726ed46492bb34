/** @jsxImportSource preact */
import { ButtonLink, Card } from "../components/card.tsx";
import { PostForm } from "../components/form.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";

export interface UnlockProps {
  form: FormTarget;
  /** From the link; posted as `token`. */
  token: string;
}

/**
 * What an unlock link opens. Scanners of mail open every link, so opening it must not unlock: a person presses the
 * button. Fields posted: `csrf`, `token`.
 */
export function renderUnlock(shell: PageShell, { form, token }: UnlockProps): string {
  const { unlock: t } = translator(shell.locale);
  return renderPage(
    shell,
    <Card shell={shell} heading={t.title} showClient={false}>
      <p>{t.explanation}</p>
      <PostForm {...form} hidden={{ token }}>
        <button type="submit">{t.submit}</button>
      </PostForm>
    </Card>,
    { title: t.title },
  );
}

export function renderUnlocked(shell: PageShell, { signInUrl }: { signInUrl: string }): string {
  const t = translator(shell.locale);
  return renderPage(
    shell,
    <Card shell={shell} heading={t.unlock.doneTitle} showClient={false}>
      <p role="status">{t.unlock.done}</p>
      <ButtonLink href={signInUrl}>{t.signIn.title}</ButtonLink>
    </Card>,
    { title: t.unlock.doneTitle },
  );
}

/** For a token that is used, too old or not ours: the three look alike. */
export function renderUnlockExpired(shell: PageShell, { signInUrl }: { signInUrl: string }): string {
  const t = translator(shell.locale);
  return renderPage(
    shell,
    <Card shell={shell} heading={t.unlock.expiredTitle} showClient={false}>
      <p>{t.unlock.expired}</p>
      <ButtonLink href={signInUrl}>{t.signIn.title}</ButtonLink>
    </Card>,
    { title: t.unlock.expiredTitle },
  );
}
