/** The page on which people decide what an application may do in their name (OpenID Connect Core §3.1.2.4). */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { decideConsent } from "../../domain/authorization/flow.ts";
import { clientIdentity } from "../../protocol/oauth/client-identity.ts";
import { consentScope } from "../../protocol/oidc/requested-claims.ts";
import type { Session } from "../../domain/sessions/service.ts";
import { issuerOf } from "../../domain/tenants/service.ts";
import { requireAuthorization, respondToOutcome } from "./authorization-pages.ts";
import {
  clientView,
  formTo,
  linkTo,
  type OAuthPageAuthorization,
  type PageRequest,
  pageScope,
  readPageForm,
  redirectTo,
  respondWithPage,
  shellOf,
} from "../http.ts";
import { formDetail, pageDetail, pageForm, pageResponses } from "../models.ts";
import { renderConsent } from "../pages/consent.tsx";

export const consentRoutes = (deps: Deps) =>
  new Elysia({ name: "web-consent" })
    .use(pageScope(deps))
    .get(
      "/oauth/consent",
      async ({ page }) => {
        const authorization = await requireAuthorization(deps, page, page.query.get("interaction"));
        const session = page.session;
        if (!session) return redirectTo(page, linkTo(page, "/oauth/authorize", authorization));
        return showConsent(deps, page, authorization, session);
      },
      { response: pageResponses, detail: pageDetail("Consent page") },
    )
    .post(
      "/oauth/consent",
      async ({ page, body }) => {
        const session = page.session;
        const field = readPageForm(deps, page, body, session);
        const authorization = await requireAuthorization(deps, page, field("interaction"));
        if (!session) return redirectTo(page, linkTo(page, "/oauth/authorize", authorization));
        const { tenant, context } = page;
        const { interaction } = authorization;
        const allowed = field("decision") === "allow";
        const outcome = await decideConsent(deps, { tenant, interaction, session, context }, allowed);
        return respondToOutcome(deps, page, outcome);
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Allow or deny with the page's form") },
    );

function showConsent(
  deps: Deps,
  page: PageRequest,
  authorization: OAuthPageAuthorization,
  session: Session,
): Response {
  const { request, client } = authorization;
  const issuer = issuerOf(page.tenant, deps.config.publicUrl);
  const html = renderConsent(shellOf(page, authorization), {
    form: formTo(deps, page, "/oauth/consent", authorization, session),
    client: clientView(authorization),
    identity: clientIdentity(client, request.redirectUri),
    user: session.user.email ?? session.user.username,
    scopes: consentScope(request).map((name) => ({ name })),
    // Whoever signs in here need not be told that it is here.
    resources: request.resources.filter((resource) => resource !== issuer),
    otherAccountUrl: linkTo(page, "/signin", authorization),
  });
  return respondWithPage(deps, page, html, { authorization });
}
