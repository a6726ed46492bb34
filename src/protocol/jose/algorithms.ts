/**
 * The signature algorithms that we sign and verify with (RFC 7518 §3.1, RFC 8037 §3.1). `EdDSA` is always Ed25519,
 * under the name that clients know. There is no `none` and no HMAC: a verifier that takes our public key for an HMAC
 * secret is how algorithms get confused (RFC 8725 §2.1).
 */
export const signingAlgorithms = ["RS256", "PS256", "ES256", "EdDSA"] as const;

export type SigningAlgorithm = (typeof signingAlgorithms)[number];

export function isSigningAlgorithm(value: unknown): value is SigningAlgorithm {
  return signingAlgorithms.some((alg) => alg === value);
}

/** For `generateKeyPair(alg, …)` of jose: RSA keys of the least size that RFC 7518 §3.3 allows, sealed by us afterwards. */
export const keyGenerationOptions = { modulusLength: 2048, extractable: true } as const;

/** What `at_hash` is made with (OpenID Connect Core §3.1.3.6), in node:crypto's spelling. */
export function hashOfAlgorithm(alg: SigningAlgorithm): "sha256" | "sha512" {
  return alg === "EdDSA" ? "sha512" : "sha256";
}
