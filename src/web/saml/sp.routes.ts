/**
 * Our side of sign-in at SAML identity providers (SAML Profiles §4.1). Browsers open these, so they live with the pages; the
 * steps are in `domain/saml-sp`, and every rule about messages in `protocol/saml`.
 */
import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import { requireSamlConnection } from "../../domain/saml-sp/identity-provider.ts";
import { ErrorResponse, publicRoute } from "../../http/models.ts";
import { answerFederationProblem } from "../federation/after.ts";
import { properPlace } from "../federation/departure.ts";
import { type PageRequest, pageScope, redirectTo } from "../http.ts";
import { pageResponses } from "../models.ts";
import { pageAuthorization } from "../page-authorization.ts";
import { continueResponse, takeResponse } from "./sp-arrival.ts";
import { departBySaml } from "./sp-departure.ts";

const detail = { tags: ["SAML"], security: publicRoute };
const Connection = t.Object({
  id: t.String({ maxLength: 64, description: "The connection's id, or its key" }),
});
const responses = { ...pageResponses, 409: ErrorResponse, 502: ErrorResponse } as const;

export const samlSpRoutes = (deps: Deps) =>
  new Elysia({ name: "web-saml-sp" })
    .use(pageScope(deps))
    .get("/saml/:id/login", async ({ page, params }) => begin(deps, page, params.id), {
      params: Connection,
      response: responses,
      detail: {
        ...detail,
        summary: "Sign in at a SAML identity provider",
        description: "Sends the browser there with an AuthnRequest (SAML Core §3.4.1).",
      },
    })
    .post("/saml/:id/acs", async ({ page, params, body }) => takeResponse(deps, page, params.id, body), {
      parse: "text",
      params: Connection,
      response: responses,
      detail: {
        ...detail,
        summary: "Assertion consumer service",
        description: "Takes the identity provider's Response by the HTTP-POST binding (SAML Bindings §3.5).",
        requestBody: {
          required: true,
          content: { "application/x-www-form-urlencoded": { schema: { type: "object" as const } } },
        },
      },
    })
    .get(
      "/saml/:id/acs",
      // HEAD is answered here too, and must not use anything up (RFC 9110 §9.2.1).
      async ({ page, params }) =>
        page.request.method === "HEAD" ? new Response(null) : continueResponse(deps, page, params.id),
      {
        params: Connection,
        response: responses,
        detail: {
          ...detail,
          summary: "Go on after the assertion consumer service",
          description: "Where the posted Response sends the browser on to, so that its cookies come along.",
        },
      },
    );

async function begin(deps: Deps, page: PageRequest, id: string): Promise<Response> {
  if (page.request.method === "HEAD") return new Response(null);
  const elsewhere = properPlace(deps, page);
  if (elsewhere !== undefined) return redirectTo(page, elsewhere);
  const authorization = await pageAuthorization(deps, page, page.query.get("interaction") ?? undefined);
  try {
    const connection = await requireSamlConnection(deps, page.tenant, id);
    return await departBySaml(deps, page, connection, { purpose: "sign_in", authorization });
  } catch (error) {
    return answerFederationProblem(deps, page, error, { authorization });
  }
}
