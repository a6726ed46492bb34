/** @jsxImportSource preact */
/** Signing in by a code or a link. */
import { ButtonLink, Card, Name } from "../components/card.tsx";
import { ErrorSummary, Field, PostForm } from "../components/form.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";

export type ProofMethod = "email_code" | "sms_code" | "magic_link";
export type ProofProblem = "wrong_code" | "too_many_attempts";

export interface AskProofProps {
  method: ProofMethod;
  form: FormTarget;
  /** What the person typed before, here or on the sign-in page. */
  identifier?: string | undefined;
  /** The problem of the field `identifier`. */
  error?: string | undefined;
  signInUrl: string;
}

/** Where to send it. Fields posted: `csrf`, `interaction`, `method`, `identifier`. The answer is the same for everybody. */
export function renderAskProof(shell: PageShell, props: AskProofProps): string {
  const t = translator(shell.locale);
  const texts = t.passwordless[props.method];
  const isPhone = props.method === "sms_code";
  return renderPage(
    shell,
    <Card
      shell={shell}
      heading={texts.title}
      footer={<a href={props.signInUrl}>{t.passwordless.otherWay}</a>}
    >
      <p>{texts.explanation}</p>
      <PostForm {...props.form} hidden={{ method: props.method }}>
        <Field
          name="identifier"
          label={isPhone ? t.passwordless.phone : t.email}
          type={isPhone ? "text" : "email"}
          autocomplete={isPhone ? "tel" : "email"}
          value={props.identifier}
          error={props.error}
          hint={isPhone ? t.passwordless.phoneHint : undefined}
          autofocus
        />
        <button type="submit">{texts.submit}</button>
      </PostForm>
    </Card>,
    { title: texts.title },
  );
}

export interface EnterCodeProps {
  method: "email_code" | "sms_code";
  form: FormTarget;
  /** Where it was sent, as typed. */
  identifier: string;
  problem?: ProofProblem | undefined;
  rememberMe?: { checked: boolean } | undefined;
  /** Back to where a new one can be asked for. */
  againUrl: string;
  /** Set in development only. */
  mailboxUrl?: string | undefined;
}

/** Fields posted: `csrf`, `interaction`, `method`, `identifier`, `code`, `remember_me`. */
export function renderEnterCode(shell: PageShell, props: EnterCodeProps): string {
  const t = translator(shell.locale);
  const texts = t.passwordless;
  return renderPage(
    shell,
    <Card shell={shell} heading={texts.enterCode} footer={<a href={props.againUrl}>{texts.again}</a>}>
      {props.problem ? <ErrorSummary message={texts.problems[props.problem]} /> : null}
      <p>{texts.codeSent(<Name>{props.identifier}</Name>)}</p>
      <PostForm {...props.form} hidden={{ method: props.method, identifier: props.identifier }}>
        <Field
          name="code"
          label={texts.code}
          type="text"
          autocomplete="one-time-code"
          autocapitalize="none"
          autofocus
        />
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
      {props.mailboxUrl ? (
        <p>
          <a href={props.mailboxUrl}>{t.developmentMailbox}</a>
        </p>
      ) : null}
    </Card>,
    { title: texts.enterCode },
  );
}

export interface WaitForLinkProps {
  /** To compare with the one that the link's page shows. */
  checkNumber: string;
  /** Asked every few seconds: goes on by itself once the link is confirmed. */
  waitUrl: string;
  againUrl: string;
  mailboxUrl?: string | undefined;
}

/** The browser that asked for a link, while somebody looks for it. Reloads itself, without a script. */
export function renderWaitForLink(shell: PageShell, props: WaitForLinkProps): string {
  const t = translator(shell.locale);
  const texts = t.passwordless;
  return renderPage(
    shell,
    <Card shell={shell} heading={t.checkYourMail.title} footer={<a href={props.againUrl}>{texts.again}</a>}>
      <p>{texts.linkSent}</p>
      <p>{texts.checkNumber(<strong>{props.checkNumber}</strong>)}</p>
      <ButtonLink href={props.waitUrl}>{texts.confirmed}</ButtonLink>
      {props.mailboxUrl ? (
        <p>
          <a href={props.mailboxUrl}>{t.developmentMailbox}</a>
        </p>
      ) : null}
    </Card>,
    { title: t.checkYourMail.title, refresh: { seconds: 4, url: props.waitUrl } },
  );
}

export interface OpenedLinkProps {
  form: FormTarget;
  /** From the link; posted as `token`. */
  token: string;
  /** Whether this is the browser that asked for the link. */
  sameBrowser: boolean;
  checkNumber: string;
  /** From where the sign-in was begun. */
  place: { address: string | undefined; device: string | undefined };
}

/**
 * What the link opens. Scanners of mail open it too, so a person presses the button. In another browser than the one that
 * asked, it says whose sign-in is confirmed: this page is what somebody is shown who was sent a link they did not ask for.
 */
export function renderOpenedLink(shell: PageShell, props: OpenedLinkProps): string {
  const t = translator(shell.locale);
  const texts = t.passwordless;
  const title = props.sameBrowser ? t.signIn.title : texts.confirmTitle;
  return renderPage(
    shell,
    <Card shell={shell} heading={title} showClient={false}>
      {props.sameBrowser ? (
        <p>{texts.sameBrowser}</p>
      ) : (
        <>
          <p>{texts.otherBrowser}</p>
          <dl class="facts">
            <dt>{texts.numberLabel}</dt>
            <dd>{props.checkNumber}</dd>
            {props.place.device ? <dt>{texts.device}</dt> : null}
            {props.place.device ? <dd>{props.place.device}</dd> : null}
            {props.place.address ? <dt>{texts.address}</dt> : null}
            {props.place.address ? <dd>{props.place.address}</dd> : null}
          </dl>
          <p>{texts.onlyIfYou}</p>
        </>
      )}
      <PostForm {...props.form} hidden={{ token: props.token }}>
        <button type="submit">{props.sameBrowser ? t.signIn.submit : texts.confirmSubmit}</button>
      </PostForm>
    </Card>,
    { title },
  );
}

/** After the confirmation in another browser. */
export function renderLinkConfirmed(shell: PageShell): string {
  const { passwordless: t } = translator(shell.locale);
  return renderPage(
    shell,
    <Card shell={shell} heading={t.confirmedTitle} showClient={false}>
      <p role="status">{t.goBack}</p>
    </Card>,
    { title: t.confirmedTitle },
  );
}
