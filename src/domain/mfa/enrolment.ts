/** What goes with every factor that comes or goes: the audit trail, a notice by mail, backup codes, trusted devices. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { conflict } from "../../lib/errors.ts";
import { enqueue } from "../../queue/outbox.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import { countBackupCodes, createBackupCodes, dropBackupCodes } from "./backup-codes/service.ts";
import type { EnrollableMethod } from "./model.ts";
import { lockFactors, policyOf } from "./policy.ts";
import { dropTrustedDevices } from "./trusted-devices/service.ts";

/** A factor that its owner just proved to have, and that does not count yet. */
export interface NewFactor {
  readonly method: EnrollableMethod;
  readonly target: { readonly type: "totp_device" | "passkey"; readonly id: string };
  readonly name: string;
  /** What proving it adds to the session (RFC 8176). */
  readonly amr: readonly string[];
  readonly details?: Record<string, unknown>;
  /** Makes it count, in the caller's transaction. @throws AppError when it cannot, any more */
  store(executor: Executor): Promise<void>;
}

/**
 * Stores a factor with all that goes with it, in the caller's transaction.
 * @returns backup codes, for this once, with the first factor; none when the user has some, or they are not to be used
 */
export async function addFactor(
  deps: Deps,
  executor: Executor,
  tenant: Tenant,
  { user, factor, context }: { user: User; factor: NewFactor; context: RequestContext },
): Promise<string[]> {
  const now = deps.clock.now();
  await lockFactors(executor, user);
  await factor.store(executor);
  await audit.record(executor, {
    tenantId: user.tenantId,
    type: "mfa.enrolled",
    actor: { type: "user", id: user.id },
    target: factor.target,
    details: { method: factor.method, ...factor.details },
    context,
    now,
  });
  await notify(executor, "factor_added", user, factor, now);
  const { enforcement, methods } = policyOf(tenant);
  if (enforcement === "off" || !methods.includes("backup_code")) return [];
  const owner = { tenantId: user.tenantId, userId: user.id };
  return (await countBackupCodes(executor, owner)) > 0 ? [] : createBackupCodes(deps, executor, owner, now);
}

/**
 * Removes factors by the user's own wish, with all that goes with it, in one transaction.
 * @param remove what removes them: of one method. @throws whatever it throws, when there is nothing to remove
 * @throws AppError 409 where the policy asks for a factor, and none would be left
 */
export async function removeFactors(
  deps: Deps,
  tenant: Tenant,
  user: User,
  method: EnrollableMethod,
  remove: (executor: Executor) => Promise<readonly { target: NewFactor["target"]; name: string }[]>,
  context: RequestContext,
): Promise<void> {
  await deps.db.transaction(async (tx) => {
    await lockFactors(tx, user);
    const removed = (await remove(tx)).map((factor) => ({ ...factor, method }));
    const last = await isNoneLeft(tx, tenant, user, method);
    await noteRemoved(tx, user, removed, { last, context, now: deps.clock.now() });
  });
}

/**
 * Notes that factors were removed, in the transaction that removed them. No device stays trusted, and with the last factor
 * the backup codes go.
 */
export async function noteRemoved(
  executor: Executor,
  user: Pick<User, "id" | "tenantId">,
  removed: readonly { target: NewFactor["target"]; method: EnrollableMethod; name: string }[],
  options: { last: boolean; context: RequestContext; now: Date },
): Promise<void> {
  const { last, context, now } = options;
  for (const factor of removed) {
    await audit.record(executor, {
      tenantId: user.tenantId,
      type: "mfa.disabled",
      actor: { type: "user", id: user.id },
      target: factor.target,
      details: { method: factor.method },
      context,
      now,
    });
    await notify(executor, "factor_removed", user, factor, now);
  }
  await dropTrustedDevices(executor, user, context, now);
  if (last) await dropBackupCodes(executor, { tenantId: user.tenantId, userId: user.id });
}

/**
 * Whether a user has no factor left, in the transaction that removed one of this method.
 * @throws AppError 409 where the policy asks for a factor: another one comes first
 */
async function isNoneLeft(
  executor: Executor,
  tenant: Tenant,
  user: Pick<User, "id" | "tenantId">,
  method: EnrollableMethod,
): Promise<boolean> {
  const { enforcement, methods } = policyOf(tenant);
  const left = await lockFactors(executor, user);
  const counted = methods.includes(method) || left.length === 0;
  if (enforcement === "required" && counted && !left.some((one) => methods.includes(one)))
    throw conflict("A second factor is required here. Set up another one before you remove this one.");
  return left.length === 0;
}

async function notify(
  executor: Executor,
  name: "factor_added" | "factor_removed",
  user: Pick<User, "id" | "tenantId">,
  factor: { method: EnrollableMethod; name: string },
  now: Date,
): Promise<void> {
  await enqueue(executor, {
    tenantId: user.tenantId,
    queue: "email",
    name,
    payload: { user_id: user.id, method: factor.method, name: factor.name },
    now,
  });
}
