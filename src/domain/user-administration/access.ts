/** Letting users in, and out: their passwords and sessions, in the hands of administrators. */
import type { Deps } from "../../deps.ts";
import { conflict } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import { enqueue } from "../../queue/outbox.ts";
import type { Administrator } from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import { requireGoodPassword, setPassword } from "../passwords/service.ts";
import { unlockAccount } from "../protection/service.ts";
import { listSessions, type LiveSessionRow } from "../sessions/listing.ts";
import { endAllSessions } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { findUser, lockUser } from "./service.ts";

/**
 * Sets a new password, or, without one, mails the user a link by which they choose one. Either way every session and
 * token of theirs ends at once.
 * @throws AppError 404; 403 for a super_admin by who is none; 409 for nobody who could be mailed; 422 for a weak password
 */
export async function resetPassword(
  deps: Deps,
  tenant: Tenant,
  id: string,
  password: string | undefined,
  by: Administrator,
): Promise<void> {
  const tenantId = tenant.id;
  const found = await findUser(deps, tenantId, id);
  const owner = { tenantId, userId: found.id };
  const about = [found.username, found.email, found.givenName, found.familyName];
  if (password !== undefined) await requireGoodPassword(deps, tenant.settings, password, { about, owner });
  const hash = password === undefined ? undefined : await deps.passwords.hash(password);
  const now = deps.clock.now();
  const { actor, context } = by;
  await deps.db.transaction(async (tx) => {
    const user = await lockUser(tx, tenantId, id, by);
    const payload = { user_id: user.id };
    if (hash === undefined) {
      if (!user.enabled || user.emailId === null)
        throw conflict("This user is disabled, or has no address that a link could be mailed to.");
      const link = { ...payload, email_id: user.emailId };
      await enqueue(tx, { tenantId, queue: "email", name: "reset_password", payload: link, now });
    } else {
      await setPassword(tx, owner, hash, tenant.settings, now);
      await unlockAccount(tx, { ...owner, by: "administrator", actor, context, now });
      await enqueue(tx, { tenantId, queue: "email", name: "password_changed", payload, now });
    }
    await audit.record(tx, {
      tenantId,
      type: hash === undefined ? "password.reset_requested" : "password.reset_completed",
      actor,
      target: { type: "user", id: user.id },
      details: { by: "administrator" },
      context,
      now,
    });
    await endAllSessions(tx, user, { actor, context, reason: "password_reset", now });
  });
}

/** Where the user is signed in now, the lately used first. @throws AppError 404 */
export async function listSessionsOf(deps: Deps, tenant: Tenant, id: string): Promise<LiveSessionRow[]> {
  return listSessions(deps, tenant, await findUser(deps, tenant.id, id));
}

/**
 * Ends every session and token of a user.
 * @throws AppError 404; 403 for a super_admin by who is none
 */
export async function endSessionsOf(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
  { superAdmin, ...by }: Administrator,
): Promise<void> {
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    const user = await lockUser(tx, tenantId, id, { superAdmin, ...by });
    await endAllSessions(tx, user, { ...by, reason: "administrator", now });
  });
}
