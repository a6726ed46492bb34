/** How sessions end: with them their tokens, and the word to every application that took part. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { notFound } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import { enqueue } from "../../queue/outbox.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import { revokeAllFamiliesOfUser, revokeFamiliesOfSession } from "../tokens/revocation.ts";
import * as repo from "./repo.ts";

export interface EndedBy {
  readonly actor: audit.Actor;
  readonly context: RequestContext;
}

interface OfUser {
  readonly tenantId: Id<"tenant">;
  readonly id: Id<"session">;
  readonly userId: Id<"user">;
}

/**
 * Ends a session and the tokens that hang on it, and lets its applications know (OpenID Connect Back-Channel Logout
 * §2.7). Tokens given for `offline_access` outlive a sign-out in the browser (OpenID Connect Core §11), unless
 * `includingOffline`.
 */
export async function endSession(
  deps: Deps,
  session: OfUser,
  by: EndedBy & { includingOffline: boolean },
): Promise<void> {
  await end(deps, session, { ...by, type: "user.logout" });
}

/**
 * Ends one of the user's own sessions because they say so, with all its tokens: they may have lost the device.
 * @throws AppError 404 for a session that is not theirs, or has ended
 */
export async function revokeOwnSession(deps: Deps, session: OfUser, by: EndedBy): Promise<void> {
  const ended = await end(deps, session, { ...by, includingOffline: true, type: "session.revoked" });
  if (!ended) throw notFound("You have no such session.");
}

async function end(
  deps: Deps,
  { tenantId, id, userId }: OfUser,
  by: EndedBy & { includingOffline: boolean; type: "user.logout" | "session.revoked" },
): Promise<boolean> {
  const now = deps.clock.now();
  return deps.db.transaction(async (tx) => {
    if (!(await repo.markRevoked(tx, { tenantId, id, userId }, now))) return false;
    await tellApplications(tx, tenantId, userId, [id], now);
    await revokeFamiliesOfSession(tx, tenantId, id, { includingOffline: by.includingOffline, now });
    await audit.record(tx, {
      tenantId,
      type: by.type,
      actor: by.actor,
      target: { type: "session", id },
      context: by.context,
      now,
    });
    return true;
  });
}

/**
 * Ends every other session of the user, with all their tokens.
 * @param except the session that stays: the one that they say it in, if they do so in one
 */
export async function revokeOtherSessions(
  deps: Deps,
  user: { tenantId: Id<"tenant">; id: Id<"user"> },
  input: EndedBy & { except: Id<"session"> | null },
): Promise<void> {
  const now = deps.clock.now();
  const { except, ...by } = input;
  const kept = except ? { except } : {};
  await deps.db.transaction((tx) => endAllSessions(tx, user, { ...by, ...kept, reason: "requested", now }));
}

/** Ends every session and every token of a user, in the caller's transaction; `except` stays, with what hangs on it. */
export async function endAllSessions(
  executor: Executor,
  user: { tenantId: Id<"tenant">; id: Id<"user"> },
  by: EndedBy & { reason: string; except?: Id<"session">; now: Date },
): Promise<void> {
  const { tenantId, id: userId } = user;
  const sessions = await repo.markAllRevoked(executor, tenantId, userId, by.now, by.except);
  await tellApplications(executor, tenantId, userId, sessions, by.now);
  await revokeAllFamiliesOfUser(executor, tenantId, userId, by.reason, by.now, by.except);
  await audit.record(executor, {
    tenantId,
    type: "session.revoked_all",
    actor: by.actor,
    target: { type: "user", id: userId },
    details: { sessions: sessions.length, reason: by.reason },
    context: by.context,
    now: by.now,
  });
}

/** One job for each application that got tokens in one of the user's sessions and wants to know. */
export async function tellApplications(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  sessionIds: readonly Id<"session">[],
  now: Date,
): Promise<void> {
  for (const { clientId, sessionId } of await repo.findApplicationsToTell(executor, tenantId, sessionIds)) {
    await enqueue(executor, {
      tenantId,
      queue: "logout",
      name: "backchannel_logout",
      payload: { client_id: clientId, session_id: sessionId, user_id: userId },
      now,
    });
  }
}
