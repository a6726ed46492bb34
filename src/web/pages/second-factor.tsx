/** @jsxImportSource preact */
/** Where a second factor is proved: after the first one, or again within a session. */
import type { JSX } from "preact";
import type { SecondFactorMethod } from "../../domain/mfa/model.ts";
import { ButtonLink, Card, Name } from "../components/card.tsx";
import { ErrorSummary, Field, Notice, PostForm } from "../components/form.tsx";
import { PasskeyForm } from "../components/passkey-form.tsx";
import type { Messages } from "../messages/en.ts";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";

/** What can be asked for here. */
export type ProofChoice = SecondFactorMethod | "password";
export type SecondFactorProblem = keyof Messages["secondFactor"]["problems"];
export type SecondFactorNotice = keyof Messages["secondFactor"]["notices"];

export interface SecondFactorProps {
  /** `step_up`: within a session. */
  kind: "sign_in" | "step_up";
  method: ProofChoice;
  form: FormTarget;
  /** More hidden fields of every form. */
  hidden?: Readonly<Record<string, string>>;
  /** What a passkey is asked for. */
  optionsUrl: string;
  /** Sends a code; its field is `method`. */
  send: FormTarget;
  /** A code was sent; the seconds until another one is. */
  sent?: { waitSeconds: number } | undefined;
  others: readonly { method: ProofChoice; url: string }[];
  problem?: SecondFactorProblem | undefined;
  notice?: SecondFactorNotice | undefined;
  /** For how many days this device may be trusted; undefined where it may not. */
  trustDays?: number | undefined;
  cancelUrl: string;
  /** Set in development only. */
  mailboxUrl?: string | undefined;
}

/** Fields posted: `csrf`, `interaction`, `method`, `code` or `password` or `credential`, `trust_device`. */
export function renderSecondFactor(shell: PageShell, props: SecondFactorProps): string {
  const t = translator(shell.locale);
  return renderPage(shell, <SecondFactor shell={shell} t={t} {...props} />, {
    title: t.secondFactor.title,
    withScript: true,
  });
}

type Props = SecondFactorProps & { shell: PageShell; t: Messages };

function SecondFactor(props: Props): JSX.Element {
  const { shell, t, kind, method, problem, notice } = props;
  const texts = t.secondFactor;
  return (
    <Card
      shell={shell}
      heading={texts.title}
      showClient={kind === "sign_in"}
      footer={<a href={props.cancelUrl}>{kind === "sign_in" ? texts.cancel : texts.back}</a>}
    >
      {kind === "step_up" ? (
        <p class="lead">{shell.client ? texts.stepUpFor(<Name>{shell.client.name}</Name>) : texts.stepUp}</p>
      ) : null}
      {problem ? <ErrorSummary message={texts.problems[problem]} /> : null}
      {notice ? <Notice>{texts.notices[notice]}</Notice> : null}
      <h2>{texts.methods[method].name}</h2>
      <p>{texts.methods[method].explanation}</p>
      <Proof {...props} />
      {props.others.length === 0 ? null : (
        <nav aria-labelledby="other-ways">
          <h2 id="other-ways">{texts.otherWays}</h2>
          <ul class="choices">
            {props.others.map((other) => (
              <li>
                <a href={other.url}>{texts.methods[other.method].name}</a>
              </li>
            ))}
          </ul>
        </nav>
      )}
    </Card>
  );
}

function Proof(props: Props): JSX.Element {
  const { t, method, form } = props;
  const hidden = { ...props.hidden, method };
  switch (method) {
    case "webauthn":
      return (
        <PasskeyForm
          ceremony="get"
          form={form}
          optionsUrl={props.optionsUrl}
          hidden={hidden}
          submit={t.secondFactor.methods.webauthn.submit}
          explainMissing
          t={t}
        >
          <TrustDevice {...props} />
        </PasskeyForm>
      );
    case "email_code":
    case "sms_code":
      return <SentCode {...props} hidden={hidden} />;
    case "password":
      return (
        <PostForm {...form} hidden={hidden}>
          <Field
            name="password"
            label={t.password}
            type="password"
            autocomplete="current-password"
            autofocus
          />
          <button type="submit">{t.secondFactor.submit}</button>
        </PostForm>
      );
    case "totp":
    case "backup_code":
      return <EnterCode {...props} hidden={hidden} />;
  }
}

function EnterCode(props: Props): JSX.Element {
  const { t, method, form, hidden = {} } = props;
  return (
    <PostForm {...form} hidden={hidden}>
      <Field
        name="code"
        label={t.secondFactor.code}
        type="text"
        autocomplete={method === "backup_code" ? "off" : "one-time-code"}
        autocapitalize="none"
        inputmode={method === "backup_code" ? undefined : "numeric"}
        autofocus
      />
      <TrustDevice {...props} />
      <button type="submit">{t.secondFactor.submit}</button>
    </PostForm>
  );
}

/** First the button that sends one, then the field for it. */
function SentCode(props: Props): JSX.Element {
  const { t, sent, send, hidden = {} } = props;
  const wait = sent && sent.waitSeconds > 0 ? { "data-wait": String(sent.waitSeconds) } : {};
  return (
    <>
      {sent ? <EnterCode {...props} /> : null}
      <PostForm {...send} hidden={hidden}>
        <button type="submit" class={sent ? "secondary" : undefined} {...wait}>
          {sent ? t.secondFactor.resend : t.secondFactor.send}
        </button>
      </PostForm>
      {sent && props.mailboxUrl ? (
        <p>
          <a href={props.mailboxUrl}>{t.developmentMailbox}</a>
        </p>
      ) : null}
    </>
  );
}

function TrustDevice({ t, trustDays }: Props): JSX.Element | null {
  if (trustDays === undefined) return null;
  return (
    <label class="check" for="trust_device">
      <input id="trust_device" name="trust_device" type="checkbox" value="true" />
      {t.secondFactor.trust(trustDays)}
    </label>
  );
}

export interface NothingToProveProps {
  /** Where a factor can be set up; undefined where that would not help. */
  enroll: { totpUrl?: string | undefined; passkeyUrl?: string | undefined } | undefined;
  signInUrl: string;
}

/** For somebody in a session who has nothing that would do. */
export function renderNothingToProve(shell: PageShell, { enroll, signInUrl }: NothingToProveProps): string {
  const t = translator(shell.locale);
  return renderPage(
    shell,
    <Card shell={shell} heading={t.secondFactor.title}>
      <p>{enroll ? t.secondFactor.noneYet : t.secondFactor.noneLeft}</p>
      {enroll?.totpUrl ? <ButtonLink href={enroll.totpUrl}>{t.enroll.totp}</ButtonLink> : null}
      {enroll?.passkeyUrl ? <ButtonLink href={enroll.passkeyUrl}>{t.enroll.passkey}</ButtonLink> : null}
      <ButtonLink href={signInUrl} secondary>
        {t.secondFactor.signInAgain}
      </ButtonLink>
    </Card>,
    { title: t.secondFactor.title },
  );
}
