/** Making a credential (WebAuthn Level 3 §7.1). */
import type {
  PublicKeyCredentialCreationOptionsJSON,
  RegistrationResponseJSON,
} from "@simplewebauthn/server";
import { encodeChallenge, readClientData, WebAuthnProblem } from "./client-data.ts";
import { loadWebAuthn } from "./library.ts";
import {
  ALGORITHMS,
  type RelyingParty,
  TIMEOUT_MILLISECONDS,
  type UserVerification,
} from "./relying-party.ts";

export type { PublicKeyCredentialCreationOptionsJSON, RegistrationResponseJSON };

export interface RegistrationRequest {
  readonly relyingParty: RelyingParty;
  readonly relyingPartyName: string;
  readonly user: { readonly handle: string; readonly name: string; readonly displayName: string };
  /** A token of ours, which the authenticator signs. */
  readonly challenge: string;
  readonly userVerification: UserVerification;
  readonly attestation: "none" | "direct";
  /** A passkey has to be one that its authenticator finds without being told which (§4, discoverable). */
  readonly residentKey: "required" | "preferred";
  readonly existing: readonly { readonly credentialId: Uint8Array; readonly transports: readonly string[] }[];
}

/** The options of `navigator.credentials.create`, in JSON (§5.1.9). */
export async function registrationOptions(
  request: RegistrationRequest,
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const { generateRegistrationOptions } = await loadWebAuthn();
  return generateRegistrationOptions({
    rpID: request.relyingParty.id,
    rpName: request.relyingPartyName,
    userID: new TextEncoder().encode(request.user.handle),
    userName: request.user.name,
    userDisplayName: request.user.displayName,
    challenge: request.challenge,
    timeout: TIMEOUT_MILLISECONDS,
    attestationType: request.attestation,
    excludeCredentials: request.existing.map(({ credentialId, transports }) => ({
      id: Buffer.from(credentialId).toString("base64url"),
      transports: [...transports],
    })),
    authenticatorSelection: {
      residentKey: request.residentKey,
      userVerification: request.userVerification,
    },
    extensions: { credProps: true },
    supportedAlgorithmIDs: ALGORITHMS,
  });
}

/** What is kept of a credential (§4, credential record). */
export interface RegisteredCredential {
  readonly credentialId: Buffer;
  readonly publicKey: Buffer;
  readonly signCount: number;
  readonly transports: readonly string[];
  readonly aaguid: string;
  readonly attestationFormat: string;
  readonly discoverable: boolean | null;
  readonly backupEligible: boolean;
  readonly backedUp: boolean;
  readonly userVerified: boolean;
}

/**
 * Verifies what `navigator.credentials.create` answered.
 * @param expected the challenge is the token that was consumed for this response
 * @throws WebAuthnProblem
 */
export async function verifyRegistration(
  response: RegistrationResponseJSON,
  expected: { relyingParty: RelyingParty; challenge: string; userVerification: UserVerification },
): Promise<RegisteredCredential> {
  requireSameOriginFrame(response.response.clientDataJSON);
  const { verifyRegistrationResponse } = await loadWebAuthn();
  const verified = await verifyRegistrationResponse({
    response,
    expectedChallenge: encodeChallenge(expected.challenge),
    expectedOrigin: expected.relyingParty.origin,
    expectedRPID: expected.relyingParty.id,
    requireUserVerification: expected.userVerification === "required",
    supportedAlgorithmIDs: ALGORITHMS,
  }).catch((cause: unknown) => {
    throw new WebAuthnProblem("the registration was not verified", { cause });
  });
  if (!verified.verified) throw new WebAuthnProblem("the attestation was not verified");
  const { registrationInfo: info } = verified;
  return {
    credentialId: Buffer.from(info.credential.id, "base64url"),
    publicKey: Buffer.from(info.credential.publicKey),
    signCount: info.credential.counter,
    transports: knownTransports(response.response.transports),
    aaguid: info.aaguid,
    attestationFormat: info.fmt,
    discoverable: response.clientExtensionResults.credProps?.rk ?? null,
    backupEligible: info.credentialDeviceType === "multiDevice",
    backedUp: info.credentialBackedUp,
    userVerified: info.userVerified,
  };
}

/** The AuthenticatorTransport values of §5.8.4: others would only be repeated to browsers that ignore them. */
const TRANSPORTS = ["usb", "nfc", "ble", "smart-card", "hybrid", "internal"];

function knownTransports(given: readonly string[] | undefined): string[] {
  return TRANSPORTS.filter((transport) => given?.includes(transport));
}

/** No page of ours asks from within another site's frame. */
export function requireSameOriginFrame(clientDataJson: string): void {
  if (readClientData(clientDataJson)?.crossOrigin !== false)
    throw new WebAuthnProblem("the response was made in another site's frame");
}
