/** Proving possession of a credential (WebAuthn Level 3 §7.2). */
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/server";
import { encodeChallenge, WebAuthnProblem } from "./client-data.ts";
import { loadWebAuthn } from "./library.ts";
import { requireSameOriginFrame } from "./registration.ts";
import { type RelyingParty, TIMEOUT_MILLISECONDS, type UserVerification } from "./relying-party.ts";

export type { AuthenticationResponseJSON, PublicKeyCredentialRequestOptionsJSON };

/**
 * The options of `navigator.credentials.get`, in JSON (§5.1.10).
 * @param allowed empty: whichever passkey for this site that the authenticator finds
 */
export async function authenticationOptions(request: {
  relyingParty: RelyingParty;
  challenge: string;
  userVerification: UserVerification;
  allowed: readonly { readonly credentialId: Uint8Array; readonly transports: readonly string[] }[];
}): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const { generateAuthenticationOptions } = await loadWebAuthn();
  return generateAuthenticationOptions({
    rpID: request.relyingParty.id,
    challenge: request.challenge,
    timeout: TIMEOUT_MILLISECONDS,
    userVerification: request.userVerification,
    allowCredentials: request.allowed.map(({ credentialId, transports }) => ({
      id: Buffer.from(credentialId).toString("base64url"),
      transports: [...transports],
    })),
  });
}

export interface KnownCredential {
  readonly credentialId: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly userHandle: string;
  readonly backupEligible: boolean;
}

export interface Assertion {
  readonly signCount: number;
  readonly userVerified: boolean;
  readonly backedUp: boolean;
}

/**
 * Verifies what `navigator.credentials.get` answered, all but the signature counter: whether that went back is asked
 * where the stored one is replaced at the same moment.
 * @param expected the challenge is the token that was consumed for this response
 * @throws WebAuthnProblem
 */
export async function verifyAssertion(
  response: AuthenticationResponseJSON,
  credential: KnownCredential,
  expected: {
    relyingParty: RelyingParty;
    challenge: string;
    userVerification: UserVerification;
    /** A passkey that nobody named has to say whose it is (§7.2 step 6). */
    userHandleRequired: boolean;
  },
): Promise<Assertion> {
  requireSameOriginFrame(response.response.clientDataJSON);
  requireUserHandle(response.response.userHandle, credential.userHandle, expected.userHandleRequired);
  const credentialId = Buffer.from(credential.credentialId).toString("base64url");
  if (response.id !== credentialId) throw new WebAuthnProblem("the response is about another credential");
  const { verifyAuthenticationResponse } = await loadWebAuthn();
  const { verified, authenticationInfo: info } = await verifyAuthenticationResponse({
    response,
    expectedChallenge: encodeChallenge(expected.challenge),
    expectedOrigin: expected.relyingParty.origin,
    expectedRPID: expected.relyingParty.id,
    requireUserVerification: expected.userVerification === "required",
    credential: {
      id: credentialId,
      publicKey: new Uint8Array(credential.publicKey),
      counter: 0,
    },
  }).catch((cause: unknown) => {
    throw new WebAuthnProblem("the assertion was not verified", { cause });
  });
  if (!verified) throw new WebAuthnProblem("the signature does not match");
  if ((info.credentialDeviceType === "multiDevice") !== credential.backupEligible)
    throw new WebAuthnProblem("the credential's backup eligibility changed");
  return {
    signCount: info.newCounter,
    userVerified: info.userVerified,
    backedUp: info.credentialBackedUp,
  };
}

function requireUserHandle(given: string | undefined, expected: string, required: boolean): void {
  if (given === undefined || given === "") {
    if (required) throw new WebAuthnProblem("the response does not say whose credential it is");
    return;
  }
  if (Buffer.from(given, "base64url").toString("utf8") !== expected)
    throw new WebAuthnProblem("the credential belongs to another user");
}

/** `amr` of an assertion (RFC 8176): a synced key is software's, and one whose user was verified is two factors. */
export function amrOfAssertion(assertion: {
  readonly userVerified: boolean;
  readonly backupEligible: boolean;
}): string[] {
  const key = assertion.backupEligible ? "swk" : "hwk";
  return assertion.userVerified ? [key, "user", "mfa"] : [key, "user"];
}
