/** Roles that groups give to their members. Set here by administrators; a directory says who is in a group, never what it gives. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { notFound } from "../../lib/errors.ts";
import { type Id, isId } from "../../lib/ids.ts";
import { type Administrator, keepingAdministrators, requireMayAssign } from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import { type NamedRole, requireRoles } from "../roles/service.ts";
import * as repo from "./repo.ts";

export { givesRole, holdsRole } from "../administrators/service.ts";

/** @throws AppError 404 */
export async function listGroupRoles(deps: Deps, tenantId: Id<"tenant">, groupId: string): Promise<string[]> {
  return deps.db.transaction(async (tx) => {
    if (!isId("group", groupId) || !(await repo.lockGroup(tx, tenantId, groupId))) throw noGroup();
    return (await repo.findRolesOfGroup(tx, tenantId, groupId)).map(({ name }) => name);
  });
}

/**
 * The roles that the group gives from now on; its members have them, or not, at once.
 * @param by `superAdmin`: who may give and take super_admin
 * @throws AppError 404; 422 for a role that the tenant does not have; 403 for super_admin by who is none; 409 when nobody
 *   would administer the tenant any more
 */
export async function setGroupRoles(
  deps: Deps,
  tenantId: Id<"tenant">,
  groupId: string,
  names: readonly string[],
  by: Administrator,
): Promise<string[]> {
  return deps.db.transaction((tx) =>
    keepingAdministrators(tx, tenantId, async () => {
      if (!isId("group", groupId) || !(await repo.lockGroup(tx, tenantId, groupId))) throw noGroup();
      return replaceRoles(tx, { tenantId, groupId }, names, by, deps.clock.now());
    }),
  );
}

/** Gives a group more roles, in the caller's transaction. @throws as `setGroupRoles` */
export async function addGroupRoles(
  tx: Executor,
  group: { tenantId: Id<"tenant">; groupId: Id<"group"> },
  names: readonly string[],
  by: Administrator,
  now: Date,
): Promise<void> {
  const before = await repo.findRolesOfGroup(tx, group.tenantId, group.groupId);
  await replaceRoles(tx, group, [...namesOf(before), ...names], by, now);
}

async function replaceRoles(
  tx: Executor,
  group: { tenantId: Id<"tenant">; groupId: Id<"group"> },
  names: readonly string[],
  by: Administrator,
  now: Date,
): Promise<string[]> {
  const { tenantId, groupId } = group;
  const wanted = await requireRoles(tx, tenantId, names, "roles");
  const before = await repo.findRolesOfGroup(tx, tenantId, groupId);
  const added = wanted.filter(({ id }) => before.every((role) => role.id !== id));
  const removed = before.filter(({ id }) => wanted.every((role) => role.id !== id));
  requireMayAssign(namesOf([...added, ...removed]), by);
  if (added.length + removed.length > 0) {
    const ids = { added: added.map(({ id }) => id), removed: removed.map(({ id }) => id) };
    await repo.changeRolesOfGroup(tx, group, { ...ids, now });
    await audit.record(tx, {
      tenantId,
      type: "group.roles_changed",
      actor: by.actor,
      target: { type: "group", id: groupId },
      details: { added: namesOf(added), removed: namesOf(removed) },
      context: by.context,
      now,
    });
  }
  return namesOf(wanted);
}

const namesOf = (roles: readonly NamedRole[]) => roles.map(({ name }) => name);

const noGroup = () => notFound("There is no such group.");
