/** What is told about a lock: to the owner by mail, to administrators by the audit trail. */
import type { Deps } from "../../deps.ts";
import { newId } from "../../lib/ids.ts";
import { enqueue } from "../../queue/outbox.ts";
import * as audit from "../audit/service.ts";
import type { Tenant } from "../tenants/service.ts";
import type { Lock } from "./repo.ts";
import type { AttemptSubject } from "./service.ts";

/**
 * Once for each lockout, since one attempt alone sets it. What is written is the same for an identifier that nobody
 * has, so that the time tells nothing: the job then finds nobody to write to.
 */
export async function announceAccountLock(
  deps: Deps,
  tenant: Tenant,
  { user, method, context }: AttemptSubject,
  { lockouts, lockedUntil }: Lock,
): Promise<void> {
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    await audit.record(tx, {
      tenantId: tenant.id,
      type: "user.locked",
      actor: { type: "anonymous" },
      ...(user ? { target: { type: "user", id: user.id } } : {}),
      details: { method, lockouts, locked_until: lockedUntil.toISOString() },
      context,
      now,
    });
    const owner = user?.enabled ? user : undefined;
    await enqueue(tx, {
      tenantId: tenant.id,
      queue: "email",
      name: "unlock_account",
      payload: { user_id: owner?.id ?? newId("user"), email_id: owner?.emailId ?? newId("email") },
      now,
    });
  });
}

export async function announceAddressLock(
  deps: Deps,
  tenant: Tenant,
  { method, context }: AttemptSubject,
  { network, lockouts, lockedUntil }: Lock & { network: string },
): Promise<void> {
  await audit.record(deps.db, {
    tenantId: tenant.id,
    type: "ip.locked",
    actor: { type: "anonymous" },
    details: { method, network, lockouts, locked_until: lockedUntil.toISOString() },
    context,
    now: deps.clock.now(),
  });
}
