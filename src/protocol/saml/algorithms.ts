/**
 * The algorithms that signatures of others are accepted in. A list of what is allowed, and for each the one kind of key
 * that it goes with: a public key can never be taken for the secret of an HMAC.
 */
import { createHash, type KeyObject, verify } from "node:crypto";
import { SamlError } from "./errors.ts";

interface SignatureAlgorithm {
  readonly hash: "sha1" | "sha256" | "sha384" | "sha512";
  readonly keyType: "rsa" | "ec";
}

/** RFC 6931 §2.3; SHA-1: xmldsig-core §6.4.2. */
const signatureAlgorithms: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  ["http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", { hash: "sha256", keyType: "rsa" }],
  ["http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", { hash: "sha384", keyType: "rsa" }],
  ["http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", { hash: "sha512", keyType: "rsa" }],
  ["http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", { hash: "sha256", keyType: "ec" }],
  ["http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", { hash: "sha384", keyType: "ec" }],
  ["http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512", { hash: "sha512", keyType: "ec" }],
  ["http://www.w3.org/2000/09/xmldsig#rsa-sha1", { hash: "sha1", keyType: "rsa" }],
]);

const digestAlgorithms: ReadonlyMap<string, SignatureAlgorithm["hash"]> = new Map([
  ["http://www.w3.org/2001/04/xmlenc#sha256", "sha256"],
  ["http://www.w3.org/2001/04/xmldsig-more#sha384", "sha384"],
  ["http://www.w3.org/2001/04/xmlenc#sha512", "sha512"],
  ["http://www.w3.org/2000/09/xmldsig#sha1", "sha1"],
]);

/** Whose signatures are trusted, and how weak they may be. */
export interface SignaturePolicy {
  /** From the configured certificates alone; several while the other party changes from one to the next. */
  readonly keys: readonly KeyObject[];
  /** For identity providers that cannot do better: collisions of SHA-1 have been made since 2017. */
  readonly allowSha1: boolean;
}

const LEAST_RSA_BITS = 2048;

/** @throws SamlError when no trusted key made this signature over these bytes by an algorithm that is allowed */
export function verifyBytes(
  bytes: Buffer,
  { algorithm, value }: { algorithm: string | undefined; value: Buffer },
  { keys, allowSha1 }: SignaturePolicy,
): void {
  const known = signatureAlgorithms.get(algorithm ?? "");
  if (!known || (known.hash === "sha1" && !allowSha1))
    throw new SamlError("signature_algorithm", "a signature algorithm that is not accepted");
  const { hash, keyType } = known;
  const fits = (key: KeyObject) => key.asymmetricKeyType === keyType && isStrong(key);
  // xmldsig-core §6.4.1, ECDSA as of RFC 4050 §3.3: r and s, one after the other.
  const valid = keys.some(
    (key) => fits(key) && verify(hash, bytes, { key, dsaEncoding: "ieee-p1363" }, value),
  );
  if (!valid) throw new SamlError("signature_mismatch", "no configured certificate made this signature");
}

const isStrong = (key: KeyObject) =>
  key.asymmetricKeyType !== "rsa" || (key.asymmetricKeyDetails?.modulusLength ?? 0) >= LEAST_RSA_BITS;

/** @throws SamlError for an algorithm that is not accepted */
export function digestBytes(bytes: Buffer, algorithm: string | undefined, allowSha1: boolean): Buffer {
  const hash = digestAlgorithms.get(algorithm ?? "");
  if (!hash || (hash === "sha1" && !allowSha1))
    throw new SamlError("digest_algorithm", "a digest algorithm that is not accepted");
  return createHash(hash).update(bytes).digest();
}
