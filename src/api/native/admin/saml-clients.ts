/** Applications that sign people in by SAML 2.0, as administrators look after them. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import { identityProviderOf } from "../../../domain/saml-idp/entity.ts";
import { describeByMetadata } from "../../../domain/saml-idp/metadata-import.ts";
import {
  createSamlClient,
  deleteSamlClient,
  describeSamlClient,
  listSamlClients,
  requireSamlClient,
  type SamlClient,
  SamlClientMembers,
  SamlClientRequest,
  updateSamlClient,
} from "../../../domain/saml-idp/service.ts";
import type { Tenant } from "../../../domain/tenants/service.ts";
import { jsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { listOf, listQuery, listResponse, readPage } from "../../../http/pagination.ts";
import { adminScope } from "../../../http/scope.ts";
import { notFound } from "../../../lib/errors.ts";
import { type Id, isId } from "../../../lib/ids.ts";
import { adminErrors, Nothing } from "./models.ts";

const SORTS = ["created_at"] as const;
const PATH = "/api/v1/admin/saml-clients";

const Metadata = t.String({
  minLength: 1,
  maxLength: 262_144,
  description: "The service provider's metadata",
});

const ImportRequest = t.Object({
  ...t.Partial(t.Object(SamlClientMembers)).properties,
  name: SamlClientMembers.name,
  metadata: Metadata,
});

const SamlClientResponse = t.Object(
  {
    ...t.Required(t.Object(SamlClientMembers)).properties,
    id: t.String(),
    identity_provider: t.Object(
      {
        entity_id: t.String({ description: "Also the address of our metadata" }),
        sso_url: t.String(),
        slo_url: t.String(),
        launch_url: t.String({ description: "Begins a sign-in here, where allow_idp_initiated says so" }),
      },
      { description: "What the application has to know of us" },
    ),
    created_at: t.String({ format: "date-time" }),
    updated_at: t.String({ format: "date-time" }),
  },
  { description: "An application that signs people in by SAML" },
);

const written = { 409: ErrorResponse, 422: ErrorResponse, ...adminErrors } as const;

export const adminSamlClientRoutes = (deps: Deps) =>
  new Elysia({ name: "native-admin-saml-clients", detail: { tags: ["SAML clients"], security: bearerAuth } })
    .use(adminScope(deps))
    .get(
      PATH,
      async ({ tenant, query }) => {
        const page = readPage(query, SORTS, "samlClient");
        return listResponse(await listSamlClients(deps, tenant.id, page), page, "samlClient", {
          show: (client) => response(deps, tenant, client),
          keyOf: ({ id, createdAt }) => ({ value: createdAt.toISOString(), id }),
        });
      },
      {
        query: listQuery(SORTS),
        response: { 200: listOf(SamlClientResponse), ...adminErrors },
        detail: { summary: "List SAML clients" },
      },
    )
    .post(
      PATH,
      async ({ tenant, body, by, status }) =>
        status(201, response(deps, tenant, await createSamlClient(deps, tenant.id, body, by))),
      {
        parse: jsonBody,
        body: SamlClientRequest,
        response: { 201: SamlClientResponse, ...written },
        detail: { summary: "Register a SAML client" },
      },
    )
    .post(
      `${PATH}/import`,
      async ({ tenant, body: { metadata, ...said }, by, status }) => {
        const described = describeByMetadata(metadata, said);
        return status(201, response(deps, tenant, await createSamlClient(deps, tenant.id, described, by)));
      },
      {
        parse: jsonBody,
        body: ImportRequest,
        response: { 201: SamlClientResponse, ...written },
        detail: {
          summary: "Register a SAML client by its metadata",
          description: "Members that are given beside the metadata count instead of what it says.",
        },
      },
    )
    .get(
      `${PATH}/:id`,
      async ({ tenant, params }) =>
        response(deps, tenant, await requireSamlClient(deps, tenant.id, clientId(params.id))),
      { response: { 200: SamlClientResponse, ...adminErrors }, detail: { summary: "A SAML client" } },
    )
    .put(
      `${PATH}/:id`,
      async ({ tenant, params, body, by }) =>
        response(deps, tenant, await updateSamlClient(deps, tenant.id, clientId(params.id), body, by)),
      {
        parse: jsonBody,
        body: SamlClientRequest,
        response: { 200: SamlClientResponse, ...written },
        detail: { summary: "Replace a SAML client" },
      },
    )
    .post(
      `${PATH}/:id/import`,
      async ({ tenant, params, body, by }) => {
        const id = clientId(params.id);
        const { name, ...others } = describeSamlClient(await requireSamlClient(deps, tenant.id, id));
        const read = describeByMetadata(body.metadata, { name });
        const described = { ...others, ...read };
        return response(deps, tenant, await updateSamlClient(deps, tenant.id, id, described, by));
      },
      {
        parse: jsonBody,
        body: t.Object({ metadata: Metadata }),
        response: { 200: SamlClientResponse, ...written },
        detail: {
          summary: "Read a SAML client's metadata again",
          description:
            "For an application that changed its certificates or addresses. What metadata does not say stays as it is.",
        },
      },
    )
    .delete(
      `${PATH}/:id`,
      async ({ tenant, params, by, status }) => {
        await deleteSamlClient(deps, tenant.id, clientId(params.id), by);
        return status(204, undefined);
      },
      { response: { 204: Nothing, ...adminErrors }, detail: { summary: "Remove a SAML client" } },
    );

function clientId(id: string): Id<"samlClient"> {
  if (!isId("samlClient", id)) throw notFound();
  return id;
}

function response(deps: Deps, tenant: Tenant, client: SamlClient): typeof SamlClientResponse.static {
  const { entityId, ssoUrl, sloUrl, launchUrl } = identityProviderOf(deps, tenant, client);
  return {
    ...describeSamlClient(client),
    id: client.id,
    identity_provider: {
      entity_id: entityId,
      sso_url: ssoUrl,
      slo_url: sloUrl,
      launch_url: launchUrl,
    },
    created_at: client.createdAt.toISOString(),
    updated_at: client.updatedAt.toISOString(),
  };
}
