/** @jsxImportSource preact */
/** What the security page leads to: one thing on each, each with the way back. */
import type { ComponentChildren, JSX } from "preact";
import type { FieldError } from "../../lib/errors.ts";
import { Moment } from "../components/account-lists.tsx";
import { Card } from "../components/card.tsx";
import { ErrorSummary, Field, PostForm } from "../components/form.tsx";
import { type PasswordRules, passwordHint } from "../components/password-rules.ts";
import { FactorTimes, type FactorView } from "../components/security-lists.tsx";
import type { Messages } from "../messages/en.ts";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";

function renderForm(
  shell: PageShell,
  { title, backUrl, children }: { title: string; backUrl: string; children: ComponentChildren },
): string {
  const t = translator(shell.locale);
  return renderPage(
    shell,
    <Card
      shell={shell}
      heading={title}
      showClient={false}
      footer={<a href={backUrl}>{t.security.backToSecurity}</a>}
    >
      {children}
    </Card>,
    { title },
  );
}

export interface ManageFactorProps {
  kind: "totp" | "passkeys";
  factor: Omit<FactorView, "manageUrl">;
  rename: FormTarget;
  remove: FormTarget;
  /** What was typed as its new name, if it cannot be one. */
  badName?: string | undefined;
  backUrl: string;
}

/** Fields posted: `csrf`, and `name` to rename it. */
export function renderManageFactor(shell: PageShell, props: ManageFactorProps): string {
  const { locale } = shell;
  const t = translator(locale);
  const { kind, factor, badName } = props;
  const texts = t.security[kind];
  return renderForm(shell, {
    title: texts.removeTitle,
    backUrl: props.backUrl,
    children: (
      <>
        <div class="entry">
          <FactorTimes factor={{ ...factor, manageUrl: "" }} t={t} locale={locale} />
        </div>
        <PostForm {...props.rename}>
          <Field
            name="name"
            label={t.security.name}
            type="text"
            autocomplete="off"
            value={badName ?? factor.name}
            error={badName === undefined ? undefined : t.enroll.badName}
          />
          <button type="submit" class="secondary">
            {t.security.rename}
          </button>
        </PostForm>
        <p class="muted">{texts.removeHint}</p>
        <PostForm {...props.remove}>
          <button type="submit" class="danger">
            {t.security.remove}
          </button>
        </PostForm>
      </>
    ),
  });
}

/** Before new codes take the place of those before. Field posted: `csrf`. */
export function renderRegenerateCodes(
  shell: PageShell,
  { form, backUrl }: { form: FormTarget; backUrl: string },
): string {
  const texts = translator(shell.locale).security.backupCodes;
  return renderForm(shell, {
    title: texts.regenerate,
    backUrl,
    children: (
      <>
        <p>{texts.explanation}</p>
        <PostForm {...form}>
          <button type="submit">{texts.regenerate}</button>
        </PostForm>
      </>
    ),
  });
}

export interface ChangePasswordProps {
  form: FormTarget;
  passwordRules: PasswordRules;
  /** Of the fields `current_password` and `new_password`. */
  fieldErrors?: readonly FieldError[];
  problem?: "too_many_attempts" | undefined;
  backUrl: string;
}

/** Fields posted: `csrf`, `current_password`, `new_password`. */
export function renderChangePassword(shell: PageShell, props: ChangePasswordProps): string {
  const t = translator(shell.locale);
  const { fieldErrors = [] } = props;
  const errorOf = (name: string) => fieldErrors.find(({ field }) => field === name)?.message;
  const labels = { current_password: t.security.password.current, new_password: t.newPassword };
  return renderForm(shell, {
    title: t.security.password.change,
    backUrl: props.backUrl,
    children: (
      <>
        {props.problem ? <ErrorSummary message={t.signIn.problems[props.problem]} /> : null}
        {fieldErrors.length > 0 ? (
          <ErrorSummary message={t.errorSummary} fieldErrors={fieldErrors} labels={labels} />
        ) : null}
        <PostForm {...props.form}>
          <Field
            name="current_password"
            label={labels.current_password}
            type="password"
            autocomplete="current-password"
            error={errorOf("current_password")}
          />
          <Field
            name="new_password"
            label={labels.new_password}
            type="password"
            autocomplete="new-password"
            hint={passwordHint(t, props.passwordRules)}
            error={errorOf("new_password")}
          />
          <button type="submit">{t.security.password.submit}</button>
        </PostForm>
      </>
    ),
  });
}

export interface ChangeEmailProps {
  form: FormTarget;
  value?: string | undefined;
  error?: string | undefined;
  backUrl: string;
}

/** Fields posted: `csrf`, `email`. */
export function renderChangeEmail(shell: PageShell, props: ChangeEmailProps): string {
  const texts = translator(shell.locale).security.email;
  return renderForm(shell, {
    title: texts.change,
    backUrl: props.backUrl,
    children: (
      <>
        <p>{texts.explanation}</p>
        <PostForm {...props.form}>
          <Field
            name="email"
            label={texts.newAddress}
            type="email"
            autocomplete="email"
            value={props.value}
            error={props.error}
          />
          <button type="submit">{texts.submit}</button>
        </PostForm>
      </>
    ),
  });
}

/** Field posted: `csrf`. */
export function renderDeleteAccount(
  shell: PageShell,
  { form, graceDays, backUrl }: { form: FormTarget; graceDays: number; backUrl: string },
): string {
  const texts = translator(shell.locale).security.deletion;
  return renderForm(shell, {
    title: texts.title,
    backUrl,
    children: (
      <>
        <p>{texts.explanation(graceDays)}</p>
        <PostForm {...form}>
          <button type="submit" class="danger">
            {texts.submit}
          </button>
        </PostForm>
      </>
    ),
  });
}

/** After which the person is signed out. */
export function renderDeletionBegun(shell: PageShell, { dueAt }: { dueAt: Date }): string {
  const { locale } = shell;
  const t: Messages = translator(locale);
  const texts = t.security.deletion;
  const content: JSX.Element = (
    <Card shell={shell} heading={texts.doneTitle} showClient={false}>
      <p role="status">{texts.done(<Moment at={dueAt} locale={locale} />)}</p>
    </Card>
  );
  return renderPage(shell, content, { title: texts.doneTitle });
}
