import { OAuthError } from "../../lib/errors.ts";

export const responseModes = [
  "query",
  "fragment",
  "form_post",
  "jwt",
  "query.jwt",
  "fragment.jwt",
  "form_post.jwt",
] as const;

/** OAuth 2.0 Multiple Response Types §2.1, OAuth 2.0 Form Post Response Mode; those of a JWT: JARM §2.3. */
export type ResponseMode = (typeof responseModes)[number];

/** Where an authorization response goes: only ever to a redirect_uri that the client has registered. */
export interface ResponseTarget {
  readonly redirectUri: string;
  readonly responseMode: ResponseMode;
  readonly state: string | undefined;
}

/**
 * An error of the authorization endpoint (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
 * With a `target` it goes back to the client, by `errorResponse`. Without one, since client or redirect_uri are in
 * doubt, it is shown to the person in front of the browser and nobody is redirected anywhere.
 */
export class AuthorizationError extends OAuthError {
  constructor(
    code: string,
    description: string,
    readonly target: ResponseTarget | undefined,
  ) {
    super(code, description, { status: 400 });
  }
}

/** Runs checks that know nothing of redirects, and sends what they refuse to the client. */
export function refuseTo<T>(target: ResponseTarget, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof OAuthError) throw new AuthorizationError(error.code, error.message, target);
    throw error;
  }
}
