import { defineCommand } from "citty";
import type { Deps } from "../deps.ts";
import { requireOrganization } from "../domain/organizations/service.ts";
import { systemContext } from "../domain/request-context.ts";
import {
  createScimToken,
  listScimTokens,
  revokeScimToken,
  type ScimToken,
  type TokenOwner,
} from "../domain/scim-tokens/service.ts";
import { addSeconds } from "../lib/clock.ts";
import { wholeNumber } from "./support.ts";
import { requireTenant, tenantArgument, withDeps } from "./with-deps.ts";

const by = { actor: { type: "system" }, context: systemContext } as const;
const DAY_SECONDS = 86_400;

const owner = {
  tenant: tenantArgument,
  organization: {
    type: "string",
    valueHint: "id",
    description: "an organization's id (default: the tenant as a whole)",
  },
} as const;

async function ownerOf(
  deps: Deps,
  args: { tenant?: string | undefined; organization?: string | undefined },
): Promise<TokenOwner> {
  const { id: tenantId } = await requireTenant(deps, args.tenant);
  if (args.organization === undefined) return { tenantId, organizationId: null };
  return { tenantId, organizationId: (await requireOrganization(deps, tenantId, args.organization)).id };
}

const show = (token: ScimToken) => ({
  id: token.id,
  name: token.name,
  organization_id: token.organizationId,
  created_at: token.createdAt.toISOString(),
  expires_at: token.expiresAt?.toISOString() ?? null,
  last_used_at: token.lastUsedAt?.toISOString() ?? null,
  revoked_at: token.revokedAt?.toISOString() ?? null,
});

const create = defineCommand({
  meta: {
    name: "create",
    description: "Issues the token of a provisioning client, which is shown this once",
  },
  args: {
    name: { type: "string", required: true, description: "what it is for" },
    "expires-in": { type: "string", valueHint: "days", description: "(default: never)" },
    ...owner,
  },
  run: ({ args }) =>
    withDeps(async (deps) => {
      const days = args["expires-in"];
      const bounds = { minimum: 1, maximum: 3650 };
      const expiresAt =
        days === undefined
          ? null
          : addSeconds(deps.clock.now(), wholeNumber(days, "expires-in", bounds) * DAY_SECONDS);
      const made = await createScimToken(deps, await ownerOf(deps, args), { name: args.name, expiresAt }, by);
      console.log(JSON.stringify({ ...show(made.record), token: made.token }));
    }),
});

const list = defineCommand({
  meta: { name: "list", description: "Lists SCIM tokens as JSON, one a line, revoked ones too" },
  args: owner,
  run: ({ args }) =>
    withDeps(async (deps) => {
      for (const token of await listScimTokens(deps, await ownerOf(deps, args)))
        console.log(JSON.stringify(show(token)));
    }),
});

const revoke = defineCommand({
  meta: { name: "revoke", description: "Revokes a SCIM token" },
  args: { id: { type: "positional", description: "as list shows it", required: true }, ...owner },
  run: ({ args }) =>
    withDeps(async (deps) => {
      const revoked = await revokeScimToken(deps, await ownerOf(deps, args), args.id, by);
      console.log(JSON.stringify(show(revoked)));
    }),
});

export default defineCommand({
  meta: { name: "scim-tokens", description: "Lets directories provision users and groups" },
  subCommands: { create, list, revoke },
});
