/** Setting up a second factor on the way into an account that has to have one. Nobody is signed in before it is done. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { enrolBrowser } from "../../domain/accounts/complete-sign-in.ts";
import { finishTotpSetup } from "../../domain/mfa/factors.ts";
import {
  decideSecondFactor,
  type EnrollableMethod,
  isEnrollable,
  type PendingLogin,
} from "../../domain/mfa/model.ts";
import type { NewFactor } from "../../domain/mfa/enrolment.ts";
import { policyOf } from "../../domain/mfa/policy.ts";
import { beginTotpSetup, resumeTotpSetup } from "../../domain/mfa/totp/service.ts";
import { beginRegistration, finishRegistration } from "../../domain/passkeys/service.ts";
import { CreationOptions } from "../../http/webauthn-models.ts";
import { AppError, unauthorized } from "../../lib/errors.ts";
import { loginCookieName } from "../cookies.ts";
import {
  afterSignIn,
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
import {
  renderBackupCodes,
  renderChooseFactor,
  renderCreatePasskey,
  renderSetUpTotp,
} from "../pages/enroll.tsx";
import { readRegistration } from "./passkey-answer.ts";
import { signInCookies } from "./sign-in-step.ts";
import { findLogin, startAgain } from "./verify.routes.ts";

const PATH = "/signin/enroll";
const TOTP_PATH = `${PATH}/totp`;
const PASSKEY_PATH = `${PATH}/passkey`;

export const enrollRoutes = (deps: Deps) =>
  new Elysia({ name: "web-enroll" })
    .use(pageScope(deps))
    .get(
      PATH,
      async ({ page }) =>
        opened(deps, page, (login, authorization) => {
          const methods = methodsToEnroll(page, login);
          const url = (method: EnrollableMethod, path: string) =>
            methods.includes(method) ? linkTo(page, path, authorization) : undefined;
          const html = renderChooseFactor(shellOf(page, authorization), {
            totpUrl: url("totp", TOTP_PATH),
            passkeyUrl: url("webauthn", PASSKEY_PATH),
            cancelUrl: linkTo(page, "/signin", authorization),
          });
          return respondWithPage(deps, page, html, { authorization });
        }),
      { response: pageResponses, detail: pageDetail("Page that has a second factor set up to sign in") },
    )
    .get(
      TOTP_PATH,
      ({ page }) =>
        opened(
          deps,
          page,
          (login, authorization) => showTotp(deps, page, login, authorization, false),
          "totp",
        ),
      { response: pageResponses, detail: pageDetail("Page that sets up an authenticator app to sign in") },
    )
    .post(
      TOTP_PATH,
      ({ page, body }) =>
        sent(deps, page, body, "totp", async (login, authorization, field) => {
          const code = field("code").replaceAll(/\s/g, "").slice(0, 16);
          const factorFor = (of: PendingLogin) => finishTotpSetup(deps, of.user, code, undefined);
          return (
            (await enrol(deps, page, authorization, factorFor, "invalid_code")) ??
            showTotp(deps, page, login, authorization, true)
          );
        }),
      { ...pageForm, response: pageResponses, detail: formDetail("Set up an authenticator app to sign in") },
    )
    .get(
      PASSKEY_PATH,
      ({ page }) =>
        opened(
          deps,
          page,
          (_login, authorization) => showPasskey(deps, page, authorization, false),
          "webauthn",
        ),
      { response: pageResponses, detail: pageDetail("Page that creates a passkey to sign in") },
    )
    .post(
      PASSKEY_PATH,
      ({ page, body }) =>
        sent(deps, page, body, "webauthn", async (_login, authorization, field) => {
          const response = readRegistration(field("credential"));
          const name = field("name").trim().slice(0, 128) || undefined;
          const done =
            response &&
            (await enrol(
              deps,
              page,
              authorization,
              ({ user }) => finishRegistration(deps, page.tenant, user, response, name),
              "invalid_credential",
            ));
          return done ?? showPasskey(deps, page, authorization, true);
        }),
      { ...pageForm, response: pageResponses, detail: formDetail("Create a passkey to sign in") },
    )
    .post(
      `${PASSKEY_PATH}/options`,
      async ({ page, body, set }) => {
        Object.assign(set.headers, optionsHeaders);
        readPageForm(deps, page, body);
        const login = await findLogin(deps, page, "enroll");
        if (!login) throw unauthorized("This sign-in has expired. Please start again.");
        return beginRegistration(deps, page.tenant, login.user);
      },
      {
        ...pageForm,
        response: { 200: CreationOptions, 409: optionsErrors[400], ...optionsErrors },
        detail: optionsDetail("What an authenticator is asked for, to create a passkey to sign in"),
      },
    );

/** @returns undefined when the factor was not accepted, as an error of this code says */
async function enrol(
  deps: Deps,
  page: PageRequest,
  authorization: PageAuthorization | undefined,
  factorFor: (login: PendingLogin) => Promise<NewFactor>,
  refusal: string,
): Promise<Response | undefined> {
  try {
    const signIn = await enrolBrowser(deps, page.tenant, {
      token: page.cookies.get(loginCookieName) ?? "",
      factorFor,
      before: page.session,
      context: page.context,
    });
    const cookies = signInCookies(deps, page, signIn);
    const nextUrl = afterSignIn(page, authorization);
    if (signIn.backupCodes.length === 0) return redirectTo(page, nextUrl, cookies);
    const html = renderBackupCodes(shellOf(page, authorization), { codes: signIn.backupCodes, nextUrl });
    const response = respondWithPage(deps, page, html, { authorization, withScript: true });
    for (const cookie of cookies) response.headers.append("set-cookie", cookie);
    return response;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === "invalid_mfa_token") return startAgain(page, authorization);
    if (error.code === refusal) return undefined;
    throw error;
  }
}

