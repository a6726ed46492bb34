/**
 * Proving again who one is, within a session: for an application that asks for more (`acr_values`), or before something
 * that could shut a person out of their account. The forms belong to the session: what one person was shown cannot be sent
 * as another's, who signed in since.
 */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { stepUpByFactor, stepUpByPassword, waysToStepUp } from "../../domain/accounts/step-up.ts";
import { needToChangeFactors } from "../../domain/mfa/factors.ts";
import { policyOf } from "../../domain/mfa/policy.ts";
import { beginAssertion } from "../../domain/passkeys/assertions.ts";
import { FRESH_SECONDS } from "../../domain/sessions/fresh.ts";
import type { Session } from "../../domain/sessions/service.ts";
import { RequestOptions } from "../../http/webauthn-models.ts";
import { AppError, unauthorized } from "../../lib/errors.ts";
import { ACR_2FA, type AuthenticationNeed, satisfiesNeed } from "../../protocol/oidc/acr.ts";
import {
  type FormFields,
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
  sessionAnew,
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
import { type ProofChoice, renderNothingToProve, renderSecondFactor } from "../pages/second-factor.tsx";
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

const PATH = "/signin/step-up";

export const stepUpRoutes = (deps: Deps) =>
  new Elysia({ name: "web-step-up" })
    .use(pageScope(deps))
    .get(
      PATH,
      async ({ page }) => {
        const authorization = await pageAuthorization(deps, page, page.query.get("interaction") ?? undefined);
        const session = page.session;
        if (!session) return redirectTo(page, linkTo(page, "/signin", authorization));
        const visit = { session, authorization, to: returnPath(page.query.get("to")) };
        return show(deps, page, visit, page.query.get("method"));
      },
      { response: pageResponses, detail: pageDetail("Page that asks a signed-in person for a proof") },
    )
    .post(
      PATH,
      ({ page, body }) =>
        sent(deps, page, body, async (visit, field) => {
          const method = chosenMethod(await choicesOf(deps, page, visit), field("method"));
          if (!method) return show(deps, page, visit, null);
          const act = prove(deps, page, visit, method, field);
          if (!act) return show(deps, page, visit, method, { problem: "no_passkey" });
          try {
            await act();
          } catch (error) {
            const wrongPassword = method === "password" && error instanceof AppError && error.status === 401;
            const problem = wrongPassword ? "wrong_answer" : proofProblem(error);
            if (!problem) throw error;
            return show(deps, page, visit, method, { problem });
          }
          return goOn(deps, page, visit, method);
        }),
      { ...pageForm, response: pageResponses, detail: formDetail("Prove again who one is, with a form") },
    )
    .post(
      `${PATH}/send`,
      ({ page, body }) =>
        sent(deps, page, body, async (visit, field) => {
          const methods = (await choicesOf(deps, page, visit)).filter(isSent);
          const method = methods.find((one) => one === field("method"));
          if (!method) return show(deps, page, visit, null);
          return show(deps, page, visit, method, await sendCode(deps, page, visit.session.user, method));
        }),
      { ...pageForm, response: pageResponses, detail: formDetail("Have a code sent, to prove who one is") },
    )
    .post(
      `${PATH}/options`,
      async ({ page, body, set }) => {
        Object.assign(set.headers, optionsHeaders);
        const session = page.session;
        readPageForm(deps, page, body, session);
        if (!session) throw unauthorized("You are not signed in any more.");
        return beginAssertion(deps, page.tenant, session.user, session.id);
      },
      {
        ...pageForm,
        response: { 200: RequestOptions, ...optionsErrors },
        detail: optionsDetail("What a passkey is asked for, to prove again who one is"),
      },
    );

interface Visit {
  readonly session: Session;
  readonly authorization: PageAuthorization | undefined;
  /** The page of ours that asked for it. */
  readonly to: string | undefined;
}

/** A page of the account to come back to: nothing else is one. */
export function returnPath(text: string | null): string | undefined {
  return text !== null && /^\/account(?:\/[\w-]+){0,5}$/.test(text) ? text : undefined;
}

/** Where a page sends a person who has to prove again who they are; they come back to it. */
export function stepUpUrl(page: PageRequest, to: string, authorization?: PageAuthorization): string {
  const query = new URLSearchParams({ to, ...(authorization ? { interaction: authorization.sealed } : {}) });
  return `${page.base}${PATH}?${query}`;
}

async function sent(
  deps: Deps,
  page: PageRequest,
  body: unknown,
  act: (visit: Visit, field: FormFields) => Promise<Response>,
): Promise<Response> {
  const session = page.session;
  const field = readPageForm(deps, page, body, session);
  const authorization = await pageAuthorization(deps, page, field("interaction"));
  if (!session) return redirectTo(page, linkTo(page, "/signin", authorization));
  return act({ session, authorization, to: returnPath(field("to")) }, field);
}

/** An account's page needs what changing a factor needs; an application that sends people here, two factors. */
async function needOf(deps: Deps, page: PageRequest, { session, to }: Visit): Promise<AuthenticationNeed> {
  if (to === undefined) return { maxAgeSeconds: FRESH_SECONDS, acr: ACR_2FA };
  return needToChangeFactors(deps, page.tenant, session.user);
}

async function choicesOf(deps: Deps, page: PageRequest, visit: Visit): Promise<ProofChoice[]> {
  const { session } = visit;
  const { acr } = await needOf(deps, page, visit);
  const ways = await waysToStepUp(deps, page.tenant, session.user, session, acr);
  return [...offered(deps, ways.methods), ...(ways.password ? (["password"] as const) : [])];
}

/** @returns undefined when the form brought no proof */
function prove(
  deps: Deps,
  page: PageRequest,
  { session }: Visit,
  method: ProofChoice,
  field: FormFields,
): (() => Promise<unknown>) | undefined {
  const { tenant, context } = page;
  const owner = { user: session.user, sessionId: session.id };
  if (method === "password") {
    const password = field("password").slice(0, 1024);
    return () => stepUpByPassword(deps, tenant, owner, password, context);
  }
  const prover = readProver(method, field, page);
  return prover && (() => stepUpByFactor(deps, tenant, owner, prover(session.id), context));
}

async function goOn(deps: Deps, page: PageRequest, visit: Visit, method: ProofChoice): Promise<Response> {
  const session = await sessionAnew(deps, page);
  if (!session) return redirectTo(page, linkTo(page, "/signin", visit.authorization));
  // A passkey that did not verify its user adds nothing to a sign-in by a passkey.
  if (!satisfiesNeed(session, await needOf(deps, page, visit), deps.clock.now()))
    return show(deps, page, { ...visit, session }, method, { problem: "not_enough" });
  const { to, authorization } = visit;
  if (to === undefined && authorization)
    return redirectTo(page, linkTo(page, authorization.resumePath, authorization));
  return redirectTo(page, linkTo(page, to ?? "/account", authorization));
}

async function show(
  deps: Deps,
  page: PageRequest,
  visit: Visit,
  name: string | null,
  message: ProofMessage = {},
): Promise<Response> {
  const { session, authorization, to } = visit;
  const methods = await choicesOf(deps, page, visit);
  const method = chosenMethod(methods, name);
  if (!method) return showNothing(deps, page, visit);
  const form = (path: string) => formTo(deps, page, path, authorization, session);
  const url = (method: string) => {
    const query = new URLSearchParams({
      method,
      ...(to === undefined ? {} : { to }),
      ...(authorization ? { interaction: authorization.sealed } : {}),
    });
    return `${page.base}${PATH}?${query}`;
  };
  const html = renderSecondFactor(shellOf(page, authorization), {
    kind: "step_up",
    method,
    form: form(PATH),
    hidden: to === undefined ? {} : { to },
    optionsUrl: `${page.base}${PATH}/options`,
    send: form(`${PATH}/send`),
    sent: await sentState(deps, session.user, method),
    others: methods.filter((one) => one !== method).map((one) => ({ method: one, url: url(one) })),
    ...message,
    cancelUrl: linkTo(page, "/account"),
    mailboxUrl: mailboxUrlOf(deps),
  });
  const status = message.problem ? 400 : 200;
  return respondWithPage(deps, page, html, { status, authorization, withScript: true });
}

/** Who has no second factor yet may set one up where an application asks for one. */
function showNothing(deps: Deps, page: PageRequest, { authorization, to }: Visit): Response {
  const { enforcement, methods } = policyOf(page.tenant);
  const mayHelp = to === undefined;
  const url = (path: string) => linkTo(page, path, authorization);
  const enroll = {
    totpUrl:
      methods.includes("totp") && enforcement !== "off" ? url("/account/security/totp/new") : undefined,
    passkeyUrl: methods.includes("webauthn") ? url("/account/security/passkeys/new") : undefined,
  };
  const possible = mayHelp && (enroll.totpUrl ?? enroll.passkeyUrl) !== undefined;
  const again = new URLSearchParams({
    again: "true",
    ...(authorization ? { interaction: authorization.sealed } : {}),
  });
  const html = renderNothingToProve(shellOf(page, authorization), {
    enroll: possible ? enroll : undefined,
    signInUrl: `${page.base}/signin?${again}`,
  });
  return respondWithPage(deps, page, html, { authorization });
}
