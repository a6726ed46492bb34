/** @jsxImportSource preact */
/** Where a person looks after how they sign in. */
import type { JSX } from "preact";
import { Moment, Section } from "../components/account-lists.tsx";
import { ButtonLink, Card, Name } from "../components/card.tsx";
import { ErrorSummary, Notice, PostForm } from "../components/form.tsx";
import {
  type FactorView,
  PasskeyList,
  type PasskeyView,
  TotpList,
  TrustedDeviceList,
  type TrustedDeviceView,
} from "../components/security-lists.tsx";
import { ExternalAccountList, type ExternalAccountListProps } from "../components/external-accounts.tsx";
import type { Messages } from "../messages/en.ts";
import { ApiKeyList, type ApiKeyListProps } from "./api-keys.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";

/** What was just done, told once above the page. */
export type SecurityNotice = keyof Messages["security"]["notices"];
export type SecurityProblem = keyof Messages["security"]["problems"];

export interface SecurityProps {
  notice?: SecurityNotice | undefined;
  problem?: SecurityProblem | undefined;
  accountUrl: string;
  email: string | undefined;
  /** The address that it is to become, while its links wait. */
  pendingEmail?: string | undefined;
  changeEmailUrl: string;
  cancelEmailChange: FormTarget;
  /** Undefined for who signs in without one. */
  changePasswordUrl: string | undefined;
  passkeys: readonly PasskeyView[];
  addPasskeyUrl: string | undefined;
  totp: readonly FactorView[];
  addTotpUrl: string | undefined;
  /** Undefined where backup codes are not to be used. */
  backupCodes: { left: number; regenerateUrl: string | undefined } | undefined;
  devices: readonly TrustedDeviceView[];
  forgetDevice: FormTarget;
  externalAccounts: ExternalAccountListProps;
  apiKeys: ApiKeyListProps;
  dataExport: { status: "pending" | "ready"; expiresAt: Date; downloadUrl: string } | undefined;
  requestExport: FormTarget;
  /** Undefined where administrators delete accounts. */
  deleteUrl: string | undefined;
}

export function renderSecurity(shell: PageShell, props: SecurityProps): string {
  return renderPage(shell, <Security shell={shell} {...props} />, {
    title: translator(shell.locale).security.title,
  });
}

function Security({ shell, ...props }: SecurityProps & { shell: PageShell }): JSX.Element {
  const { locale } = shell;
  const t = translator(locale);
  const words = { t, locale };
  return (
    <Card
      shell={shell}
      heading={t.security.title}
      showClient={false}
      footer={<a href={props.accountUrl}>{t.security.back}</a>}
    >
      {props.notice ? <Notice>{t.security.notices[props.notice]}</Notice> : null}
      {props.problem ? <ErrorSummary message={t.security.problems[props.problem]} /> : null}
      <PasskeyList {...words} passkeys={props.passkeys} addUrl={props.addPasskeyUrl} />
      <TotpList {...words} devices={props.totp} addUrl={props.addTotpUrl} />
      {props.backupCodes ? <BackupCodes t={t} {...props.backupCodes} /> : null}
      <TrustedDeviceList {...words} devices={props.devices} forget={props.forgetDevice} />
      <Credentials t={t} {...props} />
      <ExternalAccountList {...words} {...props.externalAccounts} />
      <ApiKeyList {...words} {...props.apiKeys} />
      <DataExport t={t} shell={shell} {...props} />
      {props.deleteUrl ? (
        <Section id="deletion" title={t.security.deletion.title}>
          <ButtonLink href={props.deleteUrl} secondary>
            {t.security.deletion.open}
          </ButtonLink>
        </Section>
      ) : null}
    </Card>
  );
}

function BackupCodes(props: { t: Messages; left: number; regenerateUrl: string | undefined }): JSX.Element {
  const { left, regenerateUrl } = props;
  const texts = props.t.security.backupCodes;
  return (
    <Section id="backup-codes" title={texts.title}>
      <p class="muted">{regenerateUrl === undefined ? texts.none : texts.left(left)}</p>
      {regenerateUrl === undefined ? null : (
        <ButtonLink href={regenerateUrl} secondary>
          {texts.regenerate}
        </ButtonLink>
      )}
    </Section>
  );
}

function Credentials({ t, ...props }: SecurityProps & { t: Messages }): JSX.Element {
  const { password, email } = t.security;
  return (
    <>
      <Section id="password" title={password.title}>
        {props.changePasswordUrl === undefined ? (
          <p class="muted">{password.none}</p>
        ) : (
          <ButtonLink href={props.changePasswordUrl} secondary>
            {password.change}
          </ButtonLink>
        )}
      </Section>
      <Section id="email" title={email.title}>
        {props.email === undefined ? null : (
          <p>
            <bdi>{props.email}</bdi>
          </p>
        )}
        {props.pendingEmail === undefined ? null : (
          <>
            <p class="muted">{email.pending(<Name>{props.pendingEmail}</Name>)}</p>
            <PostForm {...props.cancelEmailChange}>
              <button type="submit" class="secondary">
                {email.cancelChange}
              </button>
            </PostForm>
          </>
        )}
        <ButtonLink href={props.changeEmailUrl} secondary>
          {email.change}
        </ButtonLink>
      </Section>
    </>
  );
}

function DataExport(props: SecurityProps & { t: Messages; shell: PageShell }): JSX.Element {
  const { dataExport: copy, requestExport, shell } = props;
  const texts = props.t.security.data;
  return (
    <Section id="data" title={texts.title}>
      <p class="muted">{copy?.status === "pending" ? texts.pending : texts.explanation}</p>
      {copy?.status === "ready" ? (
        <>
          <ButtonLink href={copy.downloadUrl} secondary>
            {texts.download}
          </ButtonLink>
          <p class="muted">{texts.until(<Moment at={copy.expiresAt} locale={shell.locale} />)}</p>
        </>
      ) : null}
      {copy?.status === "pending" ? null : (
        <PostForm {...requestExport}>
          <button type="submit" class="secondary">
            {texts.request}
          </button>
        </PostForm>
      )}
    </Section>
  );
}
