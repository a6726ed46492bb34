/** Who administers a tenant, and that somebody does. */
import type { Executor } from "../../db/client.ts";
import { conflict, forbidden } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import type * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import * as repo from "./repo.ts";

export { givesRole, holdsRole } from "./repo.ts";

/** Roles that administer a tenant: `super_admin` is that of who administers all of them. */
export const ADMINISTRATORS: readonly string[] = ["admin", "super_admin"];

export const administers = (roles: readonly string[]) => roles.some((role) => ADMINISTRATORS.includes(role));

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
 * Roles that are out of this administrator's reach: they neither give nor take them, nor change who has them. A key
 * makes no administrators, and takes none over: it would get by them what keys are not to have.
 */
function beyond(by: Appointing): readonly string[] {
  if (by.context.apiKeyId !== undefined) return ADMINISTRATORS;
  return by.superAdmin ? [] : ["super_admin"];
}

type Appointing = Pick<Administrator, "superAdmin" | "context">;

const onlyPeople = "An API key neither makes nor changes administrators.";

/**
 * Whoever administers every tenant is changed by their like alone: a password that one sets opens an account (CWE-269).
 * @throws AppError 403
 */
export async function requireMayAdminister(
  tx: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  by: Appointing,
): Promise<void> {
  for (const role of beyond(by)) {
    if (!(await repo.holdsRole(tx, tenantId, userId, role))) continue;
    throw forbidden(
      by.context.apiKeyId === undefined
        ? "This user administers every tenant: only one of them changes them."
        : onlyPeople,
    );
  }
}

/**
 * What a connection says of people opens the accounts that are linked to it: of an administrator out of reach, it is not
 * changed (CWE-269). @throws AppError 403
 */
export async function requireMayChangeLinked(
  tx: Executor,
  tenantId: Id<"tenant">,
  connectionId: Id<"connection">,
  by: Appointing,
): Promise<void> {
  for (const role of beyond(by)) {
    if (!(await repo.holdsRoleAmongLinked(tx, tenantId, connectionId, role))) continue;
    throw forbidden(
      by.context.apiKeyId === undefined
        ? "Accounts that are linked to this connection administer every tenant: only one of them changes it."
        : onlyPeople,
    );
  }
}

/** Who says who is in a group that makes them administrators says who is one. @throws AppError 403 */
export async function requireMayAppoint(
  tx: Executor,
  tenantId: Id<"tenant">,
  groupId: Id<"group">,
  by: Appointing,
): Promise<void> {
  for (const role of beyond(by)) {
    if (!(await repo.givesRole(tx, tenantId, groupId, role))) continue;
    throw forbidden(
      by.context.apiKeyId === undefined
        ? "Members of this group administer every tenant: only one of them changes who they are."
        : onlyPeople,
    );
  }
}

/** @throws AppError 403 when super_admin is among the roles, and who gives or takes them is none; for a key also admin */
export function requireMayAssign(roles: readonly string[], by: Appointing): void {
  if (!roles.some((role) => beyond(by).includes(role))) return;
  throw forbidden(
    by.context.apiKeyId === undefined ? "Only who administers every tenant lets others do so." : onlyPeople,
  );
}
