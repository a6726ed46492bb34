import type { KeyObject } from "node:crypto";
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { sha256 } from "../../lib/crypto.ts";
import { type Id, isId } from "../../lib/ids.ts";
import type { SigningAlgorithm } from "../../protocol/jose/algorithms.ts";
import { jwkSet, type SigningKey, type VerificationKey } from "../../protocol/jose/keys.ts";
import * as audit from "../audit/service.ts";
import { systemContext } from "../request-context.ts";
import { newKeyRow, openFormerKey, openKey } from "./material.ts";
import * as repo from "./repo.ts";

/** A tenant's keys, opened and ready to use. */
export interface KeyRing {
  /** Those that it can sign with. */
  readonly algorithms: readonly SigningAlgorithm[];
  /**
   * The newest key of this algorithm that signs at `now`.
   * @throws Error when there is none; `signingKeyOf` makes one instead
   */
  signingKey(alg: SigningAlgorithm, now: Date): SigningKey;
  verificationKey(kid: string): VerificationKey | undefined;
  /**
   * The same, and also keys that were retired within the last 90 days: for an id_token_hint, which may be as old as the
   * session that it tells of (OpenID Connect Core §3.1.2.1). Revoked keys are never among them.
   */
  hintVerificationKey(kid: string): VerificationKey | undefined;
  /** Certificates (DER) of its published RSA keys, by kid. */
  readonly certificates: ReadonlyMap<string, Uint8Array>;
  /** The private halves of its published RS256 keys, the newest first: a peer may still encrypt for a former one. */
  readonly decryptionKeys: readonly KeyObject[];
  /** When the first of its keys begins to sign or is retired: from then on the ring has to be opened anew. */
  readonly soundUntil: Date | undefined;
  /** The JWK set (RFC 7517 §5), serialised once. */
  readonly jwks: { readonly body: string; readonly etag: string };
}

/**
 * What every tenant signs with from its first day. PS256 is wanted by few and costs an RSA key: it is made when the
 * first client is registered for it.
 */
export const INITIAL_ALGORITHMS = ["ES256", "RS256", "EdDSA"] as const satisfies readonly SigningAlgorithm[];

/** As long as the longest session. */
export const HINT_SECONDS = 90 * 86_400;

/** An open ring takes some 30 KB (measured), and 1 to 2 ms to open again. */
const RINGS_KEPT = 2000;
const cacheOf = (deps: Deps) => deps.caches.named<KeyRing>("signing-keys", ["signing_keys"], RINGS_KEPT);

/** @throws Error when the tenant has no keys or they cannot be opened: nothing can be signed then. */
export async function keyRingOf(deps: Deps, tenantId: Id<"tenant">): Promise<KeyRing> {
  const cache = cacheOf(deps);
  const load = async () => {
    const now = deps.clock.now();
    return openRing(deps, await repo.findUsable(deps.db, tenantId, addSeconds(now, -HINT_SECONDS)), now);
  };
  const now = deps.clock.now();
  let ring = await cache.get(tenantId, "ring", load);
  if (ring?.soundUntil && ring.soundUntil <= now) {
    cache.forget(tenantId);
    ring = await cache.get(tenantId, "ring", load);
  }
  if (!ring) throw new Error(`tenant ${tenantId} has no signing keys`);
  return ring;
}

/**
 * The keys to verify with what names this one. Another process may have made it a moment ago, and signed with it since: the ring is
 * read anew where the tenant has the key and the ring does not, so that nothing fails while the news of it is under way.
 */
export async function keyRingWith(deps: Deps, tenantId: Id<"tenant">, kid: string): Promise<KeyRing> {
  const ring = await keyRingOf(deps, tenantId);
  if (ring.verificationKey(kid) || !isId("signingKey", kid)) return ring;
  if (!(await repo.isPublishedKey(deps.db, tenantId, kid, deps.clock.now()))) return ring;
  forgetKeyRing(deps, tenantId);
  return keyRingOf(deps, tenantId);
}

/** Has this process read the tenant's keys anew; the others are told by the database. */
export const forgetKeyRing = (deps: Deps, tenantId: Id<"tenant">) =>
  deps.caches.changed("signing_keys", tenantId);

