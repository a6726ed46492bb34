import { OAuthError } from "../../lib/errors.ts";
import { isTyp } from "../jose/compact.ts";
import type { ForeignKey } from "../jose/foreign-keys.ts";
import { readForeignJwt, type UnverifiedJwt, verifiedClaims } from "../jose/foreign-jwt.ts";
import { CLOCK_SKEW_SECONDS, isIdentifier, isNumericDate, timeProblem } from "./foreign-claims.ts";
import type { RequestParameters } from "./parameters.ts";
import { type SingleUse, singleUse } from "./single-use.ts";

/** Seconds (FAPI 2.0 Message Signing §5.3.1): how old `nbf` may be, and how long after it `exp`. */
const MAX_LIFETIME_SECONDS = 3600;

/** RFC 9101 §10.8; no type, or JWT, is what OpenID Connect Core §6 has clients send. */
const TYPES = ["oauth-authz-req+jwt", "JWT"];

/** Claims about the object itself, which are no parameters of the request. */
const JWT_CLAIMS = new Set(["iss", "aud", "exp", "nbf", "iat", "jti", "sub"]);

/** A request object as it came, with the client that the request names outside of it. */
export interface RequestObject {
  readonly clientId: string;
  readonly jwt: UnverifiedJwt;
}

export interface VerifiedRequestObject {
  /** The parameters of the authorization request: all of them, for those outside the object do not count (§6.3). */
  readonly parameters: URLSearchParams;
  /** What has to be stored, so that the object is used once. */
  readonly use: SingleUse;
}

/**
 * Reads the `request` parameter (RFC 9101 §5). An unsigned object (alg none) is none.
 * @returns undefined when the request has none
 * @throws OAuthError invalid_request or invalid_request_object
 */
export function readRequestObject(parameters: RequestParameters): RequestObject | undefined {
  const request = parameters.get("request");
  if (request === undefined) {
    if (parameters.repeated.has("request")) throw invalid("request was sent more than once.");
    return undefined;
  }
  if (parameters.get("request_uri") !== undefined)
    throw new OAuthError("invalid_request", "request and request_uri must not be sent together.");
  const clientId = parameters.get("client_id");
  if (clientId === undefined) throw new OAuthError("invalid_request", "client_id is missing or repeated.");
  const jwt = readForeignJwt(request);
  if (!jwt) throw invalid("it is not a JWT that is signed with a supported algorithm.");
  return { clientId, jwt };
}

/**
 * The parameters in a request object, once its client's signature holds (RFC 9101 §6). It is for us (`aud`), from the
 * client (`iss`), and young. A client assertion is not one: it has the client as `sub` (§10.8).
 * @param key the one that the object's header means among the client's; undefined when there is no such client or key
 * @throws OAuthError invalid_request_object
 */
export function verifyRequestObject(
  { clientId, jwt }: RequestObject,
  key: ForeignKey | undefined,
  expected: {
    readonly issuer: string;
    readonly now: Date;
    /** request_object_signing_alg of the client. */
    readonly signingAlg: string | null;
  },
): VerifiedRequestObject {
  const claims = verifiedClaims(jwt, key, expected.signingAlg);
  if (!claims) throw invalid("its signature is not by a key of the client.");
  if (jwt.typ !== undefined && !TYPES.some((typ) => isTyp(jwt.typ, typ)))
    throw invalid("its typ is that of something else.");
  const { iss, aud, sub, jti, exp } = claims;
  if (iss !== clientId || claims["client_id"] !== clientId || sub === clientId)
    throw invalid("iss and client_id must be the client, and sub must not.");
  if (aud !== expected.issuer && !(Array.isArray(aud) && aud.includes(expected.issuer)))
    throw invalid("aud must be the issuer identifier.");
  const problem =
    timeProblem(claims, { now: expected.now, maxLifetimeSeconds: MAX_LIFETIME_SECONDS }) ??
    startProblem(claims, expected.now);
  if (problem) throw invalid(problem);
  if (!isNumericDate(exp)) throw invalid("exp is missing.");
  // Its signature has several spellings, what it signs has one.
  const id = isIdentifier(jti) ? jti : jwt.jws.signingInput;
  return {
    parameters: parametersOf(claims),
    use: singleUse("request_object", { owner: clientId, id, acceptedUntil: exp }),
  };
}

/** FAPI 2.0 Message Signing §5.3.1 asks for `nbf`; clients of RFC 9101 alone may send `iat` instead. */
function startProblem(claims: Readonly<Record<string, unknown>>, now: Date): string | undefined {
  const start = claims["nbf"] ?? claims["iat"];
  const { exp } = claims;
  if (!isNumericDate(start) || !isNumericDate(exp)) return "nbf is missing.";
  if (now.getTime() / 1000 - start > MAX_LIFETIME_SECONDS + CLOCK_SKEW_SECONDS)
    return "nbf is too long past.";
  return exp - start > MAX_LIFETIME_SECONDS ? "exp is too long after nbf." : undefined;
}

/**
 * Numbers and objects become the text that the same parameter would be in a query (RFC 9101 §4: `max_age`, `claims`), and a
 * list becomes a repeated parameter (`resource`).
 */
function parametersOf(claims: Readonly<Record<string, unknown>>): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(claims)) {
    if (JWT_CLAIMS.has(name)) continue;
    if (name === "request" || name === "request_uri") throw invalid("it must not hold another request.");
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, textOf(one));
  }
  return parameters;
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "object" && value !== null) return JSON.stringify(value);
  throw invalid("it holds a parameter without a value.");
}

/** For an object that was presented before. */
export function replayedRequestObject(): OAuthError {
  return invalid("it was used before.");
}

function invalid(description: string): OAuthError {
  return new OAuthError("invalid_request_object", `The request object cannot be used: ${description}`);
}
