/**
 * The single sign-on service of the SAML identity provider, and the start of a sign-in here (SAML Profiles §4.1). Browsers open
 * them, so they live with the pages. Their steps are in `domain/saml-idp`: `begin.ts` checks the request, `flow.ts` goes on
 * with it after each page; their rules are in `protocol/saml/idp`.
 */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { beginByPost, beginByRedirect, beginLaunch, type BegunSaml } from "../../domain/saml-idp/begin.ts";
import { continueSaml, refuse } from "../../domain/saml-idp/flow.ts";
import {
  readSamlInteraction,
  type SamlInteraction,
  sealSamlInteraction,
} from "../../domain/saml-idp/interaction.ts";
import type { SamlClient } from "../../domain/saml-idp/service.ts";
import { publicRoute } from "../../http/models.ts";
import { textBody } from "../../http/text-body.ts";
import { forbidden } from "../../lib/errors.ts";
import { interactionExpired, type PageRequest, pageScope, redirectTo } from "../http.ts";
import { pageResponses } from "../models.ts";
import { requireClient, respondToSaml, takingMessage } from "./idp-answers.ts";

const detail = { tags: ["SAML"], security: publicRoute };

export const samlIdpRoutes = (deps: Deps) =>
  new Elysia({ name: "web-saml-idp" })
    .use(pageScope(deps))
    .get(
      "/saml/:id/sso",
      async ({ page, params }) => {
        const client = await requireClient(deps, page, params.id);
        // HEAD is answered here too, and must not use up a request, which is answered once.
        if (page.request.method === "HEAD") return new Response(null);
        return takingMessage(deps, page, client, async () => {
          const { interaction, refusal } = await readInteraction(deps, page, client);
          if (refusal)
            return respondToSaml(deps, page, await refuse(deps, { ...page, client, interaction }, refusal));
          return goOn(deps, page, client, interaction);
        });
      },
      {
        response: pageResponses,
        detail: {
          ...detail,
          summary: "Ask for a sign-in by SAML",
          description:
            "SAML Bindings §3.4: an AuthnRequest in the address. Answers with a redirect to one of the sign-in's pages, or with a form that posts the response to the application.",
        },
      },
    )
    .post(
      "/saml/:id/sso",
      // The session cookie is SameSite=Lax and does not come with a form from another site, so the browser is sent
      // on to GET, where it does.
      async ({ page, params, body }) => {
        const client = await requireClient(deps, page, params.id);
        return takingMessage(deps, page, client, async () => {
          const begun = beginByPost(deps, page.tenant, client, new URLSearchParams(textBody(body)));
          const { interaction, refusal } = begun;
          if (refusal)
            return respondToSaml(deps, page, await refuse(deps, { ...page, client, interaction }, refusal));
          return resumeLater(deps, page, client, interaction);
        });
      },
      {
        parse: "text",
        response: pageResponses,
        detail: {
          ...detail,
          summary: "Ask for a sign-in by SAML, with a form",
          description: "SAML Bindings §3.5: an AuthnRequest in a form.",
          requestBody: {
            required: true,
            content: { "application/x-www-form-urlencoded": { schema: { type: "object" as const } } },
          },
        },
      },
    )
    .get(
      "/saml/:id/launch",
      async ({ page, params }) => {
        const client = await requireClient(deps, page, params.id);
        if (!client.allowIdpInitiated)
          throw forbidden(`A sign-in to ${client.name} begins there. Please open the application itself.`);
        if (page.request.method === "HEAD") return new Response(null);
        return goOn(deps, page, client, beginLaunch(deps, client));
      },
      {
        response: pageResponses,
        detail: {
          ...detail,
          summary: "Sign in to an application by SAML",
          description:
            "SAML Profiles §4.1.5: a response that the application did not ask for, where it allows that.",
        },
      },
    );

/** A new request begins an interaction; the pages bring one back. */
async function readInteraction(deps: Deps, page: PageRequest, client: SamlClient): Promise<BegunSaml> {
  const sealed = page.query.get("interaction");
  if (sealed === null)
    return beginByRedirect(deps, page.tenant, client, new URL(page.request.url).search.slice(1));
  const found = await readSamlInteraction(deps, page.tenant, sealed);
  if (found?.client.id !== client.id) throw interactionExpired();
  return { interaction: found.interaction, refusal: undefined };
}

async function goOn(
  deps: Deps,
  page: PageRequest,
  client: SamlClient,
  interaction: SamlInteraction,
): Promise<Response> {
  const session = page.session;
  const { tenant, context } = page;
  const outcome = await continueSaml(deps, { tenant, client, interaction, session, context });
  return respondToSaml(deps, page, outcome);
}

function resumeLater(
  deps: Deps,
  page: PageRequest,
  client: SamlClient,
  interaction: SamlInteraction,
): Response {
  const sealed = sealSamlInteraction(deps, page.tenant, interaction);
  return redirectTo(
    page,
    `${page.base}/saml/${client.id}/sso?${new URLSearchParams({ interaction: sealed })}`,
  );
}
