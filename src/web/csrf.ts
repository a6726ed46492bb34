/**
 * Defences of the hosted pages' forms against requests forged by other sites: a token bound to the browser, and the
 * origin that the browser itself reports. Either alone would do for most browsers; both are asked for.
 */
import { randomBytes } from "node:crypto";
import { equalInConstantTime, hmacSha256 } from "../lib/crypto.ts";
import type { PurposeKeys } from "../lib/master-keys.ts";

const MAC_BYTES = 32;

/**
 * A token for the hidden field `csrf`, bound to one browser by the secret in its binding cookie. The stored value is
 * a signed double submit: nothing is kept on the server. Each call answers differently, since the MAC is masked with
 * fresh random bits, so that compressed responses do not reveal it bit by bit (BREACH, CVE-2013-3587).
 *
 * @param browserSecret the value of the browser-binding cookie
 */
export function csrfToken(keys: PurposeKeys, browserSecret: string): string {
  const mask = randomBytes(MAC_BYTES);
  return Buffer.concat([mask, xor(mask, mac(keys[0].key, browserSecret))]).toString("base64url");
}

/** Whether this server made `token` for this browser; constant time in the token's content. */
export function verifyCsrf(
  keys: PurposeKeys,
  browserSecret: string | undefined,
  token: string | null | undefined,
): boolean {
  if (!browserSecret || !token || !/^[\w-]{86}$/.test(token)) return false;
  const bytes = Buffer.from(token, "base64url");
  const mask = bytes.subarray(0, MAC_BYTES);
  const brought = xor(mask, bytes.subarray(MAC_BYTES));
  return keys.some(({ key }) => equalInConstantTime(brought, mac(key, browserSecret)));
}

function mac(key: Uint8Array, browserSecret: string): Buffer {
  return hmacSha256(key, `csrf\0${browserSecret}`);
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));
}

export interface PostOrigin {
  /** The `Origin` header, null when absent. */
  origin: string | null | undefined;
  /** The `Sec-Fetch-Site` header, null when absent. */
  secFetchSite: string | null | undefined;
  /** The origin of the tenant's configured URL, never one built from a Host header. */
  expectedOrigin: string;
}

/**
 * Whether a form post may have come from our own page. `Origin` has to be ours when it is present: the opaque origin
 * `null` (a sandboxed frame, a `data:` page) is refused like any other. `Sec-Fetch-Site` refuses `cross-site` and
 * `same-site`, since another host of our domain is not us. Clients that send neither (old browsers, scripts) are left
 * to the token.
 */
export function isSameOriginPost({ origin, secFetchSite, expectedOrigin }: PostOrigin): boolean {
  if (typeof origin === "string" && origin !== expectedOrigin) return false;
  return typeof secFetchSite !== "string" || secFetchSite === "same-origin" || secFetchSite === "none";
}
