import type { Executor } from "../../../db/client.ts";
import { type Id, isId } from "../../../lib/ids.ts";
import { invalidValue } from "../../../protocol/scim/resource.ts";
import type { MemberStep } from "../../../protocol/scim/group-changes.ts";
import { givesRole } from "../../group-roles/service.ts";
import { forbidden } from "../../scim-users/service.ts";
import * as repo from "./repo.ts";

export interface GroupOfMembers {
  readonly tenantId: Id<"tenant">;
  readonly organizationId: Id<"organization"> | null;
  readonly groupId: Id<"group">;
  /** Whether its caller may say who administers every tenant. */
  readonly superAdmin: boolean;
  /** Whether groups may be members. */
  readonly nested: boolean;
}

/**
 * Takes the steps in their order, in the caller's transaction.
 * @returns whether anybody came or went
 * @throws ScimError invalidValue for a member that is not there, not this client's, or the group itself; 403 for a group that gives super_admin
 */
export async function changeMembers(
  tx: Executor,
  group: GroupOfMembers,
  steps: readonly MemberStep[],
  now: Date,
): Promise<boolean> {
  let changed = 0;
  if (steps.length > 0) await requireMayAppoint(tx, group);
  for (const { kind, ids } of steps) {
    const members = byKind(ids, { strict: kind !== "remove" });
    if (kind === "remove") {
      changed += await repo.remove(tx, group, members);
      continue;
    }
    await requireMembers(tx, group, members);
    if (kind === "set") changed += await repo.removeOthers(tx, group, members);
    changed += await repo.add(tx, group, members, now);
  }
  return changed > 0;
}

/**
 * Who says who is in a group that makes them super_admin says who is one (CWE-269).
 * @throws ScimError 403
 */
export async function requireMayAppoint(
  tx: Executor,
  group: Pick<GroupOfMembers, "tenantId" | "groupId" | "superAdmin">,
): Promise<void> {
  if (!group.superAdmin && (await givesRole(tx, group.tenantId, group.groupId, "super_admin")))
    throw forbidden("Members of this group administer every tenant: only one of them changes who they are.");
}

/** Whom nobody knows is no member, and so is removed already; but cannot be made one. */
function byKind(ids: readonly string[], { strict }: { strict: boolean }): repo.MemberIds {
  const users: Id<"user">[] = [];
  const groups: Id<"group">[] = [];
  for (const id of ids) {
    if (isId("user", id)) users.push(id);
    else if (isId("group", id)) groups.push(id);
    else if (strict) throw unknownMember();
  }
  return { users, groups };
}

async function requireMembers(tx: Executor, group: GroupOfMembers, members: repo.MemberIds): Promise<void> {
  if (members.groups.length > 0) {
    if (!group.nested) throw invalidValue("members", "cannot hold groups: this tenant does not nest them");
    // Groups may hold each other (RFC 7644 §3.7.1 has an example of two); one that holds itself says nothing.
    if (members.groups.includes(group.groupId)) throw invalidValue("members", "holds the group itself");
  }
  const wanted = members.users.length + members.groups.length;
  if (wanted > 0 && (await repo.countVisible(tx, group, members)) < wanted) throw unknownMember();
}

const unknownMember = () => invalidValue("members", "holds something that is no user or group");
