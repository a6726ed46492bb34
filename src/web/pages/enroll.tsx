/** @jsxImportSource preact */
/** Setting up a second factor: on the way into an account that has to have one, or on the security page. */
import type { JSX } from "preact";
import { ButtonLink, Card } from "../components/card.tsx";
import { ErrorSummary, Field, PostForm } from "../components/form.tsx";
import { PasskeyForm } from "../components/passkey-form.tsx";
import type { Messages } from "../messages/en.ts";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";

export interface ChooseFactorProps {
  /** Undefined for what cannot be set up here. */
  totpUrl?: string | undefined;
  passkeyUrl?: string | undefined;
  cancelUrl: string;
}

/** For somebody who has to have a second factor to be let in. */
export function renderChooseFactor(shell: PageShell, props: ChooseFactorProps): string {
  const t = translator(shell.locale);
  return renderPage(
    shell,
    <Card
      shell={shell}
      heading={t.enroll.title}
      footer={<a href={props.cancelUrl}>{t.secondFactor.cancel}</a>}
    >
      <p>{t.enroll.explanation}</p>
      {props.passkeyUrl ? (
        <Choice url={props.passkeyUrl} text={t.enroll.passkey} hint={t.enroll.passkeyHint} />
      ) : null}
      {props.totpUrl ? <Choice url={props.totpUrl} text={t.enroll.totp} hint={t.enroll.totpHint} /> : null}
    </Card>,
    { title: t.enroll.title },
  );
}

function Choice({ url, text, hint }: { url: string; text: string; hint: string }): JSX.Element {
  return (
    <section class="choice">
      <ButtonLink href={url}>{text}</ButtonLink>
      <p class="muted">{hint}</p>
    </section>
  );
}

export interface SetUpTotpProps {
  form: FormTarget;
  /** Base32. */
  secret: string;
  provisioningUri: string;
  qrSvg: string;
  wrongCode?: boolean;
  /** Back to the choice, or to the security page. */
  back: { url: string; text: "other" | "cancel" };
}

/** Fields posted: `csrf`, `interaction`, `code`. */
export function renderSetUpTotp(shell: PageShell, props: SetUpTotpProps): string {
  const t = translator(shell.locale);
  const texts = t.enroll;
  // A picture and not part of the document: what a reader scans is black on white in dark pages, too.
  const picture = `data:image/svg+xml,${encodeURIComponent(props.qrSvg)}`;
  return renderPage(
    shell,
    <Card
      shell={shell}
      heading={texts.totpTitle}
      showClient={false}
      footer={<a href={props.back.url}>{texts[props.back.text]}</a>}
    >
      {props.wrongCode ? <ErrorSummary message={texts.wrongCode} /> : null}
      <p>{texts.scan}</p>
      <img class="qr" src={picture} alt={texts.qrCode} width="220" height="220" />
      <p>
        <a href={props.provisioningUri}>{texts.openApp}</a>
      </p>
      <p>{texts.manual}</p>
      <p class="secret">
        <code>{grouped(props.secret)}</code>
      </p>
      <PostForm {...props.form}>
        <p>{texts.confirm}</p>
        <Field
          name="code"
          label={t.secondFactor.code}
          type="text"
          autocomplete="one-time-code"
          inputmode="numeric"
          autofocus={props.wrongCode ?? false}
        />
        <button type="submit">{texts.submit}</button>
      </PostForm>
    </Card>,
    { title: texts.totpTitle },
  );
}

/** In fours, as people read it out. */
const grouped = (secret: string) => secret.match(/.{1,4}/g)?.join(" ") ?? secret;

export interface NameTotpProps {
  form: FormTarget;
  name?: string | undefined;
  /** The problem of the field `name`. */
  problem?: "badName" | "nameTaken" | "tooMany" | undefined;
  backUrl: string;
}

/** Before another app is set up: which of them it is. Fields posted: `csrf`, `interaction`, `name`. */
export function renderNameTotp(shell: PageShell, props: NameTotpProps): string {
  const t = translator(shell.locale);
  return renderPage(
    shell,
    <Card
      shell={shell}
      heading={t.enroll.totpTitle}
      showClient={false}
      footer={<a href={props.backUrl}>{t.enroll.cancel}</a>}
    >
      <PostForm {...props.form}>
        <DeviceName t={t} value={props.name} error={props.problem && t.enroll[props.problem]} />
        <button type="submit">{t.enroll.next}</button>
      </PostForm>
    </Card>,
    { title: t.enroll.totpTitle },
  );
}

function DeviceName(props: {
  t: Messages;
  value?: string | undefined;
  error?: string | undefined;
  optional?: boolean;
}): JSX.Element {
  const { t, value, error, optional } = props;
  return (
    <Field
      name="name"
      label={t.enroll.deviceName}
      type="text"
      autocomplete="off"
      value={value}
      error={error}
      hint={t.enroll.deviceNameHint}
      optional={optional ? t.optional : undefined}
    />
  );
}

export interface CreatePasskeyProps {
  form: FormTarget;
  optionsUrl: string;
  problem?: "notCreated" | undefined;
  back: { url: string; text: "other" | "cancel" };
  /** More hidden fields: of an account that is yet to be made. Its passkey is named after its authenticator. */
  hidden?: Readonly<Record<string, string>>;
}

/** Fields posted: `csrf`, `interaction`, `name`, `credential`. */
export function renderCreatePasskey(shell: PageShell, props: CreatePasskeyProps): string {
  const t = translator(shell.locale);
  return renderPage(
    shell,
    <Card
      shell={shell}
      heading={t.enroll.passkeyTitle}
      showClient={false}
      footer={<a href={props.back.url}>{t.enroll[props.back.text]}</a>}
    >
      {props.problem ? <ErrorSummary message={t.passkeys[props.problem]} /> : null}
      <p>{t.enroll.passkeyExplanation}</p>
      <PasskeyForm
        ceremony="create"
        form={props.form}
        optionsUrl={props.optionsUrl}
        hidden={props.hidden}
        submit={t.enroll.create}
        explainMissing
        t={t}
      >
        {props.hidden ? null : <DeviceName t={t} optional />}
      </PasskeyForm>
    </Card>,
    { title: t.enroll.passkeyTitle, withScript: true },
  );
}

export interface BackupCodesProps {
  codes: readonly string[];
  nextUrl: string;
}

/** Shown once. What is downloaded is in the link itself, so that no address leads to the codes. */
export function renderBackupCodes(shell: PageShell, { codes, nextUrl }: BackupCodesProps): string {
  const t = translator(shell.locale);
  const texts = t.enroll.backupCodes;
  const file = [texts.fileHeading(shell.tenant.name), "", ...codes, ""].join("\r\n");
  return renderPage(
    shell,
    <Card shell={shell} heading={texts.title} showClient={false}>
      <p>{texts.explanation}</p>
      <p>
        <strong>{texts.once}</strong>
      </p>
      <ol class="backup-codes" aria-label={texts.list}>
        {codes.map((code) => (
          <li>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div class="screen-only">
        <a
          class="button secondary"
          download="backup-codes.txt"
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(file)}`}
        >
          {texts.download}
        </a>
        <button type="button" class="button secondary" data-print hidden>
          {texts.print}
        </button>
        <ButtonLink href={nextUrl}>{texts.done}</ButtonLink>
      </div>
    </Card>,
    { title: texts.title, withScript: true },
  );
}
