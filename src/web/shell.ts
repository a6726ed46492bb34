/** What every hosted page is given, beside its own data. */
import type { Locale } from "../lib/locale.ts";
import type { Theme } from "./theme.ts";

export interface PageShell {
  locale: Locale;
  /** The path of the public URL, without a trailing slash: "" for most. The assets' paths are put after it. */
  basePath: string;
  tenant: TenantView;
  /** The application the browser came from, on pages that belong to an authorization request. */
  client?: ClientView | undefined;
  /** Set where an administrator is signed in as the user: every page says so. */
  impersonation?: ImpersonationView | undefined;
}

export interface ImpersonationView {
  /** As whom. */
  user: string;
  /** Who really acts. */
  by: string;
  end: FormTarget;
}

export interface TenantView {
  name: string;
  logoUrl?: string | undefined;
  theme?: Theme;
  /** What stands above and in the sign-in page, in the tenant's own words. */
  signInTitle?: string | undefined;
  signInMessage?: string | undefined;
}

/** The parts of a client's metadata that people see (RFC 7591 §2, `client_name`, `logo_uri`, …). */
export interface ClientView {
  name: string;
  logoUrl?: string | undefined;
  homepageUrl?: string | undefined;
  policyUrl?: string | undefined;
  termsUrl?: string | undefined;
}

/** What is known about an application, beside what it says about itself. */
export interface ClientIdentityView {
  /** Whether an administrator vouches for it. */
  vouchedFor: boolean;
  /** The host that its client_id proves, or null. */
  host: string | null;
  /** Host, or custom scheme, of the redirect URI. */
  destination: string;
  /** Whether it is answered on the person's own device, where any program may listen. */
  onlyLocal: boolean;
}

/** Where a form goes and the hidden fields that all our forms carry. */
export interface FormTarget {
  action: string;
  /** From `csrfToken`. */
  csrf: string;
  /** The sealed state of the authorization request that the form belongs to. */
  interaction?: string | undefined;
}

/**
 * A URL from someone's metadata, if it is safe to put into a link or an image. Escaping does not help against
 * `javascript:` URLs.
 */
export function safeWebUrl(value: string | undefined): string | undefined {
  const url = value === undefined ? undefined : URL.parse(value);
  return url?.protocol === "https:" || url?.protocol === "http:" ? url.href : undefined;
}
