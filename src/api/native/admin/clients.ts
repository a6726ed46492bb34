/** Applications, as administrators look after them. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import {
  type Client,
  createClientFrom,
  deleteClient,
  describeClient,
  findClientById,
  listClients,
  type MadeClient,
  rotateSecret,
  updateClient,
} from "../../../domain/clients/service.ts";
import { ClientRequest, ClientResponse, ClientWithSecretResponse } from "../../../http/client-models.ts";
import { jsonBody, optionalJsonBody } from "../../../http/json-body.ts";
import { adminErrors, Nothing, noStore } from "./models.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { listOf, listQuery, listResponse, readPage } from "../../../http/pagination.ts";
import { adminScope } from "../../../http/scope.ts";
import { notFound } from "../../../lib/errors.ts";
import { type Id, isId } from "../../../lib/ids.ts";

const SORTS = ["created_at", "name"] as const;
const THIRTY_DAYS_SECONDS = 30 * 86_400;

const RotateRequest = t.Object({
  overlap: t.Optional(
    t.Integer({
      minimum: 0,
      maximum: THIRTY_DAYS_SECONDS,
      description: "For how many seconds the old secrets still work; 0, the default: they end at once",
    }),
  ),
});

export const adminClientRoutes = (deps: Deps) =>
  new Elysia({ name: "native-admin-clients", detail: { tags: ["Clients"], security: bearerAuth } })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/clients",
      async ({ tenant, query }) => {
        const page = readPage(query, SORTS, "client");
        return listResponse(await listClients(deps, tenant.id, page), page, "client", {
          show: clientResponse,
          keyOf: (client) => ({
            value: page.sort === "name" ? client.name : client.createdAt.toISOString(),
            id: client.id,
          }),
        });
      },
      {
        query: listQuery(SORTS),
        response: { 200: listOf(ClientResponse), ...adminErrors },
        detail: { summary: "List clients", description: "`search` looks at name and client_id." },
      },
    )
    .post(
      "/api/v1/admin/clients",
      async ({ tenant, body, by, status, set }) => {
        Object.assign(set.headers, noStore);
        return status(201, withSecret(await createClientFrom(deps, tenant.id, body, by)));
      },
      {
        parse: jsonBody,
        body: ClientRequest,
        response: { 201: ClientWithSecretResponse, 422: ErrorResponse, ...adminErrors },
        detail: { summary: "Register a client", description: "Its secret is shown this once." },
      },
    )
    .get(
      "/api/v1/admin/clients/:id",
      async ({ tenant, params }) => {
        const client = await findClientById(deps, tenant.id, clientId(params.id));
        if (!client) throw notFound();
        return clientResponse(client);
      },
      {
        response: { 200: ClientResponse, ...adminErrors },
        detail: { summary: "A client" },
      },
    )
    .put(
      "/api/v1/admin/clients/:id",
      async ({ tenant, params, body, by, set }) => {
        Object.assign(set.headers, noStore);
        return withSecret(await updateClient(deps, tenant.id, clientId(params.id), body, by));
      },
      {
        parse: jsonBody,
        body: ClientRequest,
        response: { 200: ClientWithSecretResponse, 409: ErrorResponse, 422: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Replace what is said of a client",
          description:
            "What is left out goes back to its default. A client that is to use a secret and has none gets one, which is shown this once.",
        },
      },
    )
    .delete(
      "/api/v1/admin/clients/:id",
      async ({ tenant, params, by, status }) => {
        await deleteClient(deps, tenant.id, clientId(params.id), by);
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, ...adminErrors },
        detail: {
          summary: "Delete a client",
          description: "With every token and consent that it was given.",
        },
      },
    )
    .post(
      "/api/v1/admin/clients/:id/rotate-secret",
      async ({ tenant, params, body, by, set }) => {
        Object.assign(set.headers, noStore);
        const overlap = body?.overlap ?? 0;
        return withSecret(await rotateSecret(deps, tenant.id, clientId(params.id), overlap, by));
      },
      {
        parse: optionalJsonBody,
        body: t.Optional(RotateRequest),
        response: { 200: ClientWithSecretResponse, 409: ErrorResponse, 422: ErrorResponse, ...adminErrors },
        detail: { summary: "Make a new secret", description: "It is shown this once." },
      },
    );

/** An id that is none is answered like one of nothing. */
function clientId(id: string): Id<"client"> {
  if (!isId("client", id)) throw notFound();
  return id;
}

function withSecret({ client, clientSecret }: MadeClient) {
  return { ...clientResponse(client), client_secret: clientSecret };
}

function clientResponse(client: Omit<Client, "secrets">): typeof ClientResponse.static {
  return {
    ...describeClient(client),
    id: client.id,
    client_id: client.clientId,
    name: client.name,
    scopes: [...client.scopes],
    origin: client.origin,
    created_at: client.createdAt.toISOString(),
    updated_at: client.updatedAt.toISOString(),
  };
}
