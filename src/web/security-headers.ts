/** The response headers of every hosted page. */

export interface PageHeaderOptions {
  /** Whether the page was asked for over HTTPS, as the tenant's configured URL says. */
  https: boolean;
  /**
   * Set on pages that run an inline script: `script-src` then admits this nonce, fresh for each response. Pages
   * without a script leave it out and have none allowed.
   */
  scriptNonce?: string;
  /** The URL of our script file, on pages that use it: that file alone is admitted, and requests to ourselves. */
  scriptUrl?: string;
  /**
   * The redirect URIs that the page's forms may end up at, on pages that belong to an authorization request.
   * An empty list says that the page belongs to one whose target is not known yet.
   */
  formActionTargets?: readonly string[];
  /** URLs of images from elsewhere: the logos of the tenant and of the client. */
  imgSources?: readonly string[];
  /** Set on the form_post page, whose form goes to another origin. */
  formPost?: boolean;
  /** Set on the development mailbox, which shows mails with their inline styles in a sandboxed frame. */
  inlineStyles?: boolean;
}

/**
 * Headers for a hosted page.
 *
 * `Referrer-Policy` is `same-origin` and not `no-referrer`: the latter makes browsers send `Origin: null` with form
 * posts to ourselves (Fetch Standard, "append a request Origin header"), and with it goes the check of the origin.
 * Nothing is leaked to others by either. The form_post page alone uses `strict-origin`, for the same reason turned
 * around: applications check that the posted response comes from their issuer's origin.
 *
 * `Cross-Origin-Opener-Policy` is `same-origin`, except on pages of an authorization request: applications open those
 * in a popup and wait for it to come back to them, and the policy would cut it off from its opener for good.
 */
export function pageHeaders(options: PageHeaderOptions): Record<string, string> {
  const ofAuthorization = options.formActionTargets !== undefined;
  return {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": contentSecurityPolicy(options),
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": options.formPost ? "strict-origin" : "same-origin",
    "cache-control": "no-store",
    "cross-origin-opener-policy": ofAuthorization ? "unsafe-none" : "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": PERMISSIONS_POLICY,
    ...(options.https ? { "strict-transport-security": "max-age=31536000" } : {}),
  };
}

/** Nothing but passkeys; those only for the page itself. */
const PERMISSIONS_POLICY = [
  "accelerometer=()",
  "camera=()",
  "display-capture=()",
  "geolocation=()",
  "gyroscope=()",
  "microphone=()",
  "midi=()",
  "payment=()",
  "usb=()",
  "publickey-credentials-create=(self)",
  "publickey-credentials-get=(self)",
].join(", ");

function contentSecurityPolicy(options: PageHeaderOptions): string {
  const images = (options.imgSources ?? []).flatMap((url) => originSource(url) ?? []);
  const directives = {
    "default-src": ["'none'"],
    "base-uri": ["'none'"],
    "object-src": ["'none'"],
    "frame-ancestors": ["'none'"],
    "img-src": ["'self'", "data:", ...images],
    "style-src": ["'self'", ...(options.inlineStyles ? ["'unsafe-inline'"] : [])],
    ...(options.scriptNonce ? { "script-src": [`'nonce-${requireNonce(options.scriptNonce)}'`] } : {}),
    ...(options.scriptUrl
      ? { "script-src": [requireUrl(options.scriptUrl)], "connect-src": ["'self'"] }
      : {}),
    "form-action": formActionSources(options.formActionTargets),
  };
  return Object.entries(directives)
    .map(([name, sources]) => `${name} ${[...new Set(sources)].join(" ")}`)
    .join("; ");
}

/** A nonce comes from us; one with other characters would be a defect, and could end the directive. */
function requireNonce(nonce: string): string {
  if (!/^[\w+/-]{16,}={0,2}$/.test(nonce)) throw new RangeError("a nonce is 16 or more base64 characters");
  return nonce;
}

/** It comes from the configuration; one that ends the directive would be a defect. */
function requireUrl(url: string): string {
  if (!/^https?:\/\/[^\s;,'"]+$/.test(url)) throw new RangeError("not a URL that can stand in a policy");
  return url;
}

/**
 * Chromium applies `form-action` to the whole chain of redirects that follows a form post. Signing in and consenting
 * end with a redirect to the application, which therefore has to be named, and an application may redirect further,
 * to an origin that we cannot know: hence `https:` beside the exact target. The target matters by itself where it is
 * a custom scheme or a loopback address over plain HTTP (RFC 8252 §7). What is given up is small: `default-src
 * 'none'` and auto-escaping keep others from putting a form on the page at all.
 */
function formActionSources(targets: readonly string[] | undefined): string[] {
  if (targets === undefined) return ["'self'"];
  return ["'self'", "https:", ...targets.flatMap((target) => redirectSource(target) ?? [])];
}

/** Schemes whose URLs run script or are documents by themselves: never a place to send a form to. */
const UNSAFE_SCHEMES = new Set(["javascript:", "data:", "blob:", "filesystem:", "about:", "vbscript:"]);

function redirectSource(redirectUri: string): string | undefined {
  const url = URL.parse(redirectUri);
  if (!url) return undefined;
  if (url.protocol === "http:" || url.protocol === "https:") return originSource(redirectUri);
  return UNSAFE_SCHEMES.has(url.protocol) ? undefined : url.protocol;
}

/**
 * The origin of an http(s) URL as a CSP source. The URL Standard lets `;` and `,` into host names, which would end
 * the directive or the policy: such a host is left out. A source cannot hold an IPv6 address (CSP 3 §2.3.1,
 * host-part): the scheme stands in for it.
 */
function originSource(value: string): string | undefined {
  const url = URL.parse(value);
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) return undefined;
  if (url.hostname.startsWith("[")) return url.protocol;
  return /^[a-z0-9._-]+$/.test(url.hostname) ? url.origin : undefined;
}
