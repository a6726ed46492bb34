/**
 * The authorization endpoint. It is the one OAuth endpoint that browsers open, so it lives with the pages. Its steps are
 * in `domain/authorization`: `begin.ts` unpacks the request, `flow.ts` goes on with it after each page; their rules are in
 * `protocol/oauth/authorization-request.ts` and `protocol/oidc/authentication-decision.ts`.
 */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { type Begun, beginAuthorization } from "../../domain/authorization/begin.ts";
import { continueAuthorization } from "../../domain/authorization/flow.ts";
import { openInteraction, sealInteraction } from "../../domain/authorization/interaction.ts";
import type { Answered } from "../../domain/authorization/respond.ts";
import { publicRoute } from "../../http/models.ts";
import { AuthorizationParameters, formBody, queryParameters } from "../../http/oauth-models.ts";
import { textBody } from "../../http/text-body.ts";
import { respondToOutcome } from "./authorization-pages.ts";
import { interactionExpired, type PageRequest, pageScope, redirectTo } from "../http.ts";
import { pageResponses } from "../models.ts";

const detail = {
  tags: ["OAuth"],
  security: publicRoute,
  description:
    "OAuth 2.1 §4.1.1, OpenID Connect Core §3.1.2, RFC 9126 §4, RFC 9101 §5. Answers with a redirect: to one of the sign-in's pages, or to the client.",
};

export const authorizeRoutes = (deps: Deps) =>
  new Elysia({ name: "web-authorize" })
    .use(pageScope(deps))
    .get(
      "/oauth/authorize",
      async ({ page }) => {
        // HEAD is answered here too, and must not use up a pushed request, which is answered once.
        if (page.request.method === "HEAD") return new Response(null);
        const begun = await readInteraction(deps, page);
        if (begun.kind === "respond") return respondToOutcome(deps, page, begun);
        const { interaction } = begun;
        const session = page.session;
        const { tenant, context } = page;
        const outcome = await continueAuthorization(deps, { tenant, interaction, session, context });
        return respondToOutcome(deps, page, outcome);
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
      async ({ page, body }) => {
        const begun = await beginAuthorization(deps, page.tenant, textBody(body));
        if (begun.kind === "respond") return respondToOutcome(deps, page, begun);
        const interaction = sealInteraction(deps, page.tenant, begun.interaction);
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
    );

/** A new request begins an interaction; the pages bring one back. */
async function readInteraction(deps: Deps, page: PageRequest): Promise<Begun | Answered> {
  const sealed = page.query.get("interaction");
  if (sealed === null)
    return beginAuthorization(deps, page.tenant, new URL(page.request.url).search.slice(1));
  const interaction = openInteraction(deps, page.tenant, sealed);
  if (!interaction) throw interactionExpired();
  return { kind: "begun", interaction };
}
