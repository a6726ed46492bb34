import type { Executor } from "../../db/client.ts";
import { validationError } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import * as repo from "./repo.ts";

export { findClientRoles, findRoles, type NamedRole, type Role } from "./repo.ts";

/** Roles every tenant has. `super_admin` administers all tenants, `admin` its own. */
const builtInRoles = {
  admin: "Administers this tenant",
  super_admin: "Administers every tenant",
} as const;

export const isBuiltInRole = (name: string) => Object.hasOwn(builtInRoles, name);

export async function createBuiltInRoles(
  executor: Executor,
  tenantId: Id<"tenant">,
  now: Date,
): Promise<void> {
  await repo.insertRoles(executor, tenantId, builtInRoles, now);
}

interface Assignment {
  readonly tenantId: Id<"tenant">;
  readonly userId: Id<"user">;
  /** By name. */
  readonly roles: readonly string[];
  readonly actor: audit.Actor;
  readonly context: RequestContext;
  readonly now: Date;
}

/**
 * Gives a user roles by name, in the caller's transaction.
 * @throws AppError 422 when the tenant has no role of such a name
 */
export async function assignRoles(executor: Executor, assignment: Assignment): Promise<void> {
  const { tenantId, userId, roles, now } = assignment;
  if (roles.length === 0) return;
  const chosen = await requireRoles(executor, tenantId, roles, "role");
  await repo.insertUserRoles(executor, tenantId, userId, idsOf(chosen), now);
  await note(executor, assignment, "role.assigned", roles);
}

/**
 * The roles that a user has without any group from now on, in the caller's transaction.
 * @returns the names of those that came and went
 * @throws AppError 422 when the tenant has no role of such a name
 */
export async function replaceUserRoles(
  executor: Executor,
  assignment: Assignment,
): Promise<{ added: string[]; removed: string[] }> {
  const { tenantId, userId, roles, now } = assignment;
  const wanted = await requireRoles(executor, tenantId, roles, "roles");
  const before = await repo.findOwnRoles(executor, tenantId, userId);
  const added = wanted.filter(({ id }) => before.every((role) => role.id !== id));
  const removed = before.filter(({ id }) => wanted.every((role) => role.id !== id));
  await repo.insertUserRoles(executor, tenantId, userId, idsOf(added), now);
  await repo.deleteUserRoles(executor, tenantId, userId, idsOf(removed));
  const changes = { added: namesOf(added), removed: namesOf(removed) };
  if (added.length > 0) await note(executor, assignment, "role.assigned", changes.added);
  if (removed.length > 0) await note(executor, assignment, "role.unassigned", changes.removed);
  return changes;
}

/**
 * Of the roles that a directory manages, a user has those that it says, in the caller's transaction; the others stay as
 * they are. A role that was renamed or removed since keeps nobody out.
 */
export async function replaceManagedRoles(
  executor: Executor,
  assignment: Assignment,
  managed: readonly string[],
): Promise<void> {
  const { tenantId, userId, roles } = assignment;
  const own = namesOf(await repo.findOwnRoles(executor, tenantId, userId));
  const known = namesOf(await repo.findRoles(executor, tenantId));
  const wanted = [...own.filter((name) => !managed.includes(name)), ...roles];
  const names = [...new Set(wanted)].filter((name) => known.includes(name));
  await replaceUserRoles(executor, { ...assignment, roles: names });
}

/**
 * The tenant's roles of these names.
 * @param field what the caller calls them
 * @throws AppError 422
 */
export async function requireRoles(
  executor: Executor,
  tenantId: Id<"tenant">,
  names: readonly string[],
  field: string,
): Promise<repo.NamedRole[]> {
  if (names.length === 0) return [];
  const known = await repo.findRoles(executor, tenantId);
  const chosen = known.filter(({ name }) => names.includes(name));
  if (chosen.length === new Set(names).size) return chosen;
  const all = namesOf(known).join(", ");
  const message = field === "role" ? "Must be a role of this tenant" : "Must be roles of this tenant";
  throw validationError([{ field, message: `${message}: ${all}.` }]);
}

const idsOf = (roles: readonly repo.NamedRole[]) => roles.map(({ id }) => id);
const namesOf = (roles: readonly repo.NamedRole[]) => roles.map(({ name }) => name);

async function note(
  executor: Executor,
  { tenantId, userId, actor, context, now }: Assignment,
  type: "role.assigned" | "role.unassigned",
  roles: readonly string[],
): Promise<void> {
  const target = { type: "user", id: userId } as const;
  await audit.record(executor, { tenantId, type, actor, target, details: { roles }, context, now });
}
