/**
 * The cookies of the hosted pages. All carry the `__Host-` prefix (RFC 6265bis §4.1.3.2): the browser accepts them
 * only from a secure origin, for this host alone and for the path `/`, so that neither a neighbouring subdomain nor a
 * plain-HTTP attacker can plant one.
 */

/** Binds forms and pending authorization requests to the browser that began them. */
export const browserCookieName = "__Host-gw_browser";

/** The authorization request that a person left to open a mail, so that the link in it leads back. */
export const pendingCookieName = "__Host-gw_pending";

/** The code of a device that a person has to sign in for, so that the sign-in leads back to it. */
export const deviceCookieName = "__Host-gw_device";

/** What the browser that asked for a sign-in code or link goes on with. */
export const proofCookieName = "__Host-gw_proof";

/** A sign-in between its two factors: opens nothing without the second one. */
export const loginCookieName = "__Host-gw_login";

const TRUSTED_DEVICE_COOKIE = "__Host-gw_trusted";
const SESSION_COOKIE = "__Host-gw_session";
const SLUG = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** RFC 9110 §5.6.2 token, and RFC 6265 §4.1.1 cookie-octet. */
const COOKIE_NAME = /^[!#$%&'*+.^_`|~\w-]+$/;
const COOKIE_VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;

/**
 * Tenants under one host share its cookies (the path must be `/`), so each has a session cookie of its own.
 * @param slug undefined for the default tenant
 * @throws RangeError for a slug that no tenant can have
 */
export function sessionCookieName(slug?: string): string {
  return nameOf(SESSION_COOKIE, slug);
}

/** What a browser is known by that is asked for no second factor for a while; of each tenant another. */
export function trustedDeviceCookieName(slug?: string): string {
  return nameOf(TRUSTED_DEVICE_COOKIE, slug);
}

function nameOf(cookie: string, slug: string | undefined): string {
  if (slug === undefined) return cookie;
  if (!SLUG.test(slug)) throw new RangeError("not a tenant's slug");
  return `${cookie}_${slug}`;
}

export interface CookieOptions {
  /** Undefined: the cookie goes when the browser closes. */
  maxAgeSeconds?: number;
}

/**
 * A `Set-Cookie` value. SameSite is Lax, not Strict, because the browser arrives here by a navigation from the
 * application and has to bring its session along.
 * @throws RangeError when name or value would not survive, which only a defect of ours can cause
 */
export function serializeCookie(name: string, value: string, options: CookieOptions = {}): string {
  if (!name.startsWith("__Host-") || !COOKIE_NAME.test(name))
    throw new RangeError("not a __Host- cookie name");
  if (!COOKIE_VALUE.test(value)) throw new RangeError(`the value of ${name} needs encoding`);
  const maxAge = options.maxAgeSeconds === undefined ? "" : `; Max-Age=${Math.floor(options.maxAgeSeconds)}`;
  return `${name}=${value}; Path=/; HttpOnly; Secure; SameSite=Lax${maxAge}`;
}

/** A `Set-Cookie` value that removes the cookie. */
export function expireCookie(name: string): string {
  return serializeCookie(name, "", { maxAgeSeconds: 0 });
}

/**
 * The cookies of a request. Of a name sent twice the first counts: browsers send the more specific and the older
 * cookie first (RFC 6265 §5.4), so one planted later cannot displace it. Pairs that no server can have set are
 * ignored rather than repaired.
 */
export function parseCookies(header: string | null | undefined): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of (header ?? "").split(";")) {
    const separator = pair.indexOf("=");
    const name = pair.slice(0, Math.max(separator, 0)).trim();
    const value = pair.slice(separator + 1).trim();
    if (!COOKIE_NAME.test(name) || !COOKIE_VALUE.test(value) || cookies.has(name)) continue;
    cookies.set(name, value);
  }
  return cookies;
}
