import type { Executor } from "../../db/client.ts";
import { validationError } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import * as repo from "./repo.ts";

/** Roles every tenant has. `super_admin` administers all tenants, `admin` its own. */
const builtInRoles = {
  admin: "Administers this tenant",
  super_admin: "Administers every tenant",
} as const;

export async function createBuiltInRoles(
  executor: Executor,
  tenantId: Id<"tenant">,
  now: Date,
): Promise<void> {
  await repo.insertRoles(executor, tenantId, builtInRoles, now);
}

/**
 * Gives a user roles by name, in the caller's transaction.
 * @throws AppError 422 when the tenant has no role of such a name
 */
export async function assignRoles(
  executor: Executor,
  assignment: {
    tenantId: Id<"tenant">;
    userId: Id<"user">;
    roles: readonly string[];
    actor: audit.Actor;
    context: RequestContext;
    now: Date;
  },
): Promise<void> {
  const { tenantId, userId, roles, actor, context, now } = assignment;
  if (roles.length === 0) return;
  const known = await repo.findRoles(executor, tenantId);
  const chosen = known.filter(({ name }) => roles.includes(name));
  if (chosen.length < new Set(roles).size) {
    const names = known.map(({ name }) => name).join(", ");
    throw validationError([{ field: "role", message: `Must be a role of this tenant: ${names}.` }]);
  }
  await repo.insertUserRoles(
    executor,
    tenantId,
    userId,
    chosen.map(({ id }) => id),
    now,
  );
  await audit.record(executor, {
    tenantId,
    type: "role.assigned",
    actor,
    target: { type: "user", id: userId },
    details: { roles },
    context,
    now,
  });
}
