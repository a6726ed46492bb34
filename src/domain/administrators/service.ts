/** Who administers a tenant, and that somebody does. */
import type { Executor } from "../../db/client.ts";
import { conflict, forbidden } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import type * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import * as repo from "./repo.ts";

export { givesRole, holdsRole } from "./repo.ts";

/** Who administers, as the audit trail names them. */
export interface Administrator {
  readonly actor: audit.Actor;
  readonly context: RequestContext;
  /** Whether they administer every tenant, and may say who else does. */
  readonly superAdmin: boolean;
}

/**
 * Does what may take administrators away (roles, users, groups), in the caller's transaction, and makes sure that a
 * tenant that was administered still is. Two such changes wait for each other: of the last two administrators, who
 * remove each other at once, one stays. To be called before the transaction locks anything else.
 * @throws AppError 409
 */
export async function keepingAdministrators<Result>(
  tx: Executor,
  tenantId: Id<"tenant">,
  work: () => Promise<Result>,
): Promise<Result> {
  await repo.lockAdministration(tx, tenantId);
  const before = await repo.findRolesHeld(tx, tenantId);
  const result = await work();
  const after = await repo.findRolesHeld(tx, tenantId);
  if (before.length > 0 && after.length === 0)
    throw conflict("This is the last administrator of the tenant. Appoint another one first.");
  if (before.includes("super_admin") && !after.includes("super_admin"))
    throw conflict("This is the last super_admin of the tenant. Appoint another one first.");
  return result;
}

/**
 * Whoever administers every tenant is changed by their like alone: a password that one sets opens an account (CWE-269).
 * @throws AppError 403
 */
export async function requireMayAdminister(
  tx: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  by: Pick<Administrator, "superAdmin">,
): Promise<void> {
  if (!by.superAdmin && (await repo.holdsRole(tx, tenantId, userId, "super_admin")))
    throw forbidden("This user administers every tenant: only one of them changes them.");
}

/** @throws AppError 403 when super_admin is among the roles, and who gives or takes them is none */
export function requireMayAssign(roles: readonly string[], by: Pick<Administrator, "superAdmin">): void {
  if (!by.superAdmin && roles.includes("super_admin"))
    throw forbidden("Only who administers every tenant lets others do so.");
}
