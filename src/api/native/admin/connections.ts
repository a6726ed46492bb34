/** Connections: where users may sign in from. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import {
  createConnection,
  deleteConnection,
  listConnections,
  requireConnection,
  updateConnection,
} from "../../../domain/connections/administration.ts";
import { connectionKinds } from "../../../domain/connections/model.ts";
import { presets } from "../../../domain/connections/presets.ts";
import { probeConnection } from "../../../domain/connections/probe/service.ts";
import { issuerOf, type Tenant } from "../../../domain/tenants/service.ts";
import { jsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { listOf, listResponse, readPage } from "../../../http/pagination.ts";
import { adminScope } from "../../../http/scope.ts";
import { badRequest } from "../../../lib/errors.ts";
import * as models from "./connection-models.ts";
import { adminErrors, Nothing } from "./models.ts";

export const adminConnectionRoutes = (deps: Deps) => {
  const issuerFor = (tenant: Tenant) => issuerOf(tenant, deps.config.publicUrl);
  return new Elysia({
    name: "native-admin-connections",
    detail: { tags: ["Connections"], security: bearerAuth },
  })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/connections",
      async ({ tenant, query }) => {
        const page = readPage(query, models.SORTS, "connection");
        const filter = readFilter(query);
        return listResponse(await listConnections(deps, tenant.id, filter, page), page, "connection", {
          show: (found) => models.connectionResponse(found, issuerFor(tenant)),
          keyOf: ({ connection: { id, createdAt } }) => ({ value: createdAt.toISOString(), id }),
        });
      },
      {
        query: models.ConnectionsQuery,
        response: { 200: listOf(models.ConnectionResponse), ...adminErrors },
        detail: { summary: "List connections" },
      },
    )
    .get(
      "/api/v1/admin/connection-presets",
      () => ({ data: Object.entries(presets).map(models.presetResponse) }),
      {
        response: { 200: t.Object({ data: t.Array(models.PresetResponse) }), ...adminErrors },
        detail: { summary: "What connections can be made from" },
      },
    )
    .post(
      "/api/v1/admin/connections",
      async ({ tenant, body, by, status }) => {
        const { preset, kind, key, organization_id: organizationId } = body;
        const input = { preset, kind, key, organizationId, ...models.changesOf(body) };
        const made = await createConnection(deps, tenant.id, input, by);
        return status(201, models.connectionResponse(made, issuerFor(tenant)));
      },
      {
        parse: jsonBody,
        body: models.NewConnectionRequest,
        response: {
          201: models.ConnectionResponse,
          409: ErrorResponse,
          422: ErrorResponse,
          ...adminErrors,
        },
        detail: {
          summary: "Make a connection",
          description:
            "From a preset, or of a kind. Its redirect_uri or metadata_url is what the other side asks for.",
        },
      },
    )
    .get(
      "/api/v1/admin/connections/:id",
      async ({ tenant, params }) =>
        models.connectionResponse(await requireConnection(deps, tenant.id, params.id), issuerFor(tenant)),
      {
        response: { 200: models.ConnectionResponse, ...adminErrors },
        detail: { summary: "A connection" },
      },
    )
    .patch(
      "/api/v1/admin/connections/:id",
      async ({ tenant, params, body, by }) => {
        const { preset, kind, key, organization_id: organizationId } = body;
        const changes = { preset, kind, key, organizationId, ...models.changesOf(body) };
        const updated = await updateConnection(deps, tenant.id, params.id, changes, by);
        return models.connectionResponse(updated, issuerFor(tenant));
      },
      {
        parse: jsonBody,
        body: models.ConnectionChangesRequest,
        response: {
          200: models.ConnectionResponse,
          409: ErrorResponse,
          422: ErrorResponse,
          ...adminErrors,
        },
        detail: {
          summary: "Change a connection",
          description:
            "What is left out stays. Its kind, preset, key and organization are for good; and while accounts are linked to it, so is what names them (409 `connection_in_use`).",
        },
      },
    )
    .delete(
      "/api/v1/admin/connections/:id",
      async ({ tenant, params, query, by, status }) => {
        await deleteConnection(deps, tenant.id, params.id, { force: query.force === "true" }, by);
        return status(204, undefined);
      },
      {
        query: t.Object({
          force: t.Optional(
            t.String({ enum: ["true", "false"], description: "With the accounts linked to it" }),
          ),
        }),
        response: { 204: Nothing, 409: ErrorResponse, ...adminErrors },
        detail: { summary: "Delete a connection", description: "409 while accounts are linked to it." },
      },
    )
    .post(
      "/api/v1/admin/connections/:id/test",
      async ({ tenant, params }) => {
        const { connection } = await requireConnection(deps, tenant.id, params.id);
        return { findings: await probeConnection(deps, connection, issuerFor(tenant)) };
      },
      {
        response: { 200: models.TestResponse, ...adminErrors },
        detail: {
          summary: "Rehearse a connection",
          description:
            "Asks the other side whatever needs nobody to sign in: its metadata, keys, certificates; for a directory, whether we may search it. Changes nothing.",
        },
      },
    );
};

function readFilter(query: typeof models.ConnectionsQuery.static) {
  const kind = connectionKinds.find((one) => one === query.kind);
  if (query.kind !== undefined && !kind)
    throw badRequest(`kind must be one of ${connectionKinds.join(", ")}.`);
  if (query.enabled !== undefined && !["true", "false"].includes(query.enabled))
    throw badRequest("enabled must be true or false.");
  const enabled = query.enabled === undefined ? undefined : query.enabled === "true";
  return { kind, organizationId: query.organization_id, enabled };
}
