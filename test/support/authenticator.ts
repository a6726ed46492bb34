/**
 * A software authenticator with the browser around it: it makes genuine WebAuthn registrations and assertions, and lets a
 * test forge each part of them.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { type CborValue, encodeCbor } from "./cbor.ts";

type Algorithm = "ES256" | "EdDSA" | "RS256";

/** A credential as its authenticator keeps it. */
export interface SoftCredential {
  readonly id: Buffer;
  readonly alg: Algorithm;
  readonly privateKey: KeyObject;
  readonly publicKey: Buffer;
  readonly userHandle: string;
  readonly rpId: string;
  counter: number;
}

/** What an attacker, or a broken client, says instead of the truth. */
export interface Forgery {
  challenge?: string;
  origin?: string;
  crossOrigin?: boolean;
  type?: string;
  rpId?: string;
  userPresent?: boolean;
  userVerified?: boolean;
  counter?: number;
  userHandle?: string | null;
  credentialId?: Buffer;
  backupEligible?: boolean;
  /** Changes the signed data after it was signed. */
  spoilSignature?: boolean;
}

export interface AuthenticatorOptions {
  /** Where the browser is. */
  origin: string;
  /** Whether it verifies its user, by a PIN or a fingerprint. */
  userVerification?: boolean;
  /** Whether its credentials are synced. */
  backupEligible?: boolean;
  /** Whether it counts its signatures. */
  counts?: boolean;
  alg?: Algorithm;
  aaguid?: string;
  /** Whether it attests itself (packed, self attestation) where it is asked to. */
  attests?: boolean;
}

interface CreationOptions {
  rp: { id?: string };
  user: { id: string };
  challenge: string;
  attestation?: string;
}

interface RequestOptions {
  challenge: string;
  rpId?: string;
  allowCredentials?: { id: string }[];
}

export class SoftAuthenticator {
  readonly credentials: SoftCredential[] = [];

  constructor(readonly options: AuthenticatorOptions) {}

  /** navigator.credentials.create; `again` offers a credential that exists already */
  create(request: CreationOptions, forgery: Forgery = {}, again?: SoftCredential) {
    const rpId = request.rp.id ?? new URL(this.options.origin).hostname;
    const credential = again ?? newCredential(this.options.alg ?? "ES256", rpId, request.user.id);
    if (!again) this.credentials.push(credential);
    const clientData = this.clientData("webauthn.create", request.challenge, forgery);
    const authData = this.authenticatorData(credential, forgery, true);
    const attested = this.options.attests === true && request.attestation === "direct";
    const statement = attested
      ? new Map<string, CborValue>([
          ["alg", coseAlgorithm(credential.alg)],
          ["sig", signWith(credential, Buffer.concat([authData, sha256(clientData)]))],
        ])
      : new Map<string, CborValue>();
    const attestationObject = encodeCbor(
      new Map<string, CborValue>([
        ["fmt", attested ? "packed" : "none"],
        ["attStmt", statement],
        ["authData", authData],
      ]),
    );
    const id = (forgery.credentialId ?? credential.id).toString("base64url");
    return {
      id,
      rawId: id,
      type: "public-key" as const,
      response: {
        clientDataJSON: clientData.toString("base64url"),
        attestationObject: attestationObject.toString("base64url"),
        transports: ["internal", "hybrid"],
      },
      clientExtensionResults: { credProps: { rk: true } },
    };
  }

