/** What requests for single claims ask of the sign-in itself (OpenID Connect Core §5.5.1). */
import { acrLevels } from "./acr.ts";
import type { ClaimRequest, ClaimsParameter } from "./claims-parameter.ts";
import { scopesOfClaims } from "./claims.ts";

/**
 * What the person has to agree to, as scopes: those of the request, and those that stand for the single claims it asks
 * for. A claim tells as much of a person, whichever parameter names it.
 */
export function consentScope(request: {
  readonly scope: readonly string[];
  readonly claims: ClaimsParameter | undefined;
}): string[] {
  return [...new Set([...request.scope, ...scopesOfClaims(request.claims)])];
}

/**
 * Whom the answer may be about, as far as the request says: one list for each place that asks for `sub` with values
 * (OpenID Connect Core §5.5.1). The person has to be on all of them.
 */
export function requestedSubjects(claims: ClaimsParameter | undefined): (readonly unknown[])[] {
  return [claims?.idToken["sub"], claims?.userinfo["sub"]].flatMap((request) => {
    const values = valuesOf(request);
    return values.length > 0 ? [values] : [];
  });
}

export interface RequestedAcr {
  /** Whether nothing else will do (OpenID Connect Core §5.5.1.1). */
  readonly essential: boolean;
  /** Those classes among the ones asked for that a sign-in here can be of; any of them will do. */
  readonly reachable: readonly string[];
}

/** Which classes a request asks for: by the claim `acr`, which is the more precise one, or else by `acr_values`. */
export function requestedAcr(request: {
  readonly acrValues: readonly string[];
  readonly claims: ClaimsParameter | undefined;
}): RequestedAcr {
  const claim = request.claims?.idToken["acr"];
  const values = valuesOf(claim);
  const wanted = values.length > 0 ? values : request.acrValues;
  return {
    essential: values.length > 0 && claim?.essential === true,
    reachable: acrLevels.filter((level) => wanted.includes(level)),
  };
}

function valuesOf(request: ClaimRequest | undefined): readonly unknown[] {
  return request?.values ?? (request?.value === undefined ? [] : [request.value]);
}
