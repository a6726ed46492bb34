/** The second factor of a sign-in. What the browser goes on with is in its cookie, which opens nothing by itself. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { completeBrowser, methodsForLogin } from "../../domain/accounts/complete-sign-in.ts";
import type { PendingLogin, SecondFactorMethod } from "../../domain/mfa/model.ts";
import { requirePendingLogin } from "../../domain/mfa/pending-login.ts";
import { policyOf } from "../../domain/mfa/policy.ts";
import { beginAssertion } from "../../domain/passkeys/assertions.ts";
import { AppError, unauthorized } from "../../lib/errors.ts";
import { RequestOptions } from "../../http/webauthn-models.ts";
import { expireCookie, loginCookieName } from "../cookies.ts";
import {
  formTo,
  linkTo,
  type PageAuthorization,
  pageAuthorization,
  type PageRequest,
  pageScope,
  readPageForm,
  redirectTo,
  respondWithPage,
  shellOf,
} from "../http.ts";
import {
  formDetail,
  optionsDetail,
  optionsErrors,
  optionsHeaders,
  pageDetail,
  pageForm,
  pageResponses,
} from "../models.ts";
import { renderSecondFactor } from "../pages/second-factor.tsx";
import { mailboxUrlOf } from "./passwordless.ts";
import {
  chosenMethod,
  isSent,
  offered,
  proofProblem,
  type ProofMessage,
  readProver,
  sendCode,
  sentState,
} from "./second-factor.ts";
import { afterSignedIn } from "./sign-in-step.ts";

const PATH = "/signin/verify";

export const verifyRoutes = (deps: Deps) =>
  new Elysia({ name: "web-verify" })
    .use(pageScope(deps))
    .get(
      PATH,
      async ({ page }) => {
        const authorization = await pageAuthorization(deps, page, page.query.get("interaction") ?? undefined);
        const login = await findLogin(deps, page, "verify");
        if (login) return show(deps, page, login, authorization, page.query.get("method"));
        // Somebody in a session, whom an application asks for more.
        const inSession = authorization && page.session;
        return redirectTo(page, linkTo(page, inSession ? "/signin/step-up" : "/signin", authorization));
      },
      { response: pageResponses, detail: pageDetail("Page that asks for the second factor of a sign-in") },
    )
    .post(
      PATH,
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body);
        const authorization = await pageAuthorization(deps, page, field("interaction"));
        const login = await findLogin(deps, page, "verify");
        const method = login && chosenMethod(await methodsOf(deps, page, login), field("method"));
        if (!login || !method) return startAgain(page, authorization);
        const prover = readProver(method, field, page);
        if (!prover) return show(deps, page, login, authorization, method, { problem: "no_passkey" });
        try {
          const signIn = await completeBrowser(deps, page.tenant, {
            token: page.cookies.get(loginCookieName) ?? "",
            proverFor: ({ id }) => prover(id),
            trustDevice: field("trust_device") === "true",
            before: page.session,
            context: page.context,
          });
          return afterSignedIn(deps, page, signIn, authorization);
        } catch (error) {
          if (error instanceof AppError && error.code === "invalid_mfa_token")
            return startAgain(page, authorization);
          const problem = proofProblem(error);
          if (!problem) throw error;
          return show(deps, page, login, authorization, method, { problem });
        }
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Prove the second factor of a sign-in") },
    )
    .post(
      `${PATH}/send`,
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body);
        const authorization = await pageAuthorization(deps, page, field("interaction"));
        const login = await findLogin(deps, page, "verify");
        const methods = login ? await methodsOf(deps, page, login) : [];
        const method = methods.filter(isSent).find((one) => one === field("method"));
        if (!login || !method) return startAgain(page, authorization);
        const message = await sendCode(deps, page, login.user, method);
        return show(deps, page, login, authorization, method, message);
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Have a code sent as a second factor") },
    )
    .post(
      `${PATH}/options`,
      async ({ page, body, set }) => {
        Object.assign(set.headers, optionsHeaders);
        readPageForm(deps, page, body);
        const login = await findLogin(deps, page, "verify");
        if (!login) throw unauthorized("This sign-in has expired. Please start again.");
        return beginAssertion(deps, page.tenant, login.user, login.id);
      },
      {
        ...pageForm,
        response: { 200: RequestOptions, ...optionsErrors },
        detail: optionsDetail("What a passkey is asked for, as the second factor of a sign-in"),
      },
    );

/** The sign-in that this browser is in the middle of; undefined when there is none, or not any more. */
export async function findLogin(
  deps: Deps,
  page: PageRequest,
  purpose: PendingLogin["purpose"],
): Promise<PendingLogin | undefined> {
  const token = page.cookies.get(loginCookieName);
  if (token === undefined) return undefined;
  try {
    return await requirePendingLogin(deps, page.tenant, token, { purpose, surface: "browser" });
  } catch (error) {
    if (error instanceof AppError && error.code === "invalid_mfa_token") return undefined;
    throw error;
  }
}

/** Back to the first factor: this sign-in comes to nothing any more. */
export function startAgain(page: PageRequest, authorization: PageAuthorization | undefined): Response {
  const query = new URLSearchParams({ notice: "second_factor_expired" });
  if (authorization) query.set("interaction", authorization.sealed);
  return redirectTo(page, `${page.base}/signin?${query}`, [expireCookie(loginCookieName)]);
}

async function methodsOf(deps: Deps, page: PageRequest, login: PendingLogin): Promise<SecondFactorMethod[]> {
  return offered(deps, await methodsForLogin(deps, page.tenant, login));
}

async function show(
  deps: Deps,
  page: PageRequest,
  login: PendingLogin,
  authorization: PageAuthorization | undefined,
  name: string | null,
  message: ProofMessage = {},
): Promise<Response> {
  const methods = await methodsOf(deps, page, login);
  const method = chosenMethod(methods, name);
  if (!method) return startAgain(page, authorization);
  const { trustedDeviceDays } = policyOf(page.tenant);
  const html = renderSecondFactor(shellOf(page, authorization), {
    kind: "sign_in",
    method,
    form: formTo(deps, page, PATH, authorization),
    optionsUrl: `${page.base}${PATH}/options`,
    send: formTo(deps, page, `${PATH}/send`, authorization),
    sent: await sentState(deps, login.user, method),
    others: methods
      .filter((one) => one !== method)
      .map((one) => ({ method: one, url: withMethod(linkTo(page, PATH, authorization), one) })),
    ...message,
    trustDays: trustedDeviceDays > 0 ? trustedDeviceDays : undefined,
    cancelUrl: linkTo(page, "/signin", authorization),
    mailboxUrl: mailboxUrlOf(deps),
  });
  const status = message.problem ? 400 : 200;
  return respondWithPage(deps, page, html, { status, authorization, withScript: true });
}

/** @param url with or without a query */
export const withMethod = (url: string, method: string) =>
  `${url}${url.includes("?") ? "&" : "?"}${new URLSearchParams({ method })}`;
