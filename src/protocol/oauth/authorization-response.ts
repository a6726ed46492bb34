import type { AuthorizationError, ResponseMode, ResponseTarget } from "./authorization-error.ts";

type Parameter = readonly [name: string, value: string];

/** What a client is to be told, and where. */
export interface AuthorizationAnswer {
  readonly target: ResponseTarget;
  readonly parameters: readonly Parameter[];
}

/** How to send an authorization response: a redirect to `location`, or a page that posts `fields` to `action`. */
export type AuthorizationResponse =
  | { readonly kind: "redirect"; readonly location: string }
  | { readonly kind: "form_post"; readonly action: string; readonly fields: readonly Parameter[] };

/**
 * The answer to a granted request (RFC 6749 §4.1.2), with `iss` (RFC 9207 §2), by which the client notices that
 * it was mixed up between two servers.
 */
export function codeAnswer(target: ResponseTarget, code: string, issuer: string): AuthorizationAnswer {
  return { target, parameters: [["code", code], ...commonParameters(target, issuer)] };
}

/**
 * The answer that tells the client of an error (RFC 6749 §4.1.2.1).
 * @returns undefined when it must not be redirected: show it instead
 */
export function errorAnswer(error: AuthorizationError, issuer: string): AuthorizationAnswer | undefined {
  const { target, code, message } = error;
  return (
    target && {
      target,
      parameters: [["error", code], ["error_description", message], ...commonParameters(target, issuer)],
    }
  );
}

function commonParameters({ state }: ResponseTarget, issuer: string): Parameter[] {
  return [...(state === undefined ? [] : [["state", state] as const]), ["iss", issuer]];
}

/** Whether the answer is sent as one signed JWT in the parameter `response` (JARM §2.3). */
export function isJwtMode(responseMode: ResponseMode): boolean {
  return responseMode.endsWith("jwt");
}

/**
 * The way of an answer to its client.
 * @param jwt the signed answer, which then goes alone (JARM §2.3); needed where `isJwtMode`
 */
export function deliver({ target, parameters }: AuthorizationAnswer, jwt?: string): AuthorizationResponse {
  const { redirectUri, responseMode } = target;
  if (isJwtMode(responseMode) !== (jwt !== undefined)) throw new TypeError("an answer in the wrong mode");
  const fields = jwt === undefined ? parameters : [["response", jwt] as const];
  // JARM §2.3.4: `jwt` is the default of the response type, which is the query for `code`.
  const transport = responseMode.replace(/\.?jwt$/, "") || "query";
  if (transport === "form_post") return { kind: "form_post", action: redirectUri, fields };
  const search = new URLSearchParams(fields.map(([name, value]) => [name, value]));
  const separator = transport === "fragment" ? "#" : querySeparator(redirectUri);
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
