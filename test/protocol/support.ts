import { expect } from "bun:test";
import { OAuthError } from "../../src/lib/errors.ts";
import { type AuthorizationClient } from "../../src/protocol/oauth/authorization-request.ts";

/** RFC 6749 §5.2: what an error_description may consist of. */
export const DESCRIPTION = /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/;

/** The OAuthError that `act` throws; the test fails on no error, or on another one. */
export function oauthError(act: () => unknown): OAuthError {
  try {
    act();
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    expect(error.message).toMatch(DESCRIPTION);
    return error;
  }
  throw new Error("expected an OAuthError");
}

/** For properties: whatever `act` throws is an OAuthError, with a description that may be sent. */
export function throwsOnlyOAuthErrors(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch (error) {
    return error instanceof OAuthError && DESCRIPTION.test(error.message);
  }
}

export const NOW = new Date("2026-03-01T12:00:00.000Z");

export function secondsFromNow(seconds: number): Date {
  return new Date(NOW.getTime() + seconds * 1000);
}

/** RFC 7636, Appendix B. */
export const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
export const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

export const CLIENT: AuthorizationClient = {
  clientId: "s6BhdRkqt3",
  applicationType: "web",
  redirectUris: ["https://client.example.com/cb"],
  grantTypes: ["authorization_code", "refresh_token"],
  scopes: ["openid", "profile", "email", "offline_access", "orders:read"],
};

/** A valid authorization request; null takes a parameter out. */
export function authorizationParameters(changes: Record<string, string | null> = {}): URLSearchParams {
  const parameters = {
    client_id: CLIENT.clientId,
    redirect_uri: "https://client.example.com/cb",
    response_type: "code",
    scope: "openid profile",
    state: "xyz",
    code_challenge: CHALLENGE,
    code_challenge_method: "S256",
    ...changes,
  };
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== null) search.set(name, value);
  return search;
}
