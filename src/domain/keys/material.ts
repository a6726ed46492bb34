/** How signing keys are made, sealed for the database, and opened again. */
import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { type Id, newId, uuidFromId } from "../../lib/ids.ts";
import { type SealedBox, sealWith, unsealWith } from "../../lib/master-keys.ts";
import {
  isSigningAlgorithm,
  keyGenerationOptions,
  type SigningAlgorithm,
} from "../../protocol/jose/algorithms.ts";
import {
  importSigningKey,
  importVerificationKey,
  publicJwk,
  publicJwkOf,
  type SigningKey,
  type VerificationKey,
} from "../../protocol/jose/keys.ts";
import type { NewSigningKeyRow, SigningKeyRow } from "./repo.ts";

/** A certificate says nothing about when its key is changed: keys are told apart by the JWK set. */
const CERTIFICATE_SECONDS = 20 * 365 * 86_400;

/** Made outside of transactions: an RSA key takes a tenth of a second, and now and then several. */
export async function newKeyRow(
  deps: Deps,
  tenantId: Id<"tenant">,
  alg: SigningAlgorithm,
  { now, activeFrom = now }: { now: Date; activeFrom?: Date },
): Promise<NewSigningKeyRow> {
  const kid = newId("signingKey");
  const privateKey = await generatePrivateKey(alg);
  const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
  const sealed = sealWith(deps.config.masterKeys, pkcs8, contextOf(kid));
  return {
    tenantId,
    id: kid,
    alg,
    publicJwk: { ...publicJwkOf({ kid, alg, privateKey }) },
    certificate: alg === "RS256" ? await certificateOf(tenantId, kid, pkcs8, now) : null,
    sealedPrivateKey: sealed.box,
    masterKeyId: sealed.keyId,
    createdAt: now,
    activeFrom,
    retiredAt: null,
  };
}

async function certificateOf(
  tenantId: Id<"tenant">,
  kid: Id<"signingKey">,
  pkcs8: Buffer,
  now: Date,
): Promise<Buffer> {
  // Loaded when an RSA key is made, which is four times a year: it would be memory that no request uses.
  const { selfSignedCertificate } = await import("./certificate.ts");
  const serial = uuidFromId("signingKey", kid).replaceAll("-", "");
  return selfSignedCertificate({
    pkcs8,
    name: tenantId,
    serial,
    notBefore: now,
    notAfter: addSeconds(now, CERTIFICATE_SECONDS),
  });
}

export interface OpenKey {
  readonly activeFrom: Date;
  readonly retiredAt: Date | null;
  readonly signing: SigningKey;
  readonly verification: VerificationKey;
  readonly jwk: ReturnType<typeof publicJwk>;
}

/** @throws MasterKeyError when it cannot be opened */
export function openKey(deps: Deps, row: SigningKeyRow): OpenKey {
  const { id: kid, certificate } = row;
  const alg = algorithmOf(row);
  return {
    activeFrom: row.activeFrom,
    retiredAt: row.retiredAt,
    signing: importSigningKey(kid, alg, openPrivateKey(deps, row)),
    verification: importVerificationKey(kid, alg, row.publicJwk),
    jwk: publicJwk(kid, alg, row.publicJwk, certificate ?? undefined),
  };
}

/** The public half alone, of a key that signs no more. */
export const openFormerKey = (row: SigningKeyRow): VerificationKey =>
  importVerificationKey(row.id, algorithmOf(row), row.publicJwk);

/** The same private key, sealed under the first master key. */
export function resealed(deps: Deps, row: SigningKeyRow): SealedBox {
  return sealWith(deps.config.masterKeys, openPrivateKey(deps, row), contextOf(row.id));
}

function openPrivateKey(deps: Deps, row: SigningKeyRow): Buffer {
  const sealed = { keyId: row.masterKeyId, box: row.sealedPrivateKey };
  return unsealWith(deps.config.masterKeys, sealed, contextOf(row.id));
}

function algorithmOf({ id, alg }: SigningKeyRow): SigningAlgorithm {
  if (!isSigningAlgorithm(alg)) throw new Error(`signing key ${id} is of an unknown algorithm`);
  return alg;
}

const contextOf = (kid: string) => `signing-key/${kid}`;

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
