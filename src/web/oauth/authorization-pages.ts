/** What the authorization endpoint and its pages share: the request they belong to, and the way on from it. */
import { randomBytes } from "node:crypto";
import type { Deps } from "../../deps.ts";
import type { AuthorizationOutcome, AuthorizationPage } from "../../domain/authorization/flow.ts";
import { sealInteraction } from "../../domain/authorization/interaction.ts";
import type { AuthorizationResponse } from "../../protocol/oauth/authorization-response.ts";
import {
  interactionExpired,
  linkTo,
  type OAuthPageAuthorization,
  type PageRequest,
  redirectTo,
  respondWithPage,
  shellOf,
} from "../http.ts";
import { oauthAuthorization } from "../page-authorization.ts";
import { renderFormPost } from "../pages/form-post.tsx";

/** Where each step that the person has to go through is. */
const PAGES: Record<AuthorizationPage["kind"], string> = {
  login: "/signin",
  register: "/signup",
  select_account: "/oauth/select-account",
  step_up: "/signin/step-up",
  consent: "/oauth/consent",
};

/** @throws AppError when the request is too old, not valid (any more), or there is none */
export async function requireAuthorization(
  deps: Deps,
  page: PageRequest,
  sealed: string | null | undefined,
): Promise<OAuthPageAuthorization> {
  if (!sealed) throw interactionExpired();
  return oauthAuthorization(deps, page, sealed);
}

/** Sends the browser to the step that is next, or with the answer to the client. */
export function respondToOutcome(deps: Deps, page: PageRequest, outcome: AuthorizationOutcome): Response {
  if (outcome.kind === "respond") return respondToClient(deps, page, outcome.response);
  const sealed = sealInteraction(deps, page.tenant, outcome.interaction);
  return redirectTo(page, linkTo(page, PAGES[outcome.page.kind], { sealed }));
}

function respondToClient(deps: Deps, page: PageRequest, response: AuthorizationResponse): Response {
  if (response.kind === "redirect") return redirectTo(page, response.location);
  const nonce = randomBytes(16).toString("base64");
  const html = renderFormPost(shellOf(page), {
    action: response.action,
    parameters: Object.fromEntries(response.fields),
    nonce,
  });
  return respondWithPage(deps, page, html, {
    headers: { formPost: true, scriptNonce: nonce, formActionTargets: [response.action] },
  });
}
