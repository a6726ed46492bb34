/** @jsxImportSource preact */
import { ButtonLink, Card } from "../components/card.tsx";
import { PostForm } from "../components/form.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";

export interface VerifyEmailProps {
  form: FormTarget;
  /** From the link; posted as `token`. */
  token: string;
}

/**
 * What a verification link opens. Scanners of mail open every link, so opening it must not consume the token: a
 * person presses the button. Fields posted: `csrf`, `interaction`, `token`.
 */
export function renderVerifyEmail(shell: PageShell, { form, token }: VerifyEmailProps): string {
  const { verifyEmail: t } = translator(shell.locale);
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

/** For a token that is used, too old or not ours: the three look alike. */
export function renderVerifyEmailExpired(shell: PageShell, { signInUrl }: { signInUrl: string }): string {
  const t = translator(shell.locale);
  return renderPage(
    shell,
    <Card shell={shell} heading={t.verifyEmail.expiredTitle} showClient={false}>
      <p>{t.verifyEmail.expired}</p>
      <ButtonLink href={signInUrl}>{t.signIn.title}</ButtonLink>
    </Card>,
    { title: t.verifyEmail.expiredTitle },
  );
}
