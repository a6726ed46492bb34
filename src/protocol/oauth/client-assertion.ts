import { OAuthError } from "../../lib/errors.ts";
import { isTyp } from "../jose/compact.ts";
import type { ForeignKey } from "../jose/foreign-keys.ts";
import { readForeignJwt, type UnverifiedJwt, verifiedClaims } from "../jose/foreign-jwt.ts";
import { isIdentifier, isNumericDate, timeProblem } from "./foreign-claims.ts";
import type { RequestParameters } from "./parameters.ts";
import { type SingleUse, singleUse } from "./single-use.ts";

/** RFC 7523 §2.2. */
export const CLIENT_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** Seconds. Clients make one for each request. */
const MAX_LIFETIME_SECONDS = 300;

/**
 * A JWT of another purpose is not one by which a client authenticates, though the same key signed it (RFC 8725 §3.11). No
 * type at all is what RFC 7523 has clients send; the explicit one is draft-ietf-oauth-rfc7523bis.
 */
const TYPES = ["JWT", "client-authentication+jwt"];

/** A client assertion as it came. Whose it says it is serves to look the client up, and for nothing else yet. */
export interface ClientAssertion {
  readonly clientId: string;
  readonly jwt: UnverifiedJwt;
}

/**
 * @returns undefined when the request authenticates its client in another way
 * @throws OAuthError invalid_request for half of the parameters; invalid_client for what is no assertion (RFC 7521 §4.2.1)
 */
export function readClientAssertion(parameters: RequestParameters): ClientAssertion | undefined {
  const type = parameters.get("client_assertion_type");
  const assertion = parameters.get("client_assertion");
  if (type === undefined && assertion === undefined) return undefined;
  if (type === undefined || assertion === undefined)
    throw new OAuthError("invalid_request", "client_assertion and client_assertion_type go together.");
  if (type !== CLIENT_ASSERTION_TYPE)
    throw new OAuthError("invalid_client", "The client_assertion_type is not supported.");
  const jwt = readForeignJwt(assertion);
  const { iss, sub } = jwt?.claimed ?? {};
  const clientId = parameters.get("client_id") ?? sub;
  // RFC 7523 §3 (1, 2), RFC 7521 §4.2: all three name the same client.
  if (!jwt || typeof clientId !== "string" || iss !== clientId || sub !== clientId)
    throw new OAuthError(
      "invalid_client",
      "The client_assertion is not a JWT with the client as iss and sub.",
    );
  return { clientId, jwt };
}

/**
 * Whether the assertion is the client's, for us, now (RFC 7523 §3; draft-ietf-oauth-rfc7523bis). Its audience is our issuer
 * and nothing besides, as a string: an assertion that some other server may also present is one that it can use against
 * us (the audience injection of CVE-2025-27370).
 * @param key the one that the assertion's header means among the client's; undefined when there is no such client or key
 * @returns what has to be stored, so that the assertion is used once
 * @throws OAuthError invalid_client; what is wrong is told only to whoever has the client's key
 */
export function verifyClientAssertion(
  { clientId, jwt }: ClientAssertion,
  key: ForeignKey | undefined,
  expected: {
    readonly issuer: string;
    readonly now: Date;
    /** token_endpoint_auth_signing_alg of the client. */
    readonly signingAlg: string | null;
  },
): SingleUse {
  const claims = verifiedClaims(jwt, key, expected.signingAlg);
  if (!claims) throw refused("Client authentication failed.");
  if (jwt.typ !== undefined && !TYPES.some((typ) => isTyp(jwt.typ, typ)))
    throw refused("client_assertion: its typ is that of something else.");
  if (claims["aud"] !== expected.issuer)
    throw refused("client_assertion: aud must be the issuer identifier, as a string.");
  const problem = timeProblem(claims, { now: expected.now, maxLifetimeSeconds: MAX_LIFETIME_SECONDS });
  if (problem) throw refused(`client_assertion: ${problem}`);
  const { jti, exp } = claims;
  if (!isIdentifier(jti) || !isNumericDate(exp)) throw refused("client_assertion: jti is missing.");
  return singleUse("client_assertion", { owner: clientId, id: jti, acceptedUntil: exp });
}

/** For an assertion that was presented before. */
export function replayedClientAssertion(): OAuthError {
  return refused("client_assertion: its jti was used before.");
}

function refused(description: string): OAuthError {
  return new OAuthError("invalid_client", description);
}
