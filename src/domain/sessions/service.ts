import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { matchesHash, newSecretToken, parseSecretToken } from "../../lib/secret-token.ts";
import { acrOf } from "../../protocol/oidc/acr.ts";
import type { RequestContext } from "../request-context.ts";
import { findStandingImpersonation, type Impersonation } from "../impersonation/standing.ts";
import { findTenantById } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import * as repo from "./repo.ts";

export { endAllSessions, endSession } from "./ending.ts";
export { findSignIn, signedInFrom } from "./sign-ins/service.ts";

export { lockLiveSession, sessionInsert, sessionRenewal, type SessionRecord } from "./repo.ts";

/** A live sign-in, with the user it belongs to. */
export interface Session {
  readonly id: Id<"session">;
  readonly user: User;
  readonly authTime: Date;
  readonly acr: string;
  readonly amr: readonly string[];
  readonly expiresAt: Date;
  /** Set where an administrator is signed in as the user. */
  readonly impersonation: Impersonation | undefined;
}

export interface SessionStart {
  readonly tenantId: Id<"tenant">;
  readonly userId: Id<"user">;
  /** RFC 8176 values; they decide the `acr`. */
  readonly amr: readonly string[];
  readonly lifetimeSeconds: number;
  readonly withCookie: boolean;
  /** Where it is an administrator's, who signs in as the user. */
  readonly impersonationId?: Id<"impersonation">;
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
  const { row, started } = newSession(start);
  await repo.insertSession(executor, row);
  return started;
}

/**
 * What is stored of a session that begins, for a larger statement (`sessionInsert`), and what its user keeps.
 * @param id of one that stands, which is made a fresh one (`sessionRenewal`): the same user proved again who they are. Its
 *   cookie changes, the tokens that hang on it stay
 */
export function newSession(start: SessionStart, id: Id<"session"> = newId("session")) {
  const { tenantId, userId, context, now } = start;
  const secret = start.withCookie ? newSecretToken(id) : undefined;
  const proof = { authTime: now, acr: acrOf(start.amr), amr: [...start.amr] };
  const expiresAt = addSeconds(now, start.lifetimeSeconds);
  const row = {
    tenantId,
    id,
    userId,
    secretHash: secret?.hash ?? null,
    ...proof,
    ip: context.ip ?? null,
    userAgent: context.userAgent ?? null,
    impersonationId: start.impersonationId ?? null,
    createdAt: now,
    lastSeenAt: now,
    expiresAt,
  };
  const started: StartedSession = { id, ...proof, expiresAt, cookie: secret?.token };
  return { row, started };
}

/** How the user of a live session proved who they are. */
export interface SessionProof {
  readonly id: Id<"session">;
  readonly authTime: Date;
  readonly acr: string;
  readonly amr: readonly string[];
}

/** @returns undefined for a session that has ended, and for an administrator's, who proved nothing of the user's */
export async function findSessionProof(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: Id<"session">,
): Promise<SessionProof | undefined> {
  const found = await repo.findWithUser(deps.db, tenantId, id);
  if (!found || found.session.revokedAt || found.session.expiresAt <= deps.clock.now()) return undefined;
  if (found.session.impersonationId) return undefined;
  const { authTime, acr, amr } = found.session;
  return { id, authTime, acr, amr };
}

/**
 * Notes that the user of a session proved more than they had, in the caller's transaction. Its tokens stay, and tell so
 * from their next refresh on.
 * @param proof without `authTime` what was proved before is as old as it was
 * @returns false when the session was ended meanwhile
 */
export function raiseSession(
  executor: Executor,
  session: { tenantId: Id<"tenant">; id: Id<"session"> },
  proof: { amr: readonly string[]; authTime?: Date },
): Promise<boolean> {
  const { amr, authTime } = proof;
  return repo.raise(executor, session, { amr: [...amr], acr: acrOf(amr), ...(authTime ? { authTime } : {}) });
}

/** The live session that a cookie's value belongs to. Anything else (forged, expired, revoked) is no session. */
export async function findSessionByCookie(
  deps: Deps,
  tenantId: Id<"tenant">,
  cookie: string | undefined,
): Promise<Session | undefined> {
  const parsed = cookie === undefined ? undefined : parseSecretToken("session", cookie);
  if (!parsed) return undefined;
  const [found, tenant] = await Promise.all([
    repo.findWithUser(deps.db, tenantId, parsed.id),
    findTenantById(deps, tenantId),
  ]);
  if (!found?.session.secretHash || !matchesHash(parsed.secret, found.session.secretHash)) return undefined;
  const { session, user } = found;
  const now = deps.clock.now();
  const idleSeconds = tenant?.settings.session_idle_timeout ?? 0;
  if (!isLiveSession(session, idleSeconds, now) || !user.enabled) return undefined;
  const { impersonationId } = session;
  const impersonation = impersonationId
    ? await findStandingImpersonation(deps, tenantId, impersonationId, user)
    : undefined;
  if (impersonationId && !impersonation) return undefined;
  await touch(deps, session, idleSeconds, now);
  return {
    id: session.id,
    user,
    authTime: session.authTime,
    acr: session.acr,
    amr: session.amr,
    expiresAt: session.expiresAt,
    impersonation,
  };
}

/**
 * Whether a session stands: not ended, within its lifetime and, if a browser holds it, used lately enough.
 * @param idleSeconds the tenant's `session_idle_timeout`; 0: a session may be left unused
 */
export function isLiveSession(
  session: { revokedAt: Date | null; expiresAt: Date; lastSeenAt: Date; secretHash: Buffer | null },
  idleSeconds: number,
  now: Date,
): boolean {
  if (session.revokedAt || session.expiresAt <= now) return false;
  const mayIdle = idleSeconds === 0 || session.secretHash === null;
  return mayIdle || addSeconds(session.lastSeenAt, idleSeconds) > now;
}

/**
 * Whether it is time to write down that a session is used: once a minute, and more often only where it would end sooner than
 * that by itself. What is written for each request would be waited for by all requests of the same session.
 * @param lifetimeSeconds how long it lives from its last use, where it has no end of its own
 */
export function isTouchDue(
  session: { lastSeenAt: Date },
  idleSeconds: number,
  now: Date,
  lifetimeSeconds = Number.POSITIVE_INFINITY,
): boolean {
  const everySeconds = Math.min(60, lifetimeSeconds / 4, idleSeconds === 0 ? 60 : idleSeconds / 4);
  return addSeconds(session.lastSeenAt, everySeconds) <= now;
}

async function touch(deps: Deps, session: repo.SessionRow, idleSeconds: number, now: Date): Promise<void> {
  const due = isTouchDue(session, idleSeconds, now);
  if (due) await repo.touch(deps.db, session, { seenAt: session.lastSeenAt, now });
}
