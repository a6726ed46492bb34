/** Signing in with a passkey and nothing else: by the button, or by what the browser offers in the field for the name. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { signInBrowserByPasskey } from "../../domain/accounts/passkey-sign-in.ts";
import { beginAssertion } from "../../domain/passkeys/assertions.ts";
import { RequestOptions } from "../../http/webauthn-models.ts";
import { AppError } from "../../lib/errors.ts";
import { pageAuthorization, pageScope, readPageForm } from "../http.ts";
import {
  formDetail,
  optionsDetail,
  optionsErrors,
  optionsHeaders,
  pageForm,
  pageResponses,
} from "../models.ts";
import { readAssertion } from "./passkey-answer.ts";
import { afterFirstFactor } from "./sign-in-step.ts";
import { showSignIn, type SignInPage } from "./sign-in.ts";

export const passkeySignInRoutes = (deps: Deps) =>
  new Elysia({ name: "web-passkey-sign-in" })
    .use(pageScope(deps))
    .post(
      "/signin/passkey",
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body);
        const authorization = await pageAuthorization(deps, page, field("interaction"));
        const rememberMe = field("remember_me") === "true";
        const response = readAssertion(field("credential"));
        if (!response) return showSignIn(deps, page, { authorization, rememberMe, alert: "passkey_refused" });
        const before = page.session;
        try {
          const options = { rememberMe, before, context: page.context };
          const step = await signInBrowserByPasskey(deps, page.tenant, response, options);
          return afterFirstFactor(deps, page, step, authorization);
        } catch (error) {
          const told = whatToTell(error);
          if (!told) throw error;
          return showSignIn(deps, page, { authorization, rememberMe, ...told });
        }
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Sign in with a passkey") },
    )
    .post(
      "/signin/passkey/options",
      ({ page, body, set }) => {
        Object.assign(set.headers, optionsHeaders);
        readPageForm(deps, page, body);
        return beginAssertion(deps, page.tenant, undefined, "sign_in");
      },
      {
        ...pageForm,
        response: { 200: RequestOptions, ...optionsErrors },
        detail: optionsDetail("What a passkey is asked for, to sign in with it"),
      },
    );

function whatToTell(error: unknown): Pick<SignInPage, "alert" | "problem"> | undefined {
  if (!(error instanceof AppError)) return undefined;
  if (error.status === 401) return { alert: "passkey_refused" };
  if (error.code === "user_verification_required") return { alert: "passkey_unverified" };
  if (error.code === "email_not_verified") return { problem: "email_not_verified" };
  return error.status === 429 ? { problem: "too_many_attempts" } : undefined;
}