  /** navigator.credentials.get, with the credential that was asked for, or else the newest */
  get(request: RequestOptions, forgery: Forgery = {}, chosen?: SoftCredential) {
    const allowed = new Set(request.allowCredentials?.map(({ id }) => id));
    const credential =
      chosen ??
      this.credentials.findLast(({ id }) => allowed.size === 0 || allowed.has(id.toString("base64url")));
    if (!credential) throw new Error("the authenticator has no such credential");
    if (this.options.counts) credential.counter++;
    const clientData = this.clientData("webauthn.get", request.challenge, forgery);
    const authData = this.authenticatorData(credential, forgery, false);
    const signature = signWith(credential, Buffer.concat([authData, sha256(clientData)]));
    // In the middle of the digest's reach, so that it stays well-formed and is wrong.
    if (forgery.spoilSignature) authData[33] = (authData[33] ?? 0) ^ 1;
    const id = (forgery.credentialId ?? credential.id).toString("base64url");
    const userHandle = forgery.userHandle === undefined ? credential.userHandle : forgery.userHandle;
    return {
      id,
      rawId: id,
      type: "public-key" as const,
      response: {
        clientDataJSON: clientData.toString("base64url"),
        authenticatorData: authData.toString("base64url"),
        signature: signature.toString("base64url"),
        ...(userHandle === null ? {} : { userHandle }),
      },
      clientExtensionResults: {},
    };
  }

  /** CollectedClientData (WebAuthn Level 3 §5.8.1). */
  private clientData(type: string, challenge: string, forgery: Forgery): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: forgery.type ?? type,
        challenge: forgery.challenge ?? challenge,
        origin: forgery.origin ?? this.options.origin,
        crossOrigin: forgery.crossOrigin ?? false,
      }),
    );
  }

  /** Authenticator data (§6.1). */
  private authenticatorData(credential: SoftCredential, forgery: Forgery, withKey: boolean): Buffer {
    const present = forgery.userPresent ?? true;
    const verified = forgery.userVerified ?? this.options.userVerification ?? true;
    const synced = forgery.backupEligible ?? this.options.backupEligible ?? false;
    const flags = (present ? 0x01 : 0) | (verified ? 0x04 : 0) | (synced ? 0x18 : 0) | (withKey ? 0x40 : 0);
    const fixed = Buffer.alloc(37);
    sha256(forgery.rpId ?? credential.rpId).copy(fixed);
    fixed[32] = flags;
    fixed.writeUInt32BE(forgery.counter ?? credential.counter, 33);
    if (!withKey) return fixed;
    const aaguid = Buffer.from((this.options.aaguid ?? "0".repeat(32)).replaceAll("-", ""), "hex");
    const length = Buffer.alloc(2);
    length.writeUInt16BE(credential.id.length);
    return Buffer.concat([fixed, aaguid, length, credential.id, credential.publicKey]);
  }
}

const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest();

const coseAlgorithm = (alg: Algorithm) => ({ ES256: -7, EdDSA: -8, RS256: -257 })[alg];

function newCredential(alg: Algorithm, rpId: string, userHandle: string): SoftCredential {
  const { privateKey, publicKey } = generate(alg);
  const jwk = publicKey.export({ format: "jwk" });
  return {
    id: randomBytes(32),
    alg,
    privateKey,
    publicKey: encodeCbor(coseKey(alg, jwk)),
    userHandle,
    rpId,
    counter: 0,
  };
}

function generate(alg: Algorithm) {
  if (alg === "ES256") return generateKeyPairSync("ec", { namedCurve: "P-256" });
  return alg === "EdDSA"
    ? generateKeyPairSync("ed25519")
    : generateKeyPairSync("rsa", { modulusLength: 2048 });
}

/** COSE_Key (RFC 9053 §7, RFC 8230 §4). */
function coseKey(alg: Algorithm, jwk: { x?: string; y?: string; n?: string; e?: string }) {
  const bytes = (text: string | undefined) => Buffer.from(text ?? "", "base64url");
  if (alg === "ES256") {
    return new Map<number, CborValue>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, bytes(jwk.x)],
      [-3, bytes(jwk.y)],
    ]);
  }
  if (alg === "EdDSA") {
    return new Map<number, CborValue>([
      [1, 1],
      [3, -8],
      [-1, 6],
      [-2, bytes(jwk.x)],
    ]);
  }
  return new Map<number, CborValue>([
    [1, 3],
    [3, -257],
    [-1, bytes(jwk.n)],
    [-2, bytes(jwk.e)],
  ]);
}

function signWith({ alg, privateKey }: SoftCredential, data: Buffer): Buffer {
  return sign(alg === "EdDSA" ? null : "sha256", data, privateKey);
}
