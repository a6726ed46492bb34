import type { AuthorizationError, ResponseTarget } from "./authorization-error.ts";

/** How to send an authorization response: a redirect to `location`, or a page that posts `fields` to `action`. */
export type AuthorizationResponse =
  | { readonly kind: "redirect"; readonly location: string }
  | {
      readonly kind: "form_post";
      readonly action: string;
      readonly fields: readonly (readonly [name: string, value: string])[];
    };

/**
 * The response to a granted request (RFC 6749 §4.1.2), with `iss` (RFC 9207 §2), by which the client notices that
 * it was mixed up between two servers.
 */
export function codeResponse(target: ResponseTarget, code: string, issuer: string): AuthorizationResponse {
  return authorizationResponse(target, [["code", code]], issuer);
}

/**
 * The response that tells the client of an error (RFC 6749 §4.1.2.1).
 * @returns undefined when it must not be redirected: show it instead
 */
export function errorResponse(error: AuthorizationError, issuer: string): AuthorizationResponse | undefined {
  if (!error.target) return undefined;
  return authorizationResponse(
    error.target,
    [
      ["error", error.code],
      ["error_description", error.message],
    ],
    issuer,
  );
}

function authorizationResponse(
  { redirectUri, responseMode, state }: ResponseTarget,
  parameters: readonly (readonly [string, string])[],
  issuer: string,
): AuthorizationResponse {
  const fields = [
    ...parameters,
    ...(state === undefined ? [] : [["state", state] as const]),
    ["iss", issuer] as const,
  ];
  if (responseMode === "form_post") return { kind: "form_post", action: redirectUri, fields };
  const search = new URLSearchParams(fields.map(([name, value]) => [name, value]));
  const separator = responseMode === "fragment" ? "#" : querySeparator(redirectUri);
  return { kind: "redirect", location: `${redirectUri}${separator}${search}` };
}

/**
 * The registered query is kept as it was written (RFC 6749 §3.1.2): parameters are added to the text, since a URL
 * parser would rewrite the rest. Registered URIs have no fragment.
 */
function querySeparator(redirectUri: string): string {
  if (!redirectUri.includes("?")) return "?";
  return /[?&]$/.test(redirectUri) ? "" : "&";
}
