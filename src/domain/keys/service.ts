import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { sha256 } from "../../lib/crypto.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { sealWith, unsealWith } from "../../lib/master-keys.ts";
import {
  isSigningAlgorithm,
  keyGenerationOptions,
  type SigningAlgorithm,
} from "../../protocol/jose/algorithms.ts";
import {
  importSigningKey,
  importVerificationKey,
  jwkSet,
  publicJwk,
  publicJwkOf,
  type SigningKey,
  type VerificationKey,
} from "../../protocol/jose/keys.ts";
import * as audit from "../audit/service.ts";
import { systemContext } from "../request-context.ts";
import * as repo from "./repo.ts";

/** A tenant's keys, opened and ready to use. */
export interface KeyRing {
  /** The newest key of this algorithm that signs at `now`. */
  signingKey(alg: SigningAlgorithm, now: Date): SigningKey;
  verificationKey(kid: string): VerificationKey | undefined;
  /** When the first of its keys is retired: from then on the ring has to be opened anew. */
  readonly soundUntil: Date | undefined;
  /** The JWK set (RFC 7517 §5), serialised once. */
  readonly jwks: { readonly body: string; readonly etag: string };
}

/** What every tenant signs with from its first day. PS256 clients get a key of their own when one is registered. */
export const INITIAL_ALGORITHMS = ["ES256", "RS256", "EdDSA"] as const satisfies readonly SigningAlgorithm[];

/** @throws Error when the tenant has no keys or they cannot be opened: nothing can be signed then. */
export async function keyRingOf(deps: Deps, tenantId: Id<"tenant">): Promise<KeyRing> {
  const cache = deps.caches.named<KeyRing>("signing-keys", ["signing_keys"]);
  const load = async () => openRing(deps, await repo.findPublished(deps.db, tenantId, deps.clock.now()));
  const now = deps.clock.now();
  let ring = await cache.get(tenantId, "ring", load);
  if (ring?.soundUntil && ring.soundUntil <= now) {
    cache.forget(tenantId);
    ring = await cache.get(tenantId, "ring", load);
  }
  if (!ring) throw new Error(`tenant ${tenantId} has no signing keys`);
  return ring;
}

function openRing(deps: Deps, rows: repo.SigningKeyRow[]): KeyRing | undefined {
  if (rows.length === 0) return undefined;
  const keys = rows.map((row) => openKey(deps, row));
  const body = JSON.stringify(jwkSet(keys.map(({ jwk }) => jwk)));
  const byKid = new Map(keys.map((key) => [key.verification.kid, key.verification]));
  return {
    signingKey(alg, now) {
      const key = keys.findLast(({ signing, activeFrom }) => signing.alg === alg && activeFrom <= now);
      if (!key) throw new Error(`no active ${alg} key`);
      return key.signing;
    },
    verificationKey: (kid) => byKid.get(kid),
    soundUntil: keys
      .flatMap(({ retiredAt }) => retiredAt ?? [])
      .toSorted((a, b) => a.getTime() - b.getTime())[0],
    jwks: { body, etag: `"${sha256(body).toString("base64url").slice(0, 22)}"` },
  };
}

function openKey(deps: Deps, row: repo.SigningKeyRow) {
  const { alg, id: kid } = row;
  if (!isSigningAlgorithm(alg)) throw new Error(`signing key ${kid} is of an unknown algorithm`);
  const sealed = { keyId: row.masterKeyId, box: row.sealedPrivateKey };
  const pkcs8 = unsealWith(deps.config.masterKeys, sealed, contextOf(kid));
  return {
    activeFrom: row.activeFrom,
    retiredAt: row.retiredAt,
    signing: importSigningKey(kid, alg, pkcs8),
    verification: importVerificationKey(kid, alg, row.publicJwk),
    jwk: publicJwk(kid, alg, row.publicJwk),
  };
}

const contextOf = (kid: string) => `signing-key/${kid}`;

/** Makes a new tenant's keys, in the transaction that makes the tenant. */
export async function createInitialKeys(
  deps: Deps,
  executor: Executor,
  tenantId: Id<"tenant">,
): Promise<void> {
  const now = deps.clock.now();
  const rows = await Promise.all(INITIAL_ALGORITHMS.map((alg) => newKeyRow(deps, tenantId, alg, now)));
  await repo.insertKeys(executor, rows);
  await audit.record(
    executor,
    ...rows.map((row) => ({
      tenantId,
      type: "key.created" as const,
      actor: { type: "system" } as const,
      target: { type: "signing_key", id: row.id } as const,
      details: { alg: row.alg },
      context: systemContext,
      now,
    })),
  );
}

async function newKeyRow(deps: Deps, tenantId: Id<"tenant">, alg: SigningAlgorithm, now: Date) {
  const kid = newId("signingKey");
  const privateKey = await generatePrivateKey(alg);
  const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
  const sealed = sealWith(deps.config.masterKeys, pkcs8, contextOf(kid));
  return {
    tenantId,
    id: kid,
    alg,
    publicJwk: { ...publicJwkOf({ kid, alg, privateKey }) },
    sealedPrivateKey: sealed.box,
    masterKeyId: sealed.keyId,
    createdAt: now,
    activeFrom: now,
    retiredAt: null,
  };
}

const generate = promisify(generateKeyPair);

async function generatePrivateKey(alg: SigningAlgorithm): Promise<KeyObject> {
  switch (alg) {
    case "ES256":
      return (await generate("ec", { namedCurve: "P-256" })).privateKey;
    case "EdDSA":
      return (await generate("ed25519")).privateKey;
    case "RS256":
    case "PS256":
      return (await generate("rsa", { modulusLength: keyGenerationOptions.modulusLength })).privateKey;
  }
}
