import type { Deps } from "../../deps.ts";
import { validationError } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import { enqueue } from "../../queue/outbox.ts";
import * as audit from "../audit/service.ts";
import { findPasswordHash, PasswordRefused, requireGoodPassword, setPassword } from "../passwords/service.ts";
import { beginAttempt } from "../protection/service.ts";
import type { RequestContext } from "../request-context.ts";
import { endAllSessions } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";

export interface PasswordChange {
  /** Undefined when the caller made sure of the person by a fresh authentication instead. */
  currentPassword: string | undefined;
  password: string;
  /** Whether the other sessions end, and the tokens that hang on them. */
  endOtherSessions: boolean;
}

/**
 * A new password for somebody who is signed in. The session of the change goes on; whoever else had come to know the old
 * password is shut out with the others. The owner is told by mail.
 * @throws AppError 422 for a wrong current password or a weak new one; 429 after too many wrong ones; 409 when the password
 *   was changed meanwhile
 */
export async function changePassword(
  deps: Deps,
  tenant: Tenant,
  { user, sessionId }: { user: User; sessionId: Id<"session"> },
  change: PasswordChange,
  context: RequestContext,
): Promise<void> {
  const owner = { tenantId: tenant.id, userId: user.id };
  const current = await findPasswordHash(deps.db, tenant.id, user.id);
  if (change.currentPassword !== undefined) {
    await requireCurrentPassword(deps, tenant, user, change.currentPassword, current, context);
  }
  if (change.password === change.currentPassword) {
    throw new PasswordRefused(
      "reused",
      "new_password",
      "Is your password already. Please choose another one.",
    );
  }
  const about = [user.username, user.email, user.givenName, user.familyName];
  await requireGoodPassword(deps, tenant.settings, change.password, { field: "new_password", about, owner });
  const hash = await deps.passwords.hash(change.password);
  const now = deps.clock.now();
  const actor = { type: "user", id: user.id } as const;
  await deps.db.transaction(async (tx) => {
    await setPassword(tx, owner, hash, tenant.settings, now, { hash: current });
    if (change.endOtherSessions) {
      await endAllSessions(tx, user, { actor, context, reason: "password_change", except: sessionId, now });
    }
    await audit.record(tx, {
      tenantId: tenant.id,
      type: "password.changed",
      actor,
      target: { type: "user", id: user.id },
      details: { proof: change.currentPassword === undefined ? "fresh_authentication" : "current_password" },
      context,
      now,
    });
    const payload = { user_id: user.id };
    await enqueue(tx, { tenantId: tenant.id, queue: "email", name: "password_changed", payload, now });
  });
}

/** Counts like any other try at a password: a session that somebody left open is no way to guess. */
async function requireCurrentPassword(
  deps: Deps,
  tenant: Tenant,
  user: User,
  password: string,
  hash: string | undefined,
  context: RequestContext,
): Promise<void> {
  const attempt = await beginAttempt(deps, tenant, { user, context, method: "password" });
  const matches = await deps.passwords.verify(password, hash);
  if (!attempt.admitted || !matches) {
    await attempt.failed();
    throw validationError([{ field: "current_password", message: "Is not your password." }]);
  }
  await attempt.passed();
}
