/** The pages of second factors, passkeys and the security of an account, for `every-page.ts`. */
import { renderApiKeyShown, renderNewApiKey } from "../../src/web/pages/api-keys.tsx";
import {
  renderBackupCodes,
  renderChooseFactor,
  renderCreatePasskey,
  renderNameTotp,
  renderSetUpTotp,
} from "../../src/web/pages/enroll.tsx";
import {
  renderNothingToProve,
  renderSecondFactor,
  type SecondFactorProps,
} from "../../src/web/pages/second-factor.tsx";
import {
  renderChangeEmail,
  renderChangePassword,
  renderDeleteAccount,
  renderDeletionBegun,
  renderManageFactor,
  renderRegenerateCodes,
} from "../../src/web/pages/security-forms.tsx";
import { renderSecurity } from "../../src/web/pages/security.tsx";
import { renderSignUp } from "../../src/web/pages/sign-up.tsx";
import type { FormTarget, PageShell } from "../../src/web/shell.ts";

interface Filling {
  text: string;
  form: FormTarget;
  at: Date;
}

export function everySecurityPage(shell: PageShell, { text, form, at }: Filling): Record<string, string> {
  const back = { url: "/back", text: "cancel" } as const;
  const factor = { name: text, addedAt: at, lastUsedAt: at, manageUrl: "/manage" };
  const proof: SecondFactorProps = {
    kind: "sign_in",
    method: "webauthn",
    form,
    hidden: { to: text },
    optionsUrl: "/options",
    send: form,
    others: [{ method: "totp", url: "/totp" }],
    problem: "wrong_answer",
    notice: "sent",
    trustDays: 30,
    cancelUrl: "/cancel",
    mailboxUrl: "/mailbox",
  };
  const device = {
    id: text,
    device: { browser: text, system: text },
    ipAddress: text,
    lastUsedAt: at,
    expiresAt: at,
  };
  return {
    newApiKey: renderNewApiKey(shell, {
      form,
      scopes: [{ name: text, opens: text, checked: true }],
      values: { name: text, days: text },
      fieldErrors: ["name", "scopes", "expires_in_days", text].map((field) => ({ field, message: text })),
      backUrl: "/back",
    }),
    apiKeyShown: renderApiKeyShown(shell, { token: text, nextUrl: "/next" }),
    verifyPasskey: renderSecondFactor(shell, proof),
    verifyCode: renderSecondFactor(shell, { ...proof, method: "totp" }),
    verifyBackupCode: renderSecondFactor(shell, { ...proof, method: "backup_code" }),
    verifySendCode: renderSecondFactor(shell, { ...proof, method: "email_code" }),
    verifySentCode: renderSecondFactor(shell, { ...proof, method: "email_code", sent: { waitSeconds: 7 } }),
    stepUpPassword: renderSecondFactor(shell, { ...proof, kind: "step_up", method: "password" }),
    nothingToProve: renderNothingToProve(shell, { enroll: undefined, signInUrl: "/sign-in" }),
    nothingYet: renderNothingToProve(shell, {
      enroll: { totpUrl: "/totp", passkeyUrl: "/passkey" },
      signInUrl: "/sign-in",
    }),
    chooseFactor: renderChooseFactor(shell, { totpUrl: "/totp", passkeyUrl: "/passkey", cancelUrl: "/no" }),
    setUpTotp: renderSetUpTotp(shell, {
      form,
      secret: text,
      provisioningUri: "otpauth://totp/x",
      qrSvg: `<svg>${text}</svg>`,
      wrongCode: true,
      back,
    }),
    nameTotp: renderNameTotp(shell, { form, name: text, problem: "badName", backUrl: "/back" }),
    createPasskey: renderCreatePasskey(shell, { form, optionsUrl: "/options", problem: "notCreated", back }),
    backupCodes: renderBackupCodes(shell, { codes: [text, "abcd-efgh"], nextUrl: "/next" }),
    signUpWithPasskey: renderSignUp(shell, {
      form,
      values: { email: text, username: text },
      fieldErrors: [{ field: "username", message: text }],
      username: "required",
      withPasskey: true,
      signInUrl: "/sign-in",
      otherKindUrl: "/sign-up",
    }),
    security: renderSecurity(shell, {
      notice: "factor_added",
      problem: "last_factor",
      accountUrl: "/account",
      email: text,
      pendingEmail: text,
      changeEmailUrl: "/email",
      cancelEmailChange: form,
      changePasswordUrl: "/password",
      passkeys: [{ ...factor, authenticator: text, synced: true }],
      addPasskeyUrl: "/passkeys/new",
      totp: [factor],
      addTotpUrl: "/totp/new",
      backupCodes: { left: 3, regenerateUrl: "/codes" },
      devices: [
        { ...device, current: true },
        { ...device, current: false },
      ],
      forgetDevice: form,
      externalAccounts: {
        accounts: [
          {
            id: text,
            connection: { name: text, preset: "google" },
            email: text,
            connectedAt: at,
            lastUsedAt: undefined,
          },
        ],
        disconnect: form,
        offered: [{ key: text, name: text, preset: null }],
        connect: form,
      },
      apiKeys: {
        keys: [{ id: text, name: text, scopes: [text], createdAt: at, expiresAt: at, lastUsedAt: at }],
        addUrl: "/add",
        revoke: form,
      },
      dataExport: { status: "ready", expiresAt: at, downloadUrl: "/export" },
      requestExport: form,
      deleteUrl: "/delete",
    }),
    manageFactor: renderManageFactor(shell, {
      kind: "passkeys",
      factor,
      rename: form,
      remove: form,
      badName: text,
      backUrl: "/back",
    }),
    regenerateCodes: renderRegenerateCodes(shell, { form, backUrl: "/back" }),
    changePassword: renderChangePassword(shell, {
      form,
      passwordRules: { minLength: 8, classes: ["digit"] },
      fieldErrors: [{ field: "current_password", message: text }],
      problem: "too_many_attempts",
      backUrl: "/back",
    }),
    changeEmail: renderChangeEmail(shell, { form, value: text, error: text, backUrl: "/back" }),
    deleteAccount: renderDeleteAccount(shell, { form, graceDays: 14, backUrl: "/back" }),
    deletionBegun: renderDeletionBegun(shell, { dueAt: at }),
  };
}