type Step = (
  login: PendingLogin,
  authorization: PageAuthorization | undefined,
) => Promise<Response> | Response;

/** @param method what the page sets up, where it is not for choosing */
async function opened(
  deps: Deps,
  page: PageRequest,
  step: Step,
  method?: EnrollableMethod,
): Promise<Response> {
  const authorization = await pageAuthorization(deps, page, page.query.get("interaction") ?? undefined);
  const login = await findLogin(deps, page, "enroll");
  if (!login) return startAgain(page, authorization);
  const allowed = method === undefined || methodsToEnroll(page, login).includes(method);
  return allowed ? step(login, authorization) : redirectTo(page, linkTo(page, PATH, authorization));
}

async function sent(
  deps: Deps,
  page: PageRequest,
  body: unknown,
  method: EnrollableMethod,
  step: (...args: [...Parameters<Step>, FormFields]) => Promise<Response>,
): Promise<Response> {
  const field = readPageForm(deps, page, body);
  const authorization = await pageAuthorization(deps, page, field("interaction"));
  const login = await findLogin(deps, page, "enroll");
  if (!login) return startAgain(page, authorization);
  const allowed = methodsToEnroll(page, login).includes(method);
  return allowed ? step(login, authorization, field) : redirectTo(page, linkTo(page, PATH, authorization));
}

function methodsToEnroll(page: PageRequest, { first }: PendingLogin): readonly EnrollableMethod[] {
  const input = { policy: policyOf(page.tenant), first, available: [], trustedDevice: false };
  const decision = decideSecondFactor(input);
  return decision.kind === "enroll" ? decision.methods.filter(isEnrollable) : [];
}

async function showTotp(
  deps: Deps,
  page: PageRequest,
  login: PendingLogin,
  authorization: PageAuthorization | undefined,
  wrongCode: boolean,
): Promise<Response> {
  const { tenant } = page;
  const setup =
    (await resumeTotpSetup(deps, tenant, login.user, login.id)) ??
    (await beginTotpSetup(deps, tenant, login.user, { name: undefined, begunBy: login.id }));
  const html = renderSetUpTotp(shellOf(page, authorization), {
    ...setup,
    form: formTo(deps, page, TOTP_PATH, authorization),
    wrongCode,
    back: { url: linkTo(page, PATH, authorization), text: "other" },
  });
  return respondWithPage(deps, page, html, { status: wrongCode ? 400 : 200, authorization });
}

function showPasskey(
  deps: Deps,
  page: PageRequest,
  authorization: PageAuthorization | undefined,
  refused: boolean,
): Response {
  const html = renderCreatePasskey(shellOf(page, authorization), {
    form: formTo(deps, page, PASSKEY_PATH, authorization),
    optionsUrl: `${page.base}${PASSKEY_PATH}/options`,
    problem: refused ? "notCreated" : undefined,
    back: { url: linkTo(page, PATH, authorization), text: "other" },
  });
  return respondWithPage(deps, page, html, { status: refused ? 400 : 200, authorization, withScript: true });
}
