import { addSeconds, toEpochSeconds } from "../../lib/clock.ts";
import type { AuthorizationAnswer } from "./authorization-response.ts";

/** Seconds. JARM §2.1 recommends at most ten minutes; a browser carries it over at once. */
const LIFETIME_SECONDS = 300;

/** `typ` of an authorization response. JARM names none, so it is the one of every JWT. */
export const JARM_TYP = "JWT";

/**
 * The claims of a signed authorization response (JARM §2.1): who answers, to whom, until when, and the parameters of the
 * answer. Those cannot be overwritten by a parameter of the same name.
 * @param answer what would go to the client unsigned
 */
export function jarmClaims(
  { parameters }: AuthorizationAnswer,
  { issuer, clientId, now }: { readonly issuer: string; readonly clientId: string; readonly now: Date },
): Record<string, string | number> {
  return {
    ...Object.fromEntries(parameters),
    iss: issuer,
    aud: clientId,
    exp: toEpochSeconds(addSeconds(now, LIFETIME_SECONDS)),
  };
}
