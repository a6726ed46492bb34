import type { Executor } from "../../db/client.ts";
import { addSeconds } from "../../lib/clock.ts";
import { hmacSha256, sha256 } from "../../lib/crypto.ts";
import type { Id } from "../../lib/ids.ts";
import { formatSecretToken, matchesHash, parseSecretToken } from "../../lib/secret-token.ts";
import * as repo from "./repo.ts";
import type { Challenge, ChallengeKind } from "./repo.ts";

export type { Challenge, ChallengeKind } from "./repo.ts";

/** How long each kind of link works, in seconds. */
export const challengeLifetimeSeconds: Record<ChallengeKind, number> = {
  verify_email: 24 * 60 * 60,
  reset_password: 60 * 60,
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
    linkKey: Uint8Array;
    now: Date;
  },
): Promise<string> {
  const { linkKey, now, ...record } = challenge;
  const secret = hmacSha256(linkKey, `${challenge.kind}/${challenge.id}`).toString("base64url");
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

/** Consumes a link, once. All other open links of the same kind and user end with it. */
export async function consumeChallenge(
  executor: Executor,
  tenantId: Id<"tenant">,
  kind: ChallengeKind,
  token: string,
  now: Date,
): Promise<Challenge | undefined> {
  const open = await findOpenChallenge(executor, tenantId, kind, token, now);
  if (!open) return undefined;
  const consumed = await repo.consumeOpen(executor, tenantId, kind, open.userId, now);
  return consumed.find(({ id }) => id === open.id);
}
