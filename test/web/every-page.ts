/** Every hosted page, with one text in the place of everything that comes from outside. */
import type { Locale } from "../../src/lib/locale.ts";
import { renderAccount } from "../../src/web/pages/account.tsx";
import { renderCheckYourMail } from "../../src/web/pages/check-your-mail.tsx";
import { renderConsent } from "../../src/web/pages/consent.tsx";
import { renderDeviceCode, renderDeviceDecision, renderDeviceDone } from "../../src/web/pages/device.tsx";
import { renderError } from "../../src/web/pages/error.tsx";
import { renderFederationProblem, renderLeaving } from "../../src/web/pages/federation.tsx";
import { renderForgotPassword } from "../../src/web/pages/forgot-password.tsx";
import { renderPassingOn } from "../../src/web/pages/passing-on.tsx";
import { renderFormPost } from "../../src/web/pages/form-post.tsx";
import {
  renderImpersonate,
  renderImpersonationEnded,
  renderImpersonationExpired,
} from "../../src/web/pages/impersonation.tsx";
import { renderLanding } from "../../src/web/pages/landing.tsx";
import { renderLink, renderLinkDone, renderLinkExpired } from "../../src/web/pages/links.tsx";
import { renderLogout, renderSignedOut } from "../../src/web/pages/logout.tsx";
import { renderMailbox } from "../../src/web/pages/mailbox.tsx";
import {
  renderAskProof,
  renderEnterCode,
  renderLinkConfirmed,
  renderOpenedLink,
  renderWaitForLink,
} from "../../src/web/pages/passwordless.tsx";
import { renderResetPassword, renderResetPasswordExpired } from "../../src/web/pages/reset-password.tsx";
import { renderSelectAccount } from "../../src/web/pages/select-account.tsx";
import { renderSignIn } from "../../src/web/pages/sign-in.tsx";
import { renderSignUp } from "../../src/web/pages/sign-up.tsx";
import { renderUnlock, renderUnlocked, renderUnlockExpired } from "../../src/web/pages/unlock.tsx";
import { renderVerifyEmail, renderVerifyEmailExpired } from "../../src/web/pages/verify-email.tsx";
import type { PageShell } from "../../src/web/shell.ts";
import { everySecurityPage } from "./every-security-page.ts";

export const nonce = "bm9uY2Ugb2YgYSB0ZXN0";

