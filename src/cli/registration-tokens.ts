import { defineCommand } from "citty";
import {
  createInitialAccessToken,
  deleteInitialAccessToken,
  INITIAL_ACCESS_TOKEN_LIMITS as LIMITS,
  type InitialAccessToken,
  listInitialAccessTokens,
} from "../domain/client-registration/initial-access-tokens.ts";
import { systemContext } from "../domain/request-context.ts";
import { isId } from "../lib/ids.ts";
import { fail, wholeNumber } from "./support.ts";
import { requireTenant, tenantArgument, withDeps } from "./with-deps.ts";

const by = { actor: { type: "system" }, context: systemContext } as const;

const show = (token: InitialAccessToken) => ({
  id: token.id,
  uses_left: token.usesLeft,
  created_at: token.createdAt.toISOString(),
  expires_at: token.expiresAt.toISOString(),
});

const create = defineCommand({
  meta: { name: "create", description: "Makes an initial access token (RFC 7591), which is shown this once" },
  args: {
    uses: {
      type: "string",
      valueHint: "number",
      description: "how many clients it can register (default: 1)",
    },
    lifetime: { type: "string", valueHint: "seconds", description: "(default: 86400, a day)" },
    tenant: tenantArgument,
  },
  run: ({ args }) =>
    withDeps(async (deps) => {
      const tenant = await requireTenant(deps, args.tenant);
      const uses = wholeNumber(args.uses ?? `${LIMITS.uses.default}`, "uses", LIMITS.uses);
      const lifetimeSeconds = wholeNumber(
        args.lifetime ?? `${LIMITS.lifetimeSeconds.default}`,
        "lifetime",
        LIMITS.lifetimeSeconds,
      );
      const { token, ...made } = await createInitialAccessToken(
        deps,
        tenant.id,
        { uses, lifetimeSeconds },
        by,
      );
      console.log(JSON.stringify({ ...show(made), token }));
    }),
});

const list = defineCommand({
  meta: { name: "list", description: "Lists initial access tokens as JSON, one a line, the newest 100" },
  args: { tenant: tenantArgument },
  run: ({ args }) =>
    withDeps(async (deps) => {
      const tenant = await requireTenant(deps, args.tenant);
      const { items } = await listInitialAccessTokens(deps, tenant.id, {
        limit: 100,
        sort: "created_at",
        order: "desc",
        search: undefined,
        after: undefined,
      });
      for (const token of items) console.log(JSON.stringify(show(token)));
    }),
});

const remove = defineCommand({
  meta: { name: "delete", description: "Ends an initial access token" },
  args: {
    id: { type: "positional", description: "as list shows it", required: true },
    tenant: tenantArgument,
  },
  run: ({ args }) =>
    withDeps(async (deps) => {
      const tenant = await requireTenant(deps, args.tenant);
      if (!isId("initialAccessToken", args.id)) return fail("this is no id of an initial access token");
      await deleteInitialAccessToken(deps, tenant.id, args.id, by);
      console.log(JSON.stringify({ deleted: args.id }));
    }),
});

export default defineCommand({
  meta: { name: "registration-tokens", description: "Lets somebody register clients of their own" },
  subCommands: { create, list, delete: remove },
});
