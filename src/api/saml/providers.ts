import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import { listSignInConnections } from "../../domain/connections/service.ts";
import { serviceProviderOf } from "../../domain/saml-sp/entity.ts";
import { findTenantBySlug, type Tenant } from "../../domain/tenants/service.ts";
import { commonErrors, publicRoute } from "../../http/models.ts";
import { requestScope } from "../../http/scope.ts";
import { notFound } from "../../lib/errors.ts";

const Providers = t.Array(
  t.Object({
    id: t.String({ description: "The connection's id" }),
    name: t.String(),
    login_url: t.String({ description: "Where a sign-in through it begins" }),
  }),
);

/** The SAML identity providers that anybody may sign in through: no more of them than a sign-in page shows. */
export const samlProviderRoutes = (deps: Deps) =>
  new Elysia({ name: "saml-providers", detail: { tags: ["SAML"], security: publicRoute } })
    .use(requestScope(deps))
    .get(
      "/saml/providers",
      async ({ tenant: addressed, query }) => listProviders(deps, addressed, query.org),
      {
        query: t.Object({
          org: t.Optional(t.String({ maxLength: 64, description: "Another tenant's slug" })),
        }),
        response: { 200: Providers, ...commonErrors },
        detail: { summary: "SAML identity providers" },
      },
    );

/** @throws AppError 404 for a slug that no tenant has */
async function listProviders(deps: Deps, addressed: Tenant, slug: string | undefined) {
  const tenant = slug === undefined ? addressed : await findTenantBySlug(deps, slug);
  if (!tenant) throw notFound();
  const connections = await listSignInConnections(deps, tenant);
  return connections.flatMap((connection) =>
    connection.kind === "saml"
      ? [
          {
            id: connection.id,
            name: connection.name,
            login_url: serviceProviderOf(deps, tenant, connection).loginUrl,
          },
        ]
      : [],
  );
}
