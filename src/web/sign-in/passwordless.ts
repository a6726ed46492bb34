/** What the pages for sign-in codes and for sign-in links share. */
import type { Deps } from "../../deps.ts";
import { continueBrowser } from "../../domain/accounts/complete-sign-in.ts";
import { normalizePhone } from "../../domain/phones/service.ts";
import {
  type IssuedProof,
  PROOF_SECONDS,
  type ProvenSignIn,
  requestSignInProof,
} from "../../domain/proofs/service.ts";
import { isEmailAddress } from "../../domain/users/service.ts";
import { expireCookie, proofCookieName, serializeCookie } from "../cookies.ts";
import {
  deviceTokenOf,
  type FormFields,
  formTo,
  linkTo,
  type PageAuthorization,
  pageAuthorization,
  type PageRequest,
  respondWithPage,
  shellOf,
} from "../http.ts";
import { translator } from "../messages/translator.ts";
import { type ProofMethod, renderAskProof } from "../pages/passwordless.tsx";
import { afterFirstFactor } from "./sign-in-step.ts";

/** The paths at which a code and a link are asked for. */
export const askPath = (method: ProofMethod) =>
  method === "magic_link" ? "/signin/magic-link" : "/signin/code";

export function showAsk(
  deps: Deps,
  page: PageRequest,
  props: {
    method: ProofMethod;
    authorization: PageAuthorization | undefined;
    identifier?: string | undefined;
    error?: string;
  },
): Response {
  const { method, authorization, identifier, error } = props;
  const html = renderAskProof(shellOf(page, authorization), {
    method,
    form: formTo(deps, page, askPath(method), authorization),
    identifier,
    error,
    signInUrl: linkTo(page, "/signin", authorization),
  });
  return respondWithPage(deps, page, html, { status: error ? 400 : 200, authorization });
}

/** Sends what the form asks for, whoever asks; `then` answers. */
export async function askForProof(
  deps: Deps,
  page: PageRequest,
  method: ProofMethod,
  field: FormFields,
  then: (asked: {
    authorization: PageAuthorization | undefined;
    identifier: string;
    proof: IssuedProof;
  }) => Response,
): Promise<Response> {
  const authorization = await pageAuthorization(deps, page, field("interaction"));
  const identifier = field("identifier").trim();
  const t = translator(shellOf(page, authorization).locale);
  const isPhone = method === "sms_code";
  if (isPhone ? !(await normalizePhone(identifier)) : !isEmailAddress(identifier)) {
    const error = isPhone ? t.passwordless.phoneHint : t.fieldProblems.email;
    return showAsk(deps, page, { method, authorization, identifier: identifier.slice(0, 254), error });
  }
  const proof = await requestSignInProof(deps, page.tenant, method, identifier, page.context);
  const response = then({ authorization, identifier, proof });
  const cookie = serializeCookie(proofCookieName, proof.token, { maxAgeSeconds: PROOF_SECONDS });
  response.headers.append("set-cookie", cookie);
  return response;
}

/** Signs in whoever proved who they are, and lets go of what they proved it with. */
export async function signInWithProof(
  deps: Deps,
  page: PageRequest,
  proven: ProvenSignIn,
  authorization: PageAuthorization | undefined,
  options: { rememberMe: boolean; cookies?: readonly string[] },
): Promise<Response> {
  const before = page.session;
  const { rememberMe, cookies = [] } = options;
  const step = await continueBrowser(deps, page.tenant, proven, {
    rememberMe,
    deviceToken: deviceTokenOf(page),
    before,
    context: page.context,
  });
  return afterFirstFactor(deps, page, step, authorization, [expireCookie(proofCookieName), ...cookies]);
}

export const mailboxUrlOf = (deps: Deps) =>
  deps.config.mail.driver === "mailbox" ? "/dev/mailbox" : undefined;
