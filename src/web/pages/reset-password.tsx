/** @jsxImportSource preact */
import { ButtonLink, Card } from "../components/card.tsx";
import { ErrorSummary, Field, PostForm } from "../components/form.tsx";
import { type PasswordRules, passwordHint } from "../components/password-rules.ts";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";

export interface ResetPasswordProps {
  form: FormTarget;
  /** From the link; posted as `token`. */
  token: string;
  passwordRules?: PasswordRules;
  /** The problem of the field `password`. */
  error?: string | undefined;
  problem?: "expired" | "too_many_attempts" | undefined;
}

/** What a reset link opens. Fields posted: `csrf`, `interaction`, `token`, `password`. */
export function renderResetPassword(shell: PageShell, props: ResetPasswordProps): string {
  const t = translator(shell.locale);
  return renderPage(
    shell,
    <Card shell={shell} heading={t.resetPassword.title} showClient={false}>
      {props.problem ? <ErrorSummary message={t.signIn.problems[props.problem]} /> : null}
      <PostForm {...props.form} hidden={{ token: props.token }}>
        <Field
          name="password"
          label={t.newPassword}
          type="password"
          autocomplete="new-password"
          hint={passwordHint(t, props.passwordRules)}
          error={props.error}
          autofocus
        />
        <button type="submit">{t.resetPassword.submit}</button>
      </PostForm>
    </Card>,
    { title: t.resetPassword.title },
  );
}

/** For a token that is used, too old or not ours: the three look alike. */
export function renderResetPasswordExpired(
  shell: PageShell,
  { forgotPasswordUrl }: { forgotPasswordUrl: string },
): string {
  const { resetPassword: t } = translator(shell.locale);
  return renderPage(
    shell,
    <Card shell={shell} heading={t.expiredTitle} showClient={false}>
      <p>{t.expired}</p>
      <ButtonLink href={forgotPasswordUrl}>{t.again}</ButtonLink>
    </Card>,
    { title: t.expiredTitle },
  );
}
