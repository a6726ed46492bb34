import { OAuthError } from "../../lib/errors.ts";

/** How one claim is asked for (OpenID Connect Core §5.5.1). An empty object: voluntarily, with any value. */
export interface ClaimRequest {
  readonly essential?: boolean;
  readonly value?: unknown;
  readonly values?: readonly unknown[];
}

export type ClaimRequests = Readonly<Record<string, ClaimRequest>>;

/** The `claims` parameter (OpenID Connect Core §5.5): what it asks for, and where the answer is to stand. */
export interface ClaimsParameter {
  readonly userinfo: ClaimRequests;
  readonly idToken: ClaimRequests;
}

/**
 * Members that are not understood are ignored (OpenID Connect Core §5.5, §5.5.1).
 * @throws OAuthError invalid_request when it is not JSON of the described shape
 */
export function parseClaimsParameter(value: string | undefined): ClaimsParameter | undefined {
  if (value === undefined) return undefined;
  const claims = parseObject(value);
  return { userinfo: claimRequests(claims.userinfo), idToken: claimRequests(claims.id_token) };
}

/** The parameter in the one way it is written down: what `parseClaimsParameter` reads again. */
export function formatClaimsParameter({ userinfo, idToken }: ClaimsParameter): string {
  return JSON.stringify({ userinfo, id_token: idToken });
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return requireObject(JSON.parse(text));
  } catch {
    throw malformed();
  }
}

function claimRequests(value: unknown): ClaimRequests {
  if (value === undefined || value === null) return {};
  // fromEntries defines properties instead of assigning them: a claim called __proto__ stays a claim.
  return Object.fromEntries(
    Object.entries(requireObject(value)).map(([name, request]) => [name, claimRequest(request)]),
  );
}

function claimRequest(request: unknown): ClaimRequest {
  if (request === null) return {};
  const { essential, value, values } = requireObject(request);
  if (essential !== undefined && typeof essential !== "boolean") throw malformed();
  if (values !== undefined && !Array.isArray(values)) throw malformed();
  return { essential, value, values };
}

function requireObject(value: unknown): Record<string, unknown> {
  if (!isObject(value)) throw malformed();
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(): OAuthError {
  return new OAuthError("invalid_request", "The parameter claims is malformed.");
}
