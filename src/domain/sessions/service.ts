import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { matchesHash, newSecretToken, parseSecretToken } from "../../lib/secret-token.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import { revokeAllFamiliesOfUser, revokeFamiliesOfSession } from "../tokens/revocation.ts";
import type { User } from "../users/service.ts";
import * as repo from "./repo.ts";

export { findSignIn, hasSignedInFrom } from "./repo.ts";

export { lockLiveSession } from "./repo.ts";

/** A live sign-in, with the user it belongs to. */
export interface Session {
  readonly id: Id<"session">;
  readonly user: User;
  readonly authTime: Date;
  readonly acr: string;
  readonly amr: readonly string[];
  readonly expiresAt: Date;
}

/** The authentication context classes we know: a password or another single factor proves this much. */
export const ACR_SINGLE_FACTOR = "urn:gatewright:acr:1fa";

export interface SessionStart {
  readonly tenantId: Id<"tenant">;
  readonly userId: Id<"user">;
  readonly amr: readonly string[];
  readonly lifetimeSeconds: number;
  readonly withCookie: boolean;
  readonly context: RequestContext;
  readonly now: Date;
}

export interface StartedSession {
  readonly id: Id<"session">;
  readonly authTime: Date;
  readonly acr: string;
  readonly amr: readonly string[];
  readonly expiresAt: Date;
  /** The cookie's value, of a session that a browser keeps. */
  readonly cookie: string | undefined;
}

/** Starts a session in the caller's transaction. */
export async function startSession(executor: Executor, start: SessionStart): Promise<StartedSession> {
  const { row, started } = newSession(newId("session"), start);
  await repo.insertSession(executor, row);
  return started;
}

function newSession(id: Id<"session">, start: SessionStart) {
  const { tenantId, userId, context, now } = start;
  const secret = start.withCookie ? newSecretToken(id) : undefined;
  const proof = { authTime: now, acr: ACR_SINGLE_FACTOR, amr: [...start.amr] };
  const expiresAt = addSeconds(now, start.lifetimeSeconds);
  const row = {
    tenantId,
    id,
    userId,
    secretHash: secret?.hash ?? null,
    ...proof,
    ip: context.ip ?? null,
    userAgent: context.userAgent ?? null,
    createdAt: now,
    lastSeenAt: now,
    expiresAt,
  };
  const started: StartedSession = { id, ...proof, expiresAt, cookie: secret?.token };
  return { row, started };
}

/**
 * Makes a session that stands a fresh one, in the caller's transaction: the same user proved again who they are. Its
 * cookie changes, the tokens that hang on it stay.
 * @returns undefined when it was ended meanwhile
 */
export async function renewSession(
  executor: Executor,
  id: Id<"session">,
  start: SessionStart,
): Promise<StartedSession | undefined> {
  const { row, started } = newSession(id, start);
  const { createdAt: _, ...renewed } = row;
  return (await repo.renew(executor, renewed)) ? started : undefined;
}

/** The live session that a cookie's value belongs to. Anything else (forged, expired, revoked) is no session. */
export async function findSessionByCookie(
  deps: Deps,
  tenantId: Id<"tenant">,
  cookie: string | undefined,
): Promise<Session | undefined> {
  const parsed = cookie === undefined ? undefined : parseSecretToken("session", cookie);
  if (!parsed) return undefined;
  const found = await repo.findWithUser(deps.db, tenantId, parsed.id);
  if (!found?.session.secretHash || !matchesHash(parsed.secret, found.session.secretHash)) return undefined;
  const { session, user } = found;
  if (session.revokedAt || session.expiresAt <= deps.clock.now() || !user.enabled) return undefined;
  return {
    id: session.id,
    user,
    authTime: session.authTime,
    acr: session.acr,
    amr: session.amr,
    expiresAt: session.expiresAt,
  };
}

/**
 * Ends a session and the tokens that hang on it. Tokens given for `offline_access` outlive a sign-out in the browser
 * (OpenID Connect Core §11), unless `includingOffline`.
 */
export async function endSession(
  deps: Deps,
  session: { tenantId: Id<"tenant">; id: Id<"session">; userId: Id<"user"> },
  by: { actor: audit.Actor; context: RequestContext; includingOffline: boolean },
): Promise<void> {
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    if (!(await repo.markRevoked(tx, session.tenantId, session.id, now))) return;
    await revokeFamiliesOfSession(tx, session.tenantId, session.id, {
      includingOffline: by.includingOffline,
      now,
    });
    await audit.record(tx, {
      tenantId: session.tenantId,
      type: "user.logout",
      actor: by.actor,
      target: { type: "session", id: session.id },
      context: by.context,
      now,
    });
  });
}

/** Ends every session and every token of a user, in the caller's transaction. */
export async function endAllSessions(
  executor: Executor,
  user: { tenantId: Id<"tenant">; id: Id<"user"> },
  by: { actor: audit.Actor; context: RequestContext; reason: string; now: Date },
): Promise<void> {
  const sessions = await repo.markAllRevoked(executor, user.tenantId, user.id, by.now);
  await revokeAllFamiliesOfUser(executor, user.tenantId, user.id, by.reason, by.now);
  await audit.record(executor, {
    tenantId: user.tenantId,
    type: "session.revoked_all",
    actor: by.actor,
    target: { type: "user", id: user.id },
    details: { sessions, reason: by.reason },
    context: by.context,
    now: by.now,
  });
}
