import type { Executor } from "../../db/client.ts";
import { addSeconds } from "../../lib/clock.ts";
import { hmacSha256, sha256 } from "../../lib/crypto.ts";
import { type Id, newId } from "../../lib/ids.ts";
import type { PurposeKeys } from "../../lib/master-keys.ts";
import { formatSecretToken, matchesHash, newSecretToken, parseSecretToken } from "../../lib/secret-token.ts";
import * as repo from "./repo.ts";
import type { Challenge, ChallengeKind } from "./repo.ts";

export type { Challenge, ChallengeKind } from "./repo.ts";

/** How long each kind works, in seconds. */
export const challengeLifetimeSeconds: Record<ChallengeKind, number> = {
  verify_email: 24 * 60 * 60,
  reset_password: 60 * 60,
  // As long as the longest lockout.
  unlock_account: 24 * 60 * 60,
  pending_login: 5 * 60,
  passkey_registration: 5 * 60,
  passkey_assertion: 5 * 60,
  passkey_sign_up: 5 * 60,
  // People look for their password there, and for their phone.
  federation: 15 * 60,
  // One redirect, to ourselves.
  saml_answer: 2 * 60,
  saml_upstream_logout: 10 * 60,
  // A redirect and back.
  saml_logout: 5 * 60,
};

/**
 * The token of a mailed link. Its secret is derived from the challenge's id under a key that only this server has,
 * not drawn at random: a job that is tried again mails the same link again, byte for byte, and mail providers that
 * fold equal messages into one can do so. Only the SHA-256 is stored, as for any other secret.
 */
export async function openLinkChallenge(
  executor: Executor,
  challenge: {
    tenantId: Id<"tenant">;
    /** Chosen by the caller, so that trying again opens the same challenge. */
    id: Id<"challenge">;
    kind: ChallengeKind;
    userId: Id<"user">;
    data: Record<string, unknown>;
    linkKeys: PurposeKeys;
    now: Date;
  },
): Promise<string> {
  const { linkKeys, now, ...record } = challenge;
  const secret = hmacSha256(linkKeys[0].key, `${challenge.kind}/${challenge.id}`).toString("base64url");
  await repo.upsertChallenge(executor, {
    ...record,
    hash: sha256(secret),
    createdAt: now,
    expiresAt: addSeconds(now, challengeLifetimeSeconds[challenge.kind]),
  });
  return formatSecretToken(challenge.id, secret);
}

/** The challenge behind a link, if the link would still work. Changes nothing: mail scanners open links too. */
export async function findOpenChallenge(
  executor: Executor,
  tenantId: Id<"tenant">,
  kind: ChallengeKind,
  token: string,
  now: Date,
): Promise<Challenge | undefined> {
  const parsed = parseSecretToken("challenge", token);
  if (!parsed) return undefined;
  const challenge = await repo.findOpen(executor, tenantId, kind, parsed.id, now);
  return challenge && matchesHash(parsed.secret, challenge.hash) ? challenge : undefined;
}

/** A link's challenge is somebody's, always. */
export type LinkChallenge = Challenge & { userId: Id<"user"> };

/** Consumes a link, once. All other open links of the same kind and user end with it. */
export async function consumeChallenge(
  executor: Executor,
  tenantId: Id<"tenant">,
  kind: ChallengeKind,
  token: string,
  now: Date,
): Promise<LinkChallenge | undefined> {
  const open = await findOpenChallenge(executor, tenantId, kind, token, now);
  const userId = open?.userId;
  if (!open || !userId) return undefined;
  const consumed = await repo.consumeOpen(executor, tenantId, kind, userId, now);
  const challenge = consumed.find(({ id }) => id === open.id);
  return challenge && { ...challenge, userId };
}

/** Opens a challenge whose token (`chal_…`, 256 random bits) is given to whoever asked, and is theirs to bring back. */
export async function openChallenge(
  executor: Executor,
  challenge: {
    tenantId: Id<"tenant">;
    kind: ChallengeKind;
    userId: Id<"user"> | null;
    data: Record<string, unknown>;
    now: Date;
  },
): Promise<{ id: Id<"challenge">; token: string; expiresAt: Date }> {
  const { now, ...record } = challenge;
  const id = newId("challenge");
  const { token, hash } = newSecretToken(id);
  const expiresAt = addSeconds(now, challengeLifetimeSeconds[challenge.kind]);
  await repo.insertChallenge(executor, { ...record, id, hash, createdAt: now, expiresAt });
  return { id, token, expiresAt };
}

/** Consumes one challenge by its token, and no other. Of two requests that race, one gets it. */
export async function consumeOneChallenge(
  executor: Executor,
  tenantId: Id<"tenant">,
  kind: ChallengeKind,
  token: string,
  now: Date,
): Promise<Challenge | undefined> {
  const parsed = parseSecretToken("challenge", token);
  if (!parsed) return undefined;
  return repo.consumeOne(executor, { tenantId, kind, id: parsed.id, hash: sha256(parsed.secret), now });
}

/**
 * Counts an attempt at an open challenge, before what was sent is looked at: requests that race get no more attempts
 * than those that queue. Outside of any transaction that a wrong answer rolls back.
 * @returns false when it has no attempt left, or is open no more
 */
export const countAttempt = repo.countAttempt;
