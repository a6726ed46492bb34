import { defineCommand } from "citty";
import { createOrganization, listOrganizations, type Organization } from "../domain/organizations/service.ts";
import { systemContext } from "../domain/request-context.ts";
import { requireTenant, tenantArgument, withDeps } from "./with-deps.ts";

const by = { actor: { type: "system" }, context: systemContext } as const;

const show = ({ id, slug, name, createdAt }: Organization) => ({
  id,
  slug,
  name,
  created_at: createdAt.toISOString(),
});

const create = defineCommand({
  meta: { name: "create", description: "Makes an organization: a customer company inside a tenant" },
  args: {
    slug: { type: "string", required: true, description: "short name for addresses" },
    name: { type: "string", required: true, description: "name for people to read" },
    tenant: tenantArgument,
  },
  run: ({ args: { slug, name, tenant } }) =>
    withDeps(async (deps) => {
      const { id: tenantId } = await requireTenant(deps, tenant);
      console.log(JSON.stringify(show(await createOrganization(deps, tenantId, { slug, name }, by))));
    }),
});

const list = defineCommand({
  meta: { name: "list", description: "Lists a tenant's organizations as JSON, one a line, the first 1000" },
  args: { tenant: tenantArgument },
  run: ({ args }) =>
    withDeps(async (deps) => {
      const tenant = await requireTenant(deps, args.tenant);
      for (const organization of await listOrganizations(deps, tenant.id))
        console.log(JSON.stringify(show(organization)));
    }),
});

export default defineCommand({
  meta: { name: "organizations", description: "Customer companies inside a tenant" },
  subCommands: { create, list },
});
