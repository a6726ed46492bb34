/** DPoP at a protected resource (RFC 9449 §7). */
import { OAuthError } from "../../lib/errors.ts";
import { bearerChallenge, type BearerChallenge, extractBearerToken, invalidToken } from "./bearer.ts";
import { type DpopProof, type DpopRequest, dpopSigningAlgorithms, verifyDpopProof } from "./dpop.ts";
import type { RequestParameters } from "./parameters.ts";

/** The access token of a request and, under the scheme DPoP, the proof that came with it. */
export interface PresentedToken {
  readonly scheme: "Bearer" | "DPoP";
  readonly accessToken: string;
  readonly proof: DpopProof | undefined;
}

/** `token68` of RFC 9110 §11.2, as RFC 9449 §7.1 has it. */
const DPOP_SCHEME = /^dpop(?: +(.*))?$/i;
const TOKEN68 = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * Reads the access token from `Authorization: DPoP`, with its proof checked (RFC 9449 §7.1), or as a Bearer token
 * (RFC 6750 §2). A DPoP header beside a Bearer token proves nothing and is not looked at.
 * @param request without the access token, which is added here
 * @returns undefined when the request carries no token
 * @throws OAuthError 400 malformed; 401 with a DPoP challenge for a proof that is missing or wrong
 */
export function readPresentedToken(
  headers: { readonly authorization: string | null; readonly dpop: string | null },
  request: Omit<DpopRequest, "accessToken">,
  form?: RequestParameters,
): PresentedToken | undefined {
  const scheme = DPOP_SCHEME.exec(headers.authorization ?? "");
  if (!scheme) {
    const accessToken = extractBearerToken(headers.authorization, form);
    return accessToken === undefined ? undefined : { scheme: "Bearer", accessToken, proof: undefined };
  }
  const accessToken = (scheme[1] ?? "").trim();
  if (!TOKEN68.test(accessToken) || form?.get("access_token") !== undefined)
    throw dpopError("invalid_request", "The access token is malformed, or was sent twice.", 400);
  return { scheme: "DPoP", accessToken, proof: requiredProof(headers.dpop, { ...request, accessToken }) };
}

/**
 * A bound token is good with a proof of its key alone, and only a bound one is good under the scheme DPoP: otherwise
 * whoever steals a token would present it as Bearer (the downgrade of RFC 9449 §7.2), or with a key of their own.
 * @param boundJkt `cnf.jkt` of the token (§6.1)
 * @throws OAuthError invalid_token (401), with the challenge of the scheme that was used
 */
export function requireBinding(presented: PresentedToken, boundJkt: string | undefined): void {
  if (boundJkt === presented.proof?.jkt) return;
  if (presented.scheme === "Bearer")
    throw invalidToken("The access token is bound to a key: use it with DPoP.");
  throw dpopError("invalid_token", "The access token is not bound to the key of the DPoP proof.", 401);
}

/** A token that is expired, revoked or otherwise of no use, with the challenge of the scheme that was used. */
export function invalidPresentedToken({ scheme }: Pick<PresentedToken, "scheme">): OAuthError {
  if (scheme === "Bearer") return invalidToken();
  return dpopError("invalid_token", "The access token is invalid or expired.", 401);
}

function requiredProof(header: string | null, request: DpopRequest): DpopProof {
  try {
    const proof = verifyDpopProof(header, request);
    if (proof) return proof;
  } catch (error) {
    throw error instanceof OAuthError ? dpopResourceError(error) : error;
  }
  throw dpopError("invalid_dpop_proof", "The DPoP proof is missing.", 401);
}

/** What `verifyDpopProof` threw, as a protected resource says it: 401 with a challenge (RFC 9449 §7.1, §9). */
export function dpopResourceError(error: OAuthError): OAuthError {
  return dpopError(error.code, error.message, 401, error.headers);
}

/** A WWW-Authenticate value for the scheme DPoP, with the algorithms that a proof may have (§7.1). */
export function dpopChallenge(challenge: BearerChallenge = {}): string {
  const attributes = bearerChallenge(challenge).slice("Bearer".length).trim();
  return `DPoP ${attributes === "" ? "" : `${attributes}, `}algs="${dpopSigningAlgorithms.join(" ")}"`;
}

function dpopError(
  error: string,
  errorDescription: string,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): OAuthError {
  return new OAuthError(error, errorDescription, {
    status,
    headers: { ...headers, "www-authenticate": dpopChallenge({ error, errorDescription }) },
  });
}
