/** Groups of users, as administrators look after them. What roles they give: `domain/group-roles`. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { isDisplayName } from "../../lib/display-name.ts";
import { notFound, validationError } from "../../lib/errors.ts";
import { type Id, isId, newId } from "../../lib/ids.ts";
import type { PageRequest, PageResult } from "../../lib/page.ts";
import { type Administrator, keepingAdministrators, requireMayAppoint } from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import * as repo from "./repo.ts";

export { findTenantGroups, type Group, type GroupSort, type Member } from "./repo.ts";

type Tenant = Id<"tenant">;

/** @param page whose `after.value` is a moment for created_at */
export const listGroups = (
  deps: Deps,
  tenantId: Tenant,
  page: PageRequest<repo.GroupSort>,
): Promise<PageResult<repo.Group>> => repo.listGroups(deps.db, tenantId, page);

/** @throws AppError 404 */
export async function findGroup(deps: Deps, tenantId: Tenant, id: string): Promise<repo.Group> {
  const group = isId("group", id) ? await repo.findGroup(deps.db, tenantId, id) : undefined;
  if (!group) throw noGroup();
  return group;
}

/** @throws AppError 422 */
export async function createGroup(
  deps: Deps,
  tenantId: Tenant,
  name: string,
  by: Administrator,
): Promise<repo.Group> {
  const id = await deps.db.transaction((tx) => insertGroup(tx, tenantId, name, by, deps.clock.now()));
  return findGroup(deps, tenantId, id);
}

/** The same, in the caller's transaction. @throws AppError 422 */
export async function insertGroup(
  tx: Executor,
  tenantId: Tenant,
  name: string,
  by: Administrator,
  now: Date,
): Promise<Id<"group">> {
  const displayName = requireName(name);
  const id = newId("group");
  await repo.insertGroup(tx, { tenantId, id, displayName, createdAt: now, updatedAt: now });
  await note(tx, { tenantId, id }, "group.created", { display_name: displayName }, by, now);
  return id;
}

/** @throws AppError 404, 422 */
export async function renameGroup(
  deps: Deps,
  tenantId: Tenant,
  id: string,
  name: string,
  by: Administrator,
): Promise<repo.Group> {
  const displayName = requireName(name);
  await deps.db.transaction(async (tx) => {
    const { group, now } = await lockGroup(deps, tx, tenantId, id);
    if (group.displayName === displayName) return;
    await repo.updateGroup(tx, tenantId, group.id, { displayName, updatedAt: now });
    const details = { before: { display_name: group.displayName }, after: { display_name: displayName } };
    await note(tx, { tenantId, id: group.id }, "group.updated", details, by, now);
  });
  return findGroup(deps, tenantId, id);
}

/** @throws AppError 404; 403 for a group that gives super_admin by who is none; 409 when nobody would administer the tenant */
export async function deleteGroup(
  deps: Deps,
  tenantId: Tenant,
  id: string,
  by: Administrator,
): Promise<void> {
  await deps.db.transaction((tx) =>
    keepingAdministrators(tx, tenantId, async () => {
      const { group, now } = await lockGroup(deps, tx, tenantId, id);
      await requireMayAppoint(tx, tenantId, group.id, by);
      await repo.deleteGroup(tx, tenantId, group.id);
      const details = { display_name: group.displayName };
      await note(tx, { tenantId, id: group.id }, "group.deleted", details, by, now);
    }),
  );
}

/** The users who are in the group directly. @throws AppError 404 */
export async function listMembers(
  deps: Deps,
  tenantId: Tenant,
  id: string,
  page: PageRequest<"username">,
): Promise<PageResult<repo.Member>> {
  return repo.listMembers(deps.db, tenantId, (await findGroup(deps, tenantId, id)).id, page);
}

/**
 * Puts a user into a group, or takes them out; who is in or out already stays so.
 * @throws AppError 404 for no such group or user; 403 for a group that gives super_admin by who is none; 409 when nobody
 *   would administer the tenant any more
 */
export async function setMember(
  deps: Deps,
  tenantId: Tenant,
  of: { groupId: string; userId: string; isMember: boolean },
  by: Administrator,
): Promise<void> {
  const { groupId, userId, isMember } = of;
  await deps.db.transaction((tx) =>
    keepingAdministrators(tx, tenantId, async () => {
      const { group, now } = await lockGroup(deps, tx, tenantId, groupId);
      if (!isId("user", userId) || !(await repo.isUser(tx, tenantId, userId)))
        throw notFound("There is no such user.");
      await requireMayAppoint(tx, tenantId, group.id, by);
      const changed = isMember
        ? await repo.insertMember(tx, { tenantId, groupId: group.id, userId, createdAt: now })
        : await repo.deleteMember(tx, tenantId, group.id, userId);
      if (!changed) return;
      await repo.updateGroup(tx, tenantId, group.id, { updatedAt: now });
      const details = { members: { [isMember ? "added" : "removed"]: [userId] } };
      await note(tx, { tenantId, id: group.id }, "group.updated", details, by, now);
    }),
  );
}

/** SCIM tells a group's versions apart by the moment: two changes within one millisecond are two versions. */
async function lockGroup(
  deps: Deps,
  tx: Executor,
  tenantId: Tenant,
  id: string,
): Promise<{ group: repo.Group; now: Date }> {
  const changedAt = isId("group", id) ? await repo.lockGroup(tx, tenantId, id) : undefined;
  const group = changedAt && isId("group", id) ? await repo.findGroup(tx, tenantId, id) : undefined;
  if (!changedAt || !group) throw noGroup();
  return { group, now: new Date(Math.max(deps.clock.now().getTime(), changedAt.getTime() + 1)) };
}

function requireName(name: string): string {
  const displayName = name.trim();
  if (!isDisplayName(displayName))
    throw validationError([{ field: "name", message: "Must be 1 to 128 printable characters." }]);
  return displayName;
}

const noGroup = () => notFound("There is no such group.");

async function note(
  tx: Executor,
  { tenantId, id }: { tenantId: Tenant; id: Id<"group"> },
  type: "group.created" | "group.updated" | "group.deleted",
  details: Record<string, unknown>,
  { actor, context }: Administrator,
  now: Date,
): Promise<void> {
  await audit.record(tx, { tenantId, type, actor, target: { type: "group", id }, details, context, now });
}
