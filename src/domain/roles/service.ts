import type { Executor } from "../../db/client.ts";
import type { Id } from "../../lib/ids.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import * as repo from "./repo.ts";

/** Roles every tenant has. `super_admin` administers all tenants, `admin` its own. */
const builtInRoles = {
  admin: "Administers this tenant",
  super_admin: "Administers every tenant",
} as const;
export type BuiltInRole = keyof typeof builtInRoles;

export async function createBuiltInRoles(
  executor: Executor,
  tenantId: Id<"tenant">,
  now: Date,
): Promise<void> {
  await repo.insertRoles(executor, tenantId, builtInRoles, now);
}

/** Gives a user roles by name, in the caller's transaction. */
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
  await repo.insertUserRoles(executor, tenantId, userId, roles, now);
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
