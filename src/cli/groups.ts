import { defineCommand } from "citty";
import { listGroupRoles, setGroupRoles } from "../domain/group-roles/service.ts";
import { systemContext } from "../domain/request-context.ts";
import { fail, valuesOf } from "./support.ts";
import { requireTenant, tenantArgument, withDeps } from "./with-deps.ts";

/** Whoever runs commands on the installation may do all of it. */
const by = { actor: { type: "system" }, context: systemContext, superAdmin: true } as const;

const roles = defineCommand({
  meta: { name: "roles", description: "Shows the roles that a group gives to its members, or replaces them" },
  args: {
    id: { type: "positional", description: "the group's id", required: true },
    set: { type: "string", valueHint: "role...", description: "the roles from now on; may be repeated" },
    none: { type: "boolean", description: "no roles from now on" },
    tenant: tenantArgument,
  },
  run: ({ args, rawArgs }) =>
    withDeps(async (deps) => {
      const { id: tenantId } = await requireTenant(deps, args.tenant);
      const names = valuesOf(rawArgs, "set");
      if (args.none && names.length > 0) return fail("use either --set or --none");
      const given =
        names.length > 0 || args.none
          ? await setGroupRoles(deps, tenantId, args.id, names, by)
          : await listGroupRoles(deps, tenantId, args.id);
      console.log(JSON.stringify({ id: args.id, roles: given }));
    }),
});

export default defineCommand({
  meta: { name: "groups", description: "Groups of users, and the roles that they give" },
  subCommands: { roles },
});
