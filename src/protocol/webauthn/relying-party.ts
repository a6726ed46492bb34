/** Who the relying party is (WebAuthn Level 3 §13.4.9): a matter of configuration, never of what a request says. */
export interface RelyingParty {
  /** The domain that credentials are scoped to. */
  readonly id: string;
  readonly origin: string;
}

/** @param issuer the tenant's configured issuer URL */
export function relyingPartyOf(issuer: string): RelyingParty {
  const { hostname, origin } = new URL(issuer);
  return { id: hostname, origin };
}

/** How much a relying party wants the user to be verified by the authenticator (§5.8.6). */
export type UserVerification = "required" | "preferred" | "discouraged";

/** Ed25519, ES256, RS256 (COSE Algorithms registry), in our order of preference. */
export const ALGORITHMS = [-8, -7, -257];

/** For so long a browser asks its user, in milliseconds: as long as the challenge works. */
export const TIMEOUT_MILLISECONDS = 5 * 60 * 1000;
