/** @jsxImportSource preact */
import { Card } from "../components/card.tsx";
import { ErrorSummary, Field, PostForm } from "../components/form.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";

export interface ForgotPasswordProps {
  form: FormTarget;
  /** What the person typed before, here or on the sign-in page. */
  email?: string | undefined;
  /** The problem of the field `email`. */
  error?: string | undefined;
  problem?: "expired" | "too_many_attempts" | undefined;
  signInUrl: string;
}

/** Fields posted: `csrf`, `interaction`, `email`. The answer is `renderCheckYourMail`, whoever asks. */
export function renderForgotPassword(shell: PageShell, props: ForgotPasswordProps): string {
  const t = translator(shell.locale);
  return renderPage(
    shell,
    <Card
      shell={shell}
      heading={t.forgotPassword.title}
      showClient={false}
      footer={<a href={props.signInUrl}>{t.backToSignIn}</a>}
    >
      {props.problem ? <ErrorSummary message={t.signIn.problems[props.problem]} /> : null}
      <p>{t.forgotPassword.explanation}</p>
      <PostForm {...props.form}>
        <Field
          name="email"
          label={t.email}
          type="email"
          autocomplete="email"
          value={props.email}
          error={props.error}
          autofocus
        />
        <button type="submit">{t.forgotPassword.submit}</button>
      </PostForm>
    </Card>,
    { title: t.forgotPassword.title },
  );
}
