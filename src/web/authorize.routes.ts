/**
 * The authorization endpoint and its consent page. It is the one OAuth endpoint that browsers open, so it lives with
 * the pages; its rules are in `protocol/oauth/authorization-request.ts` and `protocol/oidc/authentication-decision.ts`.
 */
import { randomBytes } from "node:crypto";
import { Elysia } from "elysia";
import { AuthorizationParameters, formBody, queryParameters } from "../http/oauth-models.ts";
import type { Deps } from "../deps.ts";
import {
  type AuthorizationOutcome,
  continueAuthorization,
  decideConsent,
} from "../domain/authorization/flow.ts";
import { type Interaction, openInteraction, sealInteraction } from "../domain/authorization/interaction.ts";
import type { Session } from "../domain/sessions/service.ts";
import { publicRoute } from "../http/models.ts";
import { textBody } from "../http/text-body.ts";
import { OAuthError } from "../lib/errors.ts";
import type { AuthorizationResponse } from "../protocol/oauth/authorization-response.ts";
import {
  clientView,
  currentSession,
  formTo,
  interactionExpired,
  linkTo,
  type PageAuthorization,
  pageAuthorization,
  type PageRequest,
  pageScope,
  readPageForm,
  redirectTo,
  respondWithPage,
  shellOf,
} from "./http.ts";
import { formDetail, pageDetail, pageForm, pageResponses } from "./models.ts";
import { renderConsent } from "./pages/consent.tsx";
import { renderFormPost } from "./pages/form-post.tsx";

const detail = {
  tags: ["OAuth"],
  security: publicRoute,
  description:
    "OAuth 2.1 §4.1.1, OpenID Connect Core §3.1.2. Answers with a redirect: to the sign-in or consent page, or to the client.",
};

export const authorizeRoutes = (deps: Deps) =>
  new Elysia({ name: "web-authorize" })
    .use(pageScope(deps))
    .get(
      "/oauth/authorize",
      async ({ page }) => {
        const interaction = readInteraction(deps, page);
        const session = await currentSession(deps, page);
        const { tenant, context } = page;
        const outcome = await continueAuthorization(deps, { tenant, interaction, session, context });
        return respond(deps, page, interaction, outcome);
      },
      {
        response: pageResponses,
        detail: {
          ...detail,
          summary: "Ask for an authorization",
          parameters: queryParameters(AuthorizationParameters),
        },
      },
    )
    .post(
      "/oauth/authorize",
      // The session cookie is SameSite=Lax and does not come with a form from another site, so the browser is sent
      // on to GET, where it does.
      ({ page, body }) => {
        const interaction = sealInteraction(deps, page.tenant, {
          search: bounded(textBody(body)),
          requestedAt: deps.clock.now(),
        });
        return redirectTo(page, `${page.base}/oauth/authorize?${new URLSearchParams({ interaction })}`);
      },
      {
        parse: "text",
        response: pageResponses,
        detail: {
          ...detail,
          summary: "Ask for an authorization with a form",
          requestBody: formBody(AuthorizationParameters),
        },
      },
    )
    .get(
      "/oauth/consent",
      async ({ page }) => {
        const authorization = await requireAuthorization(
          deps,
          page,
          page.query.get("interaction") ?? undefined,
        );
        const session = await currentSession(deps, page);
        if (!session) return redirectTo(page, linkTo(page, "/oauth/authorize", authorization));
        return showConsent(deps, page, authorization, session);
      },
      { response: pageResponses, detail: pageDetail("Consent page") },
    )
    .post(
      "/oauth/consent",
      async ({ page, body }) => {
        const session = await currentSession(deps, page);
        const field = readPageForm(deps, page, body, session);
        const authorization = await requireAuthorization(deps, page, field("interaction"));
        if (!session) return redirectTo(page, linkTo(page, "/oauth/authorize", authorization));
        const { tenant, context } = page;
        const { interaction } = authorization;
        const allowed = field("decision") === "allow";
        const outcome = await decideConsent(deps, { tenant, interaction, session, allowed, context });
        return respond(deps, page, interaction, outcome);
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Allow or deny with the page's form") },
    );

/** A new request begins an interaction; the pages bring one back. */
function readInteraction(deps: Deps, page: PageRequest): Interaction {
  const sealed = page.query.get("interaction");
  if (sealed === null)
    return { search: bounded(new URL(page.request.url).search), requestedAt: deps.clock.now() };
  const interaction = openInteraction(deps, page.tenant, sealed);
  if (!interaction) throw interactionExpired();
  return interaction;
}

/** What the browser has to carry in addresses from here on; longer ones are cut off by servers and proxies. */
const MOST_CHARACTERS = 8000;

function bounded(search: string): string {
  if (search.length <= MOST_CHARACTERS) return search;
  throw new OAuthError("invalid_request", "The authorization request is too long.");
}

async function requireAuthorization(
  deps: Deps,
  page: PageRequest,
  sealed: string | undefined,
): Promise<PageAuthorization> {
  const authorization = await pageAuthorization(deps, page, sealed);
  if (!authorization) throw interactionExpired();
  return authorization;
}

function respond(
  deps: Deps,
  page: PageRequest,
  interaction: Interaction,
  outcome: AuthorizationOutcome,
): Response {
  if (outcome.kind === "respond") return respondToClient(deps, page, outcome.response);
  const { request, client } = outcome;
  const sealed = sealInteraction(deps, page.tenant, interaction);
  const path = { login: "/signin", register: "/signup", consent: "/oauth/consent" }[outcome.page.kind];
  return redirectTo(page, linkTo(page, path, { sealed, interaction, request, client }));
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

function showConsent(
  deps: Deps,
  page: PageRequest,
  authorization: PageAuthorization,
  session: Session,
): Response {
  const { request } = authorization;
  const redirect = new URL(request.redirectUri);
  const html = renderConsent(shellOf(page, authorization), {
    form: formTo(deps, page, "/oauth/consent", authorization, session),
    client: clientView(authorization),
    user: session.user.email ?? session.user.username,
    scopes: request.scope.map((name) => ({ name })),
    redirectHost: redirect.host || redirect.protocol,
    otherAccountUrl: linkTo(page, "/signin", authorization),
  });
  return respondWithPage(deps, page, html, { authorization });
}
