/**
 * Paths that we have in both roles: as the identity provider of an application (`saml_…`), and as a service provider of a
 * connection. What the id names says which of them is meant.
 */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { isId } from "../../lib/ids.ts";
import { publicRoute } from "../../http/models.ts";
import { type PageRequest, pageScope } from "../http.ts";
import { pageResponses } from "../models.ts";
import { answerIdpLogout } from "./idp-logout.ts";
import { answerIdpMetadata } from "./idp-metadata.ts";
import { answerSpLogout } from "./sp-logout.ts";
import { answerSpMetadata } from "./sp-metadata.ts";

const detail = { tags: ["SAML"], security: publicRoute };
const logoutDescription =
  "SAML Profiles §4.4: a signed LogoutRequest, or the answer to one of ours. Answers with what the browser takes to the next application, or back.";

export const samlSharedRoutes = (deps: Deps) =>
  new Elysia({ name: "web-saml-shared" })
    .use(pageScope(deps))
    .get("/saml/:id/metadata", async ({ page, params }) => metadata(deps, page, params.id), {
      response: pageResponses,
      detail: { ...detail, summary: "SAML metadata", description: "SAML Metadata §4.1.1" },
    })
    .get("/saml/:id/slo", async ({ page, params }) => logout(deps, page, params.id), {
      response: pageResponses,
      detail: { ...detail, summary: "Sign out by SAML", description: logoutDescription },
    })
    .post("/saml/:id/slo", async ({ page, params, body }) => logout(deps, page, params.id, { body }), {
      parse: "text",
      response: pageResponses,
      detail: {
        ...detail,
        summary: "Sign out by SAML, with a form",
        description: logoutDescription,
        requestBody: {
          required: true,
          content: { "application/x-www-form-urlencoded": { schema: { type: "object" as const } } },
        },
      },
    });

const metadata = (deps: Deps, page: PageRequest, id: string): Promise<Response> =>
  isId("samlClient", id) ? answerIdpMetadata(deps, page, id) : answerSpMetadata(deps, page, id);

const logout = (
  deps: Deps,
  page: PageRequest,
  id: string,
  form: { body?: unknown } = {},
): Promise<Response> =>
  isId("samlClient", id) ? answerIdpLogout(deps, page, id, form) : answerSpLogout(deps, page, id, form);