/** @param url in the place of the addresses that clients and tenants choose */
export function everyPage(text: string, locale: Locale = "en", url = text): Record<string, string> {
  const client = { name: text, logoUrl: url, homepageUrl: url, policyUrl: url, termsUrl: url };
  const identity = { vouchedFor: false, host: text, destination: text, onlyLocal: true };
  const shell: PageShell = { locale, basePath: "/base", tenant: { name: text, logoUrl: url }, client };
  const form = { action: "/action", csrf: "token", interaction: text };
  const createdAt = new Date("2025-01-02T03:04:05Z");
  const message = { id: "1", to: text, subject: text, createdAt };
  const fields = ["email", "username", "password", "given_name", "family_name", text];
  return {
    ...everySecurityPage(shell, { text, form, at: createdAt }),
    signIn: renderSignIn(shell, {
      form,
      identifier: text,
      problem: "invalid_credentials",
      notice: "email_verified",
      alert: text,
      passkey: { form, optionsUrl: "/options" },
      otherWays: [{ method: "magic_link", url: "/link" }],
      connections: [
        { name: text, preset: "google", url: "/oauth/social/google" },
        { name: text, preset: null, url: "/oauth/social/ours" },
      ],
      withRealms: true,
      passwordError: text,
      rememberMe: { checked: true },
      signUpUrl: "/sign-up",
      forgotPasswordUrl: "/forgot",
    }),
    leaving: renderLeaving(shell, { connectionName: text, url: "/oauth/social/ours" }),
    federationProblem: renderFederationProblem(shell, {
      problem: "account_exists",
      connectionName: text,
      back: { to: "sign_in", url: "/sign-in" },
      clientUrl: "/cancel",
    }),
    signUp: renderSignUp(shell, {
      form,
      values: { email: text, username: text, given_name: text, family_name: text },
      fieldErrors: fields.map((field) => ({ field, message: text })),
      problem: "too_many_attempts",
      username: "optional",
      signInUrl: "/sign-in",
    }),
    checkYourMail: renderCheckYourMail(shell, {
      kind: "reset",
      email: text,
      resend: form,
      resent: true,
      signInUrl: "/sign-in",
      mailboxUrl: "/mailbox",
    }),
    verifyEmail: renderVerifyEmail(shell, { form, token: text }),
    verifyEmailExpired: renderVerifyEmailExpired(shell, { signInUrl: "/sign-in" }),
    unlock: renderUnlock(shell, { form, token: text }),
    unlocked: renderUnlocked(shell, { signInUrl: "/sign-in" }),
    unlockExpired: renderUnlockExpired(shell, { signInUrl: "/sign-in" }),
    approveEmail: renderLink(shell, { kind: "approveEmail", form, token: text, newAddress: text }),
    confirmEmail: renderLink(shell, { kind: "confirmEmail", form, token: text, newAddress: text }),
    keepAccount: renderLink(shell, { kind: "keepAccount", form, token: text }),
    linkDone: renderLinkDone(shell, { outcome: "emailChanged", signInUrl: "/sign-in" }),
    impersonate: renderImpersonate(
      { ...shell, impersonation: { user: text, by: text, end: form } },
      { token: text, form, user: text, by: text },
    ),
    impersonationEnded: renderImpersonationEnded(shell),
    impersonationExpired: renderImpersonationExpired(shell),
    linkExpired: renderLinkExpired(shell, { signInUrl: "/sign-in" }),
    askMagicLink: renderAskProof(shell, {
      method: "magic_link",
      form,
      identifier: text,
      error: text,
      signInUrl: "/sign-in",
    }),
    askSmsCode: renderAskProof(shell, { method: "sms_code", form, identifier: text, signInUrl: "/sign-in" }),
    enterCode: renderEnterCode(shell, {
      method: "email_code",
      form,
      identifier: text,
      problem: "wrong_code",
      rememberMe: { checked: true },
      againUrl: "/again",
      mailboxUrl: "/mailbox",
    }),
    waitForLink: renderWaitForLink(shell, {
      checkNumber: text,
      waitUrl: "/wait",
      againUrl: "/again",
      mailboxUrl: "/mailbox",
    }),
    openedLink: renderOpenedLink(shell, {
      form,
      token: text,
      sameBrowser: true,
      checkNumber: text,
      place: { address: text, device: text },
    }),
    openedLinkElsewhere: renderOpenedLink(shell, {
      form,
      token: text,
      sameBrowser: false,
      checkNumber: text,
      place: { address: text, device: text },
    }),
    linkConfirmed: renderLinkConfirmed(shell),
    forgotPassword: renderForgotPassword(shell, {
      form,
      email: text,
      error: text,
      problem: "expired",
      signInUrl: "/sign-in",
    }),
    resetPassword: renderResetPassword(shell, { form, token: text, error: text, problem: "expired" }),
    resetPasswordExpired: renderResetPasswordExpired(shell, { forgotPasswordUrl: "/forgot" }),
    consent: renderConsent(shell, {
      form,
      client,
      user: text,
      scopes: [{ name: "openid" }, { name: text }, { name: "other", description: text }],
      identity,
      resources: [text],
      otherAccountUrl: "/other",
    }),
    selectAccount: renderSelectAccount(shell, { form, user: text, otherAccountUrl: "/other" }),
    deviceCode: renderDeviceCode(shell, { form, userCode: text, problem: "unknown_code" }),
    deviceDecision: renderDeviceDecision(shell, {
      form,
      client,
      identity,
      user: text,
      userCode: text,
      scopes: [{ name: "openid" }, { name: text }],
      resources: [text],
      place: { address: text, device: text, sameNetwork: true },
      accountUrl: "/account",
    }),
    deviceAllowed: renderDeviceDone(shell, { allowed: true }),
    deviceDenied: renderDeviceDone(shell, { allowed: false }),
    account: renderAccount(shell, {
      user: { email: text, emailVerified: false, username: text, name: text },
      signOut: form,
      securityUrl: "/security",
      sendVerification: form,
      notice: "session_ended",
      sessions: [true, false].map((current) => ({
        id: text,
        current,
        impersonated: current,
        device: { browser: text, system: text },
        ipAddress: text,
        applications: [text],
        signedInAt: createdAt,
        lastUsedAt: createdAt,
      })),
      endSession: form,
      endOtherSessions: form,
      grants: [{ id: text, client, scopes: ["openid", text], grantedAt: createdAt, lastUsedAt: createdAt }],
      revokeGrant: form,
    }),
    logout: renderLogout(shell, { form, hidden: { state: text }, user: text, client: text }),
    signedOut: renderSignedOut(shell, { signInUrl: "/sign-in", back: { client: text, url } }),
    error: renderError(shell, { status: 400, requestId: text, code: text, message: text, homeUrl: "/" }),
    passingOn: renderPassingOn(shell, { url: "/saml/ours" }),
    formPost: renderFormPost(shell, { action: text, parameters: { code: text, [text]: text }, nonce }),
    mailbox: renderMailbox(shell, {
      messages: [{ ...message, url: "/mailbox/1" }],
      selected: { ...message, text, html: text },
    }),
    landing: renderLanding(shell, {
      signInUrl: "/sign-in",
      signUpUrl: "/sign-up",
      docsUrl: "/docs",
      mailboxUrl: "/mailbox",
    }),
  };
}

export interface Element {
  tag: string;
  attributes: Readonly<Record<string, string>>;
}

/** The elements of a document in their order, as a browser's tokenizer sees them. */
export function elementsOf(html: string): Element[] {
  const elements: Element[] = [];
  const rewriter = new HTMLRewriter().on("*", {
    element(element) {
      elements.push({ tag: element.tagName, attributes: Object.fromEntries(element.attributes) });
    },
  });
  rewriter.transform(html);
  return elements;
}