function openRing(deps: Deps, rows: repo.SigningKeyRow[], now: Date): KeyRing | undefined {
  const published = rows.filter(({ retiredAt }) => !retiredAt || retiredAt > now);
  if (published.length === 0) return undefined;
  const keys = published.map((row) => openKey(deps, row));
  const former = rows.filter((row) => !published.includes(row)).map(openFormerKey);
  const body = JSON.stringify(jwkSet(keys.map(({ jwk }) => jwk)));
  const byKid = new Map(keys.map((key) => [key.verification.kid, key.verification]));
  const formerByKid = new Map(former.map((key) => [key.kid, key]));
  const active = keys.filter(({ activeFrom }) => activeFrom <= now);
  const changes = keys.flatMap(({ activeFrom, retiredAt }) => [activeFrom, retiredAt ?? []].flat());
  return {
    algorithms: [...new Set(active.map(({ signing }) => signing.alg))],
    signingKey(alg, at) {
      const key = keys.findLast(({ signing, activeFrom }) => signing.alg === alg && activeFrom <= at);
      if (!key) throw new Error(`no active ${alg} key`);
      return key.signing;
    },
    verificationKey: (kid) => byKid.get(kid),
    hintVerificationKey: (kid) => byKid.get(kid) ?? formerByKid.get(kid),
    certificates: new Map(
      published.flatMap(({ id, certificate }) => (certificate ? [[id, certificate] as const] : [])),
    ),
    decryptionKeys: keys
      .filter(({ signing }) => signing.alg === "RS256")
      .map(({ signing }) => signing.privateKey)
      .toReversed(),
    soundUntil: changes.filter((moment) => moment > now).toSorted((a, b) => a.getTime() - b.getTime())[0],
    jwks: { body, etag: `"${sha256(body).toString("base64url").slice(0, 22)}"` },
  };
}

/**
 * The key to sign with now. Never fails for want of a key: a tenant that has none of this algorithm gets one.
 * @throws Error when the tenant's keys cannot be opened
 */
export async function signingKeyOf(
  deps: Deps,
  tenantId: Id<"tenant">,
  alg: SigningAlgorithm,
): Promise<SigningKey> {
  const ring = await keyRingOf(deps, tenantId);
  if (ring.algorithms.includes(alg)) return ring.signingKey(alg, deps.clock.now());
  await ensureKeyFor(deps, tenantId, alg);
  return (await keyRingOf(deps, tenantId)).signingKey(alg, deps.clock.now());
}

/**
 * Makes the tenant's first key of an algorithm, unless it has one. For whoever registers a client for it: to be called
 * before their transaction, since making a key is slow; a key too many does no harm. It signs at once, since nobody
 * can have fetched the JWK set in expectation of tokens that it signs.
 */
export async function ensureKeyFor(deps: Deps, tenantId: Id<"tenant">, alg: SigningAlgorithm): Promise<void> {
  if ((await keyRingOf(deps, tenantId)).algorithms.includes(alg)) return;
  const now = deps.clock.now();
  const row = await newKeyRow(deps, tenantId, alg, { now });
  await deps.db.transaction(async (tx) => {
    await repo.lockKeys(tx, tenantId);
    const keys = await repo.findKeys(tx, tenantId, alg, now);
    if (keys.some(({ activeFrom }) => activeFrom <= now)) return;
    await insertKeys(tx, [row], "first_use");
  });
  forgetKeyRing(deps, tenantId);
}

/** Makes a new tenant's keys, in the transaction that makes the tenant. */
export async function createInitialKeys(
  deps: Deps,
  executor: Executor,
  tenantId: Id<"tenant">,
): Promise<void> {
  const now = deps.clock.now();
  const rows = await Promise.all(INITIAL_ALGORITHMS.map((alg) => newKeyRow(deps, tenantId, alg, { now })));
  await insertKeys(executor, rows, "tenant_created");
}

/** Why a key was made, as the audit trail says it. */
export type KeyReason = "tenant_created" | "first_use" | "scheduled" | "requested" | "replacement";

/** Keeps keys that were just made, with what the audit trail says about them, in the caller's transaction. */
export async function insertKeys(
  executor: Executor,
  rows: repo.NewSigningKeyRow[],
  reason: KeyReason,
): Promise<void> {
  await repo.insertKeys(executor, rows);
  await audit.record(
    executor,
    ...rows.map((row) => ({
      tenantId: row.tenantId,
      type: "key.created" as const,
      actor: { type: "system" } as const,
      target: { type: "signing_key", id: row.id } as const,
      details: { alg: row.alg, reason, active_from: row.activeFrom.toISOString() },
      context: systemContext,
      now: row.createdAt,
    })),
  );
}
