/** @jsxImportSource preact */
import type { JSX } from "preact";
import type { FieldError } from "../../lib/errors.ts";
import { ButtonLink, Card } from "../components/card.tsx";
import { ErrorSummary, Field, type FieldProps, PostForm } from "../components/form.tsx";
import { type PasswordRules, passwordHint } from "../components/password-rules.ts";
import { ProviderButtons } from "../components/provider-buttons.tsx";
import type { ConnectionView } from "../federation/home-realm.ts";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";

export interface SignUpValues {
  email?: string | undefined;
  username?: string | undefined;
  given_name?: string | undefined;
  family_name?: string | undefined;
}

export interface SignUpProps {
  form: FormTarget;
  /** What the person typed before; never a password. */
  values?: SignUpValues;
  /** Of the fields `email`, `username`, `password`, `given_name`, `family_name`; others go to the summary alone. */
  fieldErrors?: readonly FieldError[];
  /** A problem of the whole form: the page was open too long, or too many attempts were made. */
  problem?: "expired" | "too_many_attempts" | undefined;
  /** Whether a username is asked for, and has to be given. */
  username: "hidden" | "optional" | "required";
  passwordRules?: PasswordRules;
  signInUrl: string;
  /** Whether the account is to have a passkey and no password. */
  withPasskey?: boolean;
  /** The page for the other of the two; undefined where there is only this one. */
  otherKindUrl?: string | undefined;
  /** Providers that people can sign up through. */
  connections?: readonly ConnectionView[];
}

/** Fields posted: `csrf`, `interaction`, `email`, `username`, `password`, `given_name`, `family_name`. */
export function renderSignUp(shell: PageShell, props: SignUpProps): string {
  const t = translator(shell.locale);
  return renderPage(shell, <SignUp shell={shell} {...props} />, {
    title: props.withPasskey ? t.passkeySignUp.title : t.signUp.title,
  });
}

function SignUp({ shell, ...props }: SignUpProps & { shell: PageShell }): JSX.Element {
  const t = translator(shell.locale);
  const fieldErrors = props.fieldErrors ?? [];
  const labels = {
    email: t.email,
    ...(props.username === "hidden" ? {} : { username: t.username }),
    ...(props.withPasskey ? {} : { password: t.password }),
    given_name: t.givenName,
    family_name: t.familyName,
  };
  const errorOf = (name: string) => fieldErrors.find(({ field }) => field === name)?.message;
  const common = (name: keyof SignUpValues): Pick<FieldProps, "name" | "value" | "error"> => ({
    name,
    value: props.values?.[name],
    error: errorOf(name),
  });
  return (
    <Card
      shell={shell}
      heading={props.withPasskey ? t.passkeySignUp.title : t.signUp.title}
      footer={
        <>
          {t.signUp.haveAccount} <a href={props.signInUrl}>{t.signUp.signIn}</a>
        </>
      }
    >
      {props.problem ? <ErrorSummary message={t.signIn.problems[props.problem]} /> : null}
      {fieldErrors.length > 0 ? (
        <ErrorSummary message={t.errorSummary} fieldErrors={fieldErrors} labels={labels} />
      ) : null}
      {props.withPasskey ? <p>{t.passkeySignUp.explanation}</p> : null}
      <PostForm {...props.form}>
        <div class="field-row">
          <Field
            {...common("given_name")}
            label={t.givenName}
            type="text"
            autocomplete="given-name"
            optional={t.optional}
          />
          <Field
            {...common("family_name")}
            label={t.familyName}
            type="text"
            autocomplete="family-name"
            optional={t.optional}
          />
        </div>
        <Field {...common("email")} label={t.email} type="email" autocomplete="email" />
        {props.username === "hidden" ? null : (
          <Field
            {...common("username")}
            label={t.username}
            type="text"
            autocomplete="username"
            autocapitalize="none"
            hint={t.signUp.usernameHint}
            optional={props.username === "optional" ? t.optional : undefined}
          />
        )}
        {props.withPasskey ? null : (
          <Field
            name="password"
            label={t.password}
            type="password"
            autocomplete="new-password"
            hint={passwordHint(t, props.passwordRules)}
            error={errorOf("password")}
          />
        )}
        <button type="submit">{props.withPasskey ? t.passkeySignUp.submit : t.signUp.submit}</button>
      </PostForm>
      {props.otherKindUrl ? (
        <ButtonLink href={props.otherKindUrl} secondary>
          {props.withPasskey ? t.passkeySignUp.withPassword : t.passkeys.signUp}
        </ButtonLink>
      ) : null}
      <ProviderButtons connections={props.connections} t={t} />
    </Card>
  );
}
