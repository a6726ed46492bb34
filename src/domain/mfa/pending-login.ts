/** Sign-ins between their two factors. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { AppError } from "../../lib/errors.ts";
import {
  consumeOneChallenge,
  countAttempt,
  findOpenChallenge,
  openChallenge,
} from "../challenges/service.ts";
import { lockPasswordVersion } from "../passwords/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { findUserById, type User } from "../users/service.ts";
import {
  type FirstFactor,
  firstFactorMethods,
  type PendingLogin,
  type PendingLoginOffer,
  type SecondFactorDecision,
  type SignInSurface,
} from "./model.ts";

/** Wrong answers that a pending login forgives, whoever sends them, to whichever process. */
export const MAX_ATTEMPTS = 5;

/** One answer for a token that is forged, used, too old, used up, or of another kind than is needed. */
export const invalidMfaToken = () =>
  new AppError(401, "invalid_mfa_token", "This sign-in has expired. Please start again.");

/** Opens a pending login in the transaction that saw the first factor hold. */
export async function openPendingLogin(
  executor: Executor,
  login: {
    user: User;
    first: FirstFactor;
    surface: SignInSurface;
    decision: Extract<SecondFactorDecision, { kind: "verify" | "enroll" }>;
    now: Date;
  },
): Promise<PendingLoginOffer> {
  const { user, first, surface, decision, now } = login;
  const passwordChangedAt = await lockPasswordVersion(executor, user.tenantId, user.id);
  const { token, expiresAt } = await openChallenge(executor, {
    tenantId: user.tenantId,
    kind: "pending_login",
    userId: user.id,
    data: {
      purpose: decision.kind,
      first,
      surface,
      password_changed_at: passwordChangedAt?.toISOString() ?? null,
    },
    now,
  });
  return { token, purpose: decision.kind, methods: decision.methods, expiresAt };
}

/**
 * The pending login behind a token, on the surface it was begun on and for what it is good for.
 * @throws AppError 401 `invalid_mfa_token`
 */
export async function requirePendingLogin(
  deps: Deps,
  tenant: Tenant,
  token: string,
  wanted: { purpose: PendingLogin["purpose"]; surface: SignInSurface["kind"] },
): Promise<PendingLogin> {
  const challenge = await findOpenChallenge(deps.db, tenant.id, "pending_login", token, deps.clock.now());
  const user = challenge?.userId && (await findUserById(deps, tenant.id, challenge.userId));
  const login = challenge && user && readLogin(challenge, user);
  if (!login?.user.enabled || login.purpose !== wanted.purpose || login.surface.kind !== wanted.surface)
    throw invalidMfaToken();
  return login;
}

/**
 * Counts an answer before it is looked at.
 * @throws AppError 401 `invalid_mfa_token` when there were too many
 */
export async function countAnswer(deps: Deps, tenant: Tenant, login: PendingLogin): Promise<void> {
  const counted = await countAttempt(deps.db, {
    tenantId: tenant.id,
    kind: "pending_login",
    id: login.id,
    most: MAX_ATTEMPTS,
    now: deps.clock.now(),
  });
  if (!counted) throw invalidMfaToken();
}

/**
 * Uses a pending login up, in the transaction that begins the session. One with a password that is another one by now
 * comes to nothing: whoever knew the old one is to be shut out.
 * @throws AppError 401 `invalid_mfa_token`
 */
export async function consumePendingLogin(
  executor: Executor,
  login: PendingLogin,
  token: string,
  now: Date,
): Promise<void> {
  const { tenantId, id: userId } = login.user;
  const consumed = await consumeOneChallenge(executor, tenantId, "pending_login", token, now);
  const changedAt = await lockPasswordVersion(executor, tenantId, userId);
  if (!consumed || changedAt?.getTime() !== login.passwordChangedAt?.getTime()) throw invalidMfaToken();
}

function readLogin(
  challenge: { id: PendingLogin["id"]; data: Record<string, unknown>; expiresAt: Date },
  user: User,
): PendingLogin | undefined {
  const { purpose, first, surface, password_changed_at: changedAt } = challenge.data;
  const readFirst = readFirstFactor(first);
  const readSurface = readSignInSurface(surface);
  if ((purpose !== "verify" && purpose !== "enroll") || !readFirst || !readSurface) return undefined;
  return {
    id: challenge.id,
    user,
    purpose,
    first: readFirst,
    surface: readSurface,
    passwordChangedAt: typeof changedAt === "string" ? new Date(changedAt) : undefined,
    expiresAt: challenge.expiresAt,
  };
}

function readFirstFactor(stored: unknown): FirstFactor | undefined {
  if (typeof stored !== "object" || stored === null || !("method" in stored) || !("amr" in stored))
    return undefined;
  const method = firstFactorMethods.find((one) => one === stored.method);
  const amr = Array.isArray(stored.amr) ? stored.amr.filter((one) => typeof one === "string") : [];
  return method && { method, amr };
}

function readSignInSurface(stored: unknown): SignInSurface | undefined {
  if (typeof stored !== "object" || stored === null || !("kind" in stored)) return undefined;
  if (stored.kind === "native") return { kind: "native" };
  if (stored.kind !== "browser") return undefined;
  return { kind: "browser", remembered: "remembered" in stored && stored.remembered === true };
}
