/** The sign-in page, for the routes that end at it. */
import type { Deps } from "../../deps.ts";
import { isSignInProofEnabled } from "../../domain/proofs/service.ts";
import { hasRealms } from "../../domain/federation/realms.ts";
import { AppError } from "../../lib/errors.ts";
import {
  formTo,
  linkTo,
  type PageAuthorization,
  type PageRequest,
  respondWithPage,
  shellOf,
} from "../http.ts";
import { connectionViews } from "../federation/home-realm.ts";
import { translator } from "../messages/translator.ts";
import type { ProofMethod } from "../pages/passwordless.tsx";
import { renderSignIn, type SignInNotice, type SignInProblem } from "../pages/sign-in.tsx";
import { askPath } from "./passwordless.ts";
import { withMethod } from "./verify.routes.ts";

/** What was wrong beside the password: a second factor that came too late, or a passkey. */
export type SignInAlert = "expired" | "passkey_refused" | "passkey_unverified";

export interface SignInPage {
  authorization: PageAuthorization | undefined;
  identifier?: string | undefined;
  rememberMe?: boolean;
  problem?: SignInProblem;
  notice?: SignInNotice | undefined;
  alert?: SignInAlert | undefined;
  /** Neither a password was given nor an address that leads elsewhere. */
  passwordMissing?: boolean;
}

/** What of an error is told on the page; undefined for any other. */
export function signInProblem(error: unknown): SignInProblem | undefined {
  if (!(error instanceof AppError)) return undefined;
  if (error.status === 401) return "invalid_credentials";
  if (error.code === "email_not_verified") return "email_not_verified";
  return error.status === 429 ? "too_many_attempts" : undefined;
}

export async function showSignIn(deps: Deps, page: PageRequest, props: SignInPage): Promise<Response> {
  const { authorization, problem, alert, passwordMissing } = props;
  const { settings } = page.tenant;
  const shell = shellOf(page, authorization);
  const html = renderSignIn(shell, {
    form: formTo(deps, page, "/signin", authorization),
    identifier: props.identifier,
    problem,
    notice: props.notice,
    alert: alert && alertText(shell, alert),
    rememberMe: settings.remember_me_enabled ? { checked: props.rememberMe ?? false } : undefined,
    passkey: {
      form: formTo(deps, page, "/signin/passkey", authorization),
      optionsUrl: `${page.base}/signin/passkey/options`,
    },
    otherWays: otherWays(deps, page, authorization),
    connections: await connectionViews(deps, page, authorization),
    withRealms: await hasRealms(deps, page.tenant),
    passwordError: passwordMissing ? translator(shell.locale).federation.passwordMissing : undefined,
    signUpUrl: settings.self_registration_enabled ? linkTo(page, "/signup", authorization) : undefined,
    forgotPasswordUrl: settings.forgot_password_enabled ? linkTo(page, "/recover", authorization) : undefined,
  });
  const status = problem || alert || passwordMissing ? 400 : 200;
  return respondWithPage(deps, page, html, { status, authorization, withScript: true });
}

function alertText(shell: { locale: Parameters<typeof translator>[0] }, alert: SignInAlert): string {
  const t = translator(shell.locale);
  switch (alert) {
    case "expired":
      return t.secondFactor.expired;
    case "passkey_refused":
      return t.passkeys.refused;
    case "passkey_unverified":
      return t.passkeys.unverified;
  }
}

const PROOFS: readonly ProofMethod[] = ["magic_link", "email_code", "sms_code"];

function otherWays(deps: Deps, page: PageRequest, authorization: PageAuthorization | undefined) {
  return PROOFS.filter((method) => isSignInProofEnabled(deps, page.tenant, method)).map((method) => ({
    method,
    url: withMethod(linkTo(page, askPath(method), authorization), method),
  }));
}
