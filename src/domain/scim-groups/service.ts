import { type Executor, violatesUnique } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { type Id, isId, newId } from "../../lib/ids.ts";
import { ScimError } from "../../protocol/scim/error.ts";
import { type GroupChanges, groupChanges, replacementOf } from "../../protocol/scim/group-changes.ts";
import type { PatchOperation } from "../../protocol/scim/patch-request.ts";
import type { Projection } from "../../protocol/scim/projection.ts";
import {
  invalidValue,
  type JsonObject,
  normalizeResource,
  requireRequired,
} from "../../protocol/scim/resource.ts";
import * as audit from "../audit/service.ts";
import { type Provisioning, scopeOf } from "../scim-users/service.ts";
import { changeMembers, requireMayAppoint } from "./members/service.ts";
import { findScimGroup, groupNotFound, groupVersion } from "./reading.ts";
import * as repo from "./repo.ts";

export { findScimGroup, searchScimGroups } from "./reading.ts";

/** What its writer sees of a group that was written: everything but the members, who may be many and are known. */
const WITHOUT_MEMBERS: Projection = { only: undefined, without: new Set(["/members"]) };
const WHOLE: Projection = { only: undefined, without: new Set() };

/** @throws ScimError invalidValue, uniqueness (409, of the externalId) */
export async function createScimGroup(deps: Deps, by: Provisioning, body: unknown): Promise<JsonObject> {
  const resource = normalizeResource(by.schema, body);
  requireRequired(by.schema, resource);
  const changes = replacementOf(resource);
  const displayName = requireName(changes.displayName);
  const id = newId("group");
  const now = deps.clock.now();
  await answeringConflicts(() =>
    deps.db.transaction(async (tx) => {
      await repo.insertGroup(tx, scopeOf(by), { id, displayName, now });
      if (changes.externalId) await repo.setExternalId(tx, scopeOf(by), id, changes.externalId);
      await changeMembers(tx, groupOf(by, id), changes.members, now);
      await record(tx, by, id, "group.created", { display_name: displayName }, now);
    }),
  );
  return findScimGroup(deps, by, id, WHOLE);
}

/** @throws ScimError as `createScimGroup`; 404; 412 when `ifMatch` is not of what is there */
export async function replaceScimGroup(
  deps: Deps,
  by: Provisioning,
  id: string,
  body: unknown,
  ifMatch: (version: string) => boolean,
): Promise<JsonObject> {
  const resource = normalizeResource(by.schema, body);
  requireRequired(by.schema, resource);
  await changeGroup(deps, by, id, replacementOf(resource), ifMatch);
  return findScimGroup(deps, by, id, WHOLE);
}

/** @throws ScimError as `groupChanges`; 404, 409, 412 @returns the group without its members */
export async function patchScimGroup(
  deps: Deps,
  by: Provisioning,
  id: string,
  operations: readonly PatchOperation[],
  ifMatch: (version: string) => boolean,
): Promise<JsonObject> {
  await changeGroup(deps, by, id, groupChanges(by.schema, operations), ifMatch);
  return findScimGroup(deps, by, id, WITHOUT_MEMBERS);
}

/** All of it or nothing; what leaves the group as it was changes neither its version nor the audit trail. */
async function changeGroup(
  deps: Deps,
  by: Provisioning,
  id: string,
  changes: GroupChanges,
  ifMatch: (version: string) => boolean,
): Promise<void> {
  if (!isId("group", id)) throw groupNotFound(id);
  const scope = scopeOf(by);
  await answeringConflicts(() =>
    deps.db.transaction(async (tx) => {
      const group = await repo.findGroup(tx, scope, id, { lock: true });
      if (!group) throw groupNotFound(id);
      requireMatch(group, ifMatch);
      // Its version goes by this moment: two changes within one millisecond are two versions.
      const now = new Date(Math.max(deps.clock.now().getTime(), group.updatedAt.getTime() + 1));
      const displayName = changes.displayName === undefined ? undefined : requireName(changes.displayName);
      const renamed = displayName !== undefined && displayName !== group.displayName;
      const relabelled = changes.externalId !== undefined && changes.externalId !== group.externalId;
      const membersChanged = await changeMembers(tx, groupOf(by, id), changes.members, now);
      if (!renamed && !relabelled && !membersChanged) return;
      if (relabelled) await repo.setExternalId(tx, scope, id, changes.externalId ?? null);
      await repo.updateGroup(tx, by.tenant.id, id, { displayName: renamed ? displayName : undefined, now });
      const attributes = [
        ...(renamed ? ["displayName"] : []),
        ...(relabelled ? ["externalId"] : []),
        ...(membersChanged ? ["members"] : []),
      ];
      await record(tx, by, id, "group.updated", { attributes }, now);
    }),
  );
}

/** @throws ScimError 404, 412 */
export async function deleteScimGroup(
  deps: Deps,
  by: Provisioning,
  id: string,
  ifMatch: (version: string) => boolean,
): Promise<void> {
  if (!isId("group", id)) throw groupNotFound(id);
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    const group = await repo.findGroup(tx, scopeOf(by), id, { lock: true });
    if (!group) throw groupNotFound(id);
    requireMatch(group, ifMatch);
    await requireMayAppoint(tx, groupOf(by, id));
    await repo.deleteGroup(tx, by.tenant.id, id);
    await record(tx, by, id, "group.deleted", { display_name: group.displayName }, now);
  });
}

function requireMatch(group: repo.ScimGroup, ifMatch: (version: string) => boolean): void {
  if (!ifMatch(groupVersion(group)))
    throw new ScimError(412, "invalidVers", "The group was changed since the version that If-Match names.");
}

const groupOf = (by: Provisioning, groupId: Id<"group">) => ({
  tenantId: by.tenant.id,
  organizationId: by.organizationId,
  groupId,
  superAdmin: by.superAdmin,
  nested: by.tenant.settings.scim_nested_groups,
});

function requireName(displayName: string | undefined): string {
  const name = displayName?.trim() ?? "";
  if (name === "" || name.length > 256) throw invalidValue("displayName", "must have 1 to 256 characters");
  return name;
}

async function answeringConflicts<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (violatesUnique(error, "scim_external_ids_tenant_id_scope_resource_type_external_id_pk"))
      throw new ScimError(409, "uniqueness", "The externalId belongs to another group.");
    throw error;
  }
}

function record(
  tx: Executor,
  by: Provisioning,
  id: Id<"group">,
  type: "group.created" | "group.updated" | "group.deleted",
  details: Record<string, unknown>,
  now: Date,
): Promise<void> {
  const { tenant, actor, context } = by;
  const target = { type: "group", id } as const;
  return audit.record(tx, { tenantId: tenant.id, type, actor, target, details, context, now });
}
