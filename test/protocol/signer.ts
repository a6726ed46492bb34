/** JWTs as clients make them: signed by an implementation that is not ours. */
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from "jose";
import { type ForeignKey, importForeignKey } from "../../src/protocol/jose/foreign-keys.ts";
import { NOW } from "./support.ts";

export const NOW_SECONDS = NOW.getTime() / 1000;

export interface Signer {
  readonly key: ForeignKey;
  readonly jwk: Record<string, unknown>;
  readonly privateJwk: Record<string, unknown>;
  sign(claims: Record<string, unknown>, header?: Partial<JWTHeaderParameters>): Promise<string>;
}

export async function createSigner(alg = "ES256", kid?: string): Promise<Signer> {
  const pair = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(pair.publicKey)), ...(kid === undefined ? {} : { kid }) };
  const key = importForeignKey(jwk);
  if (!key) throw new Error("made a key that cannot be used");
  return {
    key,
    jwk,
    privateJwk: { ...(await exportJWK(pair.privateKey)) },
    sign: (claims, header = {}) =>
      new SignJWT(defined(claims)).setProtectedHeader({ alg, ...header }).sign(pair.privateKey),
  };
}

/** What a test takes out of a JWT it sets to undefined. */
function defined(claims: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

/** A JWT whose signature nobody could have made. */
export function unsignedJwt(header: object, claims: object, signature = ""): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  return `${encode(header)}.${encode(claims)}.${signature}`;
}
