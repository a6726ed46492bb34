/** Settings of tenants, and their configuration as one document. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import { ConfigurationRequest, type ImportResult } from "../../../domain/configuration/document.ts";
import { exportConfiguration, importConfiguration } from "../../../domain/configuration/service.ts";
import { changeTenantSettings, findTenantRecord } from "../../../domain/tenants/administration.ts";
import { TenantSettings } from "../../../domain/tenants/settings.ts";
import { jsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { adminScope } from "../../../http/scope.ts";
import { adminErrors, noStore } from "./models.ts";

/** Which settings there are, and what each may be, is told by the answers: wrong ones are named with all the others. */
const SettingsRequest = t.Record(t.String({ maxLength: 100 }), t.Unknown(), {
  description: "Settings by name; what is left out stays as it is",
});

/** With its types left to the schema itself, which the settings are made from. */
const SettingsResponse = t.Unsafe<Record<string, unknown>>(TenantSettings);

const Names = t.Array(t.String());
const Added = t.Object({ created: Names, extended: Names });

const ConfigurationResponse = t.Object(
  {
    version: t.Integer(),
    exported_at: t.String({ format: "date-time" }),
    organization: t.Object({ slug: t.String(), name: t.String(), domains: Names }),
    settings: t.Record(t.String(), t.Unknown()),
    roles: t.Array(t.Object({ name: t.String(), description: t.String(), permissions: Names })),
    groups: t.Array(t.Object({ name: t.String(), roles: Names })),
    clients: t.Array(t.Record(t.String(), t.Unknown()), {
      description: "As `/api/v1/admin/clients` describes them, without secrets",
    }),
    saml_clients: t.Array(t.Record(t.String(), t.Unknown()), {
      description: "As `/api/v1/admin/saml-clients` describes them",
    }),
    connections: t.Array(t.Record(t.String(), t.Unknown()), {
      description: "Those of no organization, as `/api/v1/admin/connections` describes them, without secrets",
    }),
  },
  { description: "A configuration, which can be imported" },
);

const ImportResponse = t.Object({
  dry_run: t.Boolean(),
  settings: t.Array(t.String(), { description: "Names of those that changed" }),
  roles: Added,
  groups: Added,
  clients: t.Object({
    created: t.Array(
      t.Object({
        name: t.String(),
        client_id: t.String(),
        client_secret: t.Optional(t.String({ description: "Shown this once" })),
      }),
    ),
    skipped: t.Array(t.String(), { description: "client_ids of those that are there already" }),
  }),
  saml_clients: t.Object({
    created: t.Array(t.Object({ name: t.String(), entity_id: t.String(), id: t.String() })),
    skipped: t.Array(t.String(), { description: "entity_ids of those that are there already" }),
  }),
  connections: t.Object({
    created: t.Array(t.Object({ id: t.String(), key: t.String(), name: t.String() })),
    skipped: t.Array(t.String(), { description: "Keys of those that are there already" }),
  }),
});

export const adminOrganizationConfigurationRoutes = (deps: Deps) =>
  new Elysia({
    name: "native-admin-organization-configuration",
    detail: { tags: ["Organizations"], security: bearerAuth },
  })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/organizations/:id/settings",
      async ({ params, tenant, by }): Promise<Record<string, unknown>> =>
        (await findTenantRecord(deps, params.id, { ...by, tenantId: tenant.id })).settings,
      {
        response: { 200: SettingsResponse, ...adminErrors },
        detail: { summary: "Settings of an organization" },
      },
    )
    .put(
      "/api/v1/admin/organizations/:id/settings",
      ({ params, body, tenant, by }): Promise<Record<string, unknown>> =>
        changeTenantSettings(deps, params.id, body, { ...by, tenantId: tenant.id }),
      {
        parse: jsonBody,
        body: SettingsRequest,
        response: { 200: SettingsResponse, 422: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Change settings of an organization",
          description: "What is left out stays as it is. All are answered.",
        },
      },
    )
    .get(
      "/api/v1/admin/organizations/:id/export",
      ({ params, tenant, by }): Promise<typeof ConfigurationResponse.static> =>
        exportConfiguration(deps, params.id, { ...by, tenantId: tenant.id }),
      {
        response: { 200: ConfigurationResponse, ...adminErrors },
        detail: {
          summary: "Export the configuration of an organization",
          description: "Settings, roles, groups, clients and connections: no people, no keys and no secrets.",
        },
      },
    )
    .post(
      "/api/v1/admin/organizations/:id/import",
      async ({ params, body, query, tenant, by, set }) => {
        Object.assign(set.headers, noStore);
        const dryRun = query.dry_run ?? false;
        const input = { ...by, tenantId: tenant.id, dryRun };
        return importResponse(await importConfiguration(deps, params.id, body, input), dryRun);
      },
      {
        parse: jsonBody,
        query: t.Object({
          dry_run: t.Optional(
            t.BooleanString({ description: "Tells what would come of it, and does nothing" }),
          ),
        }),
        body: ConfigurationRequest,
        response: { 200: ImportResponse, 409: ErrorResponse, 422: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Import a configuration",
          description:
            "Adds what is missing and takes nothing away; settings are set as the document says. All of it or nothing. Clients that use a secret get a new one; connections are switched off until theirs is said.",
        },
      },
    );

function importResponse(result: ImportResult, dryRun: boolean): typeof ImportResponse.static {
  const created = result.clients.created.map(({ name, clientId, clientSecret }) => ({
    name,
    client_id: clientId,
    ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
  }));
  const { settings, roles, groups, samlClients, connections } = result;
  return {
    dry_run: dryRun,
    settings,
    roles,
    groups,
    clients: { created, skipped: result.clients.skipped },
    saml_clients: {
      created: samlClients.created.map(({ name, entityId, id }) => ({ name, entity_id: entityId, id })),
      skipped: samlClients.skipped,
    },
    connections,
  };
}
