/** @jsxImportSource preact */
import type { JSX } from "preact";
import { ButtonLink, Card } from "../components/card.tsx";
import { ErrorSummary, Field, Notice, PostForm } from "../components/form.tsx";
import { ProviderButtons } from "../components/provider-buttons.tsx";
import type { ConnectionView } from "../federation/home-realm.ts";
import { PasskeyForm } from "../components/passkey-form.tsx";
import type { Messages } from "../messages/en.ts";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";
import type { ProofMethod } from "./passwordless.tsx";

export type SignInProblem = keyof Messages["signIn"]["problems"];
export type SignInNotice = keyof Messages["signIn"]["notices"];

export interface SignInProps {
  form: FormTarget;
  /** What the person typed before, put back into the field. */
  identifier?: string | undefined;
  problem?: SignInProblem | undefined;
  notice?: SignInNotice | undefined;
  /** Undefined where the tenant does not offer it. */
  rememberMe?: { checked: boolean } | undefined;
  /** What was wrong with a second factor, or with a passkey. */
  alert?: string | undefined;
  passkey?: { form: FormTarget; optionsUrl: string } | undefined;
  /** Ways without a password that the tenant switched on. */
  otherWays?: readonly { method: ProofMethod; url: string }[];
  /** Providers that people can sign in through. */
  connections?: readonly ConnectionView[] | undefined;
  /** Whether addresses of some domains lead to a provider, for which no password is needed. */
  withRealms?: boolean;
  /** What was wrong with the password field alone. */
  passwordError?: string | undefined;
  signUpUrl?: string | undefined;
  forgotPasswordUrl?: string | undefined;
}

/** Fields posted: `csrf`, `interaction`, `identifier`, `password`, `remember_me` (`true` or absent). */
export function renderSignIn(shell: PageShell, props: SignInProps): string {
  return renderPage(shell, <SignIn shell={shell} {...props} />, {
    title: translator(shell.locale).signIn.title,
    withScript: props.passkey !== undefined,
  });
}

function SignIn({ shell, form, signUpUrl, ...props }: SignInProps & { shell: PageShell }): JSX.Element {
  const t = translator(shell.locale);
  const signUp = signUpUrl ? (
    <>
      {t.signIn.noAccount} <a href={signUpUrl}>{t.signIn.signUp}</a>
    </>
  ) : undefined;
  return (
    <Card shell={shell} heading={shell.tenant.signInTitle ?? t.signIn.title} footer={signUp}>
      {shell.tenant.signInMessage ? <p class="message">{shell.tenant.signInMessage}</p> : null}
      {props.notice ? <Notice>{t.signIn.notices[props.notice]}</Notice> : null}
      {props.problem ? <ErrorSummary message={t.signIn.problems[props.problem]} /> : null}
      {props.alert ? <ErrorSummary message={props.alert} /> : null}
      <PostForm {...form}>
        <Field
          name="identifier"
          label={t.signIn.identifier}
          type="text"
          autocomplete={props.passkey ? "username webauthn" : "username"}
          autocapitalize="none"
          value={props.identifier}
          autofocus={!props.identifier}
        />
        <Field
          name="password"
          label={t.password}
          type="password"
          autocomplete="current-password"
          required={!props.withRealms}
          hint={props.withRealms ? t.federation.passwordHint : undefined}
          error={props.passwordError}
          autofocus={Boolean(props.identifier)}
        />
        {props.forgotPasswordUrl ? (
          <p class="row-link">
            <a href={props.forgotPasswordUrl}>{t.signIn.forgotPassword}</a>
          </p>
        ) : null}
        {props.rememberMe ? (
          <label class="check" for="remember_me">
            <input
              id="remember_me"
              name="remember_me"
              type="checkbox"
              value="true"
              checked={props.rememberMe.checked}
            />
            {t.signIn.rememberMe}
          </label>
        ) : null}
        <button type="submit">{t.signIn.submit}</button>
      </PostForm>
      {props.passkey ? (
        <PasskeyForm
          ceremony="get"
          {...props.passkey}
          autofill
          hidden={{ remember_me: "" }}
          submit={t.passkeys.signIn}
          secondary
          t={t}
        />
      ) : null}
      {(props.otherWays ?? []).map(({ method, url }) => (
        <ButtonLink href={url} secondary>
          {t.passwordless[method].title}
        </ButtonLink>
      ))}
      <ProviderButtons connections={props.connections} t={t} />
    </Card>
  );
}
