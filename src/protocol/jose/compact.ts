import { type KeyObject, verify } from "node:crypto";
import type { SigningAlgorithm } from "./algorithms.ts";
import { signatureOptions } from "./keys.ts";

/** The parts of a JWS in compact serialization (RFC 7515 §3.1). Nothing about it is verified yet. */
export interface CompactJws {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: string;
  readonly signingInput: string;
  readonly signature: Buffer;
}

/** Longer than any token of ours. Bounds what a stranger can make us parse. */
const MAX_LENGTH = 16_384;

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/** @returns undefined for what is none, or is too long */
export function parseCompact(token: string): CompactJws | undefined {
  const [, header, payload, signature] = (token.length <= MAX_LENGTH && COMPACT.exec(token)) || [];
  if (!header || !payload || !signature) return undefined;
  const bytes = decodeStrictly(signature);
  const head = decodeJson(header);
  if (!head || !bytes) return undefined;
  return { header: head, payload, signingInput: `${header}.${payload}`, signature: bytes };
}

/** The claims of a JWT. Look at them after the signature held, or to find out whose key to check it with. */
export function claimsOf({ payload }: CompactJws): Record<string, unknown> | undefined {
  return decodeJson(payload);
}

/** @param alg the one of the key, never the token's own word (RFC 8725 §3.1) */
export function hasValidSignature(jws: CompactJws, alg: SigningAlgorithm, publicKey: KeyObject): boolean {
  const { digest, key } = signatureOptions(alg, publicKey);
  return verify(digest, Buffer.from(jws.signingInput), key, jws.signature);
}

/**
 * Header members by which a token would bring its own key, or change how it is to be read (RFC 7515 §4.1.2-4.1.8,
 * §4.1.11; RFC 8725 §3.10). We issue none of them, and take none but the `jwk` of a DPoP proof.
 */
const FORBIDDEN_HEADERS = ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "zip", "cty"];

export function hasForbiddenHeader({ header }: CompactJws, except?: "jwk"): boolean {
  return FORBIDDEN_HEADERS.some((name) => name !== except && Object.hasOwn(header, name));
}

/** Compared without case and without a leading `application/` (RFC 7515 §4.1.9). */
export function isTyp(typ: unknown, expected: string): boolean {
  return (
    typeof typ === "string" && typ.toLowerCase().replace(/^application\//, "") === expected.toLowerCase()
  );
}

/** Refuses a text whose unused last bits are set: one signature has one spelling. */
function decodeStrictly(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function decodeJson(text: string): Record<string, unknown> | undefined {
  try {
    const bytes = decodeStrictly(text);
    const value: unknown = bytes && JSON.parse(utf8.decode(bytes));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
