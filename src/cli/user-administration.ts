/** What administrators do to users, for whoever runs commands on the installation: they may do all of it. */
import { defineCommand } from "citty";
import type { Deps } from "../deps.ts";
import { systemContext } from "../domain/request-context.ts";
import type { Tenant } from "../domain/tenants/service.ts";
import { endSessionsOf, resetPassword } from "../domain/user-administration/access.ts";
import {
  type AdministeredUser,
  deleteUser,
  findUser,
  listUsers,
  updateUser,
  type UserSort,
} from "../domain/user-administration/service.ts";
import { findUserByIdentifier } from "../domain/users/service.ts";
import { isId } from "../lib/ids.ts";
import type { PageRequest } from "../lib/page.ts";
import { fail, valuesOf } from "./support.ts";
import { requireTenant, tenantArgument, withDeps } from "./with-deps.ts";

const by = { actor: { type: "system" }, context: systemContext, superAdmin: true } as const;

const userArgument = {
  type: "positional",
  valueHint: "user",
  description: "the id, email address or username",
  required: true,
} as const;

const show = (user: AdministeredUser) => ({
  id: user.id,
  username: user.username,
  email: user.email,
  email_verified: user.emailVerified,
  given_name: user.givenName,
  family_name: user.familyName,
  enabled: user.enabled,
  roles: user.roles,
  created_at: user.createdAt.toISOString(),
  last_login_at: user.lastLoginAt?.toISOString() ?? null,
});

/** Runs on a user of a tenant, and prints what comes of it as JSON. */
function onUser(
  args: { readonly user: string; readonly tenant?: string | undefined },
  work: (deps: Deps, tenant: Tenant, user: AdministeredUser) => Promise<unknown>,
): Promise<void> {
  return withDeps(async (deps) => {
    const tenant = await requireTenant(deps, args.tenant);
    const id = isId("user", args.user)
      ? args.user
      : (await findUserByIdentifier(deps, tenant.id, args.user))?.id;
    if (!id) fail(`there is no user "${args.user}"`);
    console.log(JSON.stringify(await work(deps, tenant, await findUser(deps, tenant.id, id))));
  });
}

export const list = defineCommand({
  meta: { name: "list", description: "Lists users as JSON, one a line, the newest first" },
  args: {
    search: { type: "string", description: "part of a username, email address or name" },
    role: { type: "string", description: "the name of a role that they have" },
    tenant: tenantArgument,
  },
  run: ({ args: { search, role, tenant } }) =>
    withDeps(async (deps) => {
      const { id: tenantId } = await requireTenant(deps, tenant);
      let page: PageRequest<UserSort> = {
        limit: 100,
        sort: "created_at",
        order: "desc",
        search,
        after: undefined,
      };
      for (;;) {
        const { items, hasMore } = await listUsers(deps, tenantId, { role }, page);
        for (const user of items) console.log(JSON.stringify(show(user)));
        const last = items.at(-1);
        if (!last || !hasMore) return;
        page = { ...page, after: { value: last.createdAt.toISOString(), id: last.id } };
      }
    }),
});

export const showOne = defineCommand({
  meta: { name: "show", description: "Shows a user as JSON" },
  args: { user: userArgument, tenant: tenantArgument },
  run: ({ args }) => onUser(args, async (_deps, _tenant, user) => show(user)),
});

const setEnabled = (name: "enable" | "disable", description: string) =>
  defineCommand({
    meta: { name, description },
    args: { user: userArgument, tenant: tenantArgument },
    run: ({ args }) =>
      onUser(args, async (deps, tenant, { id }) =>
        show(await updateUser(deps, tenant, id, { enabled: name === "enable" }, by)),
      ),
  });

export const enable = setEnabled("enable", "Lets a user sign in again");
export const disable = setEnabled("disable", "Lets a user sign in no more, and signs them out everywhere");

export const roles = defineCommand({
  meta: { name: "roles", description: "Replaces the roles that a user has without any group" },
  args: {
    user: userArgument,
    set: { type: "string", valueHint: "role...", description: "a role from now on; may be repeated" },
    none: { type: "boolean", description: "no roles from now on" },
    tenant: tenantArgument,
  },
  run: ({ args, rawArgs }) =>
    onUser(args, async (deps, tenant, { id }) => {
      const names = valuesOf(rawArgs, "set");
      if (Boolean(args.none) === names.length > 0) return fail("use either --set or --none");
      return show(await updateUser(deps, tenant, id, { roles: names }, by));
    }),
});

export const passwordReset = defineCommand({
  meta: {
    name: "reset-password",
    description: "Mails a user a link to choose a new password, and signs them out everywhere",
  },
  args: { user: userArgument, tenant: tenantArgument },
  run: ({ args }) =>
    onUser(args, async (deps, tenant, { id }) => {
      await resetPassword(deps, tenant, id, undefined, by);
      return { mailed: id };
    }),
});

export const signOut = defineCommand({
  meta: { name: "sign-out", description: "Signs a user out everywhere" },
  args: { user: userArgument, tenant: tenantArgument },
  run: ({ args }) =>
    onUser(args, async (deps, tenant, { id }) => {
      await endSessionsOf(deps, tenant.id, id, by);
      return { signed_out: id };
    }),
});

export const remove = defineCommand({
  meta: { name: "delete", description: "Removes a user, with all that belongs to them" },
  args: { user: userArgument, tenant: tenantArgument },
  run: ({ args }) =>
    onUser(args, async (deps, tenant, { id }) => {
      await deleteUser(deps, tenant.id, id, by);
      return { deleted: id };
    }),
});
