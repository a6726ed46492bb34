/**
 * One trip of a browser to a connection and back. Its token (`chal_…`, 76 characters) is the `state` of OAuth and the
 * RelayState of SAML: whoever comes back with it has to be the browser that went, and comes back once.
 */
import type { Deps } from "../../deps.ts";
import { equalInConstantTime, hmacSha256, sha256 } from "../../lib/crypto.ts";
import { type Id, isId } from "../../lib/ids.ts";
import { parseSecretToken } from "../../lib/secret-token.ts";
import {
  type Challenge,
  consumeOneChallenge,
  findOpenChallenge,
  openChallenge,
} from "../challenges/service.ts";
import type { Connection } from "../connections/model.ts";
import type { Tenant } from "../tenants/service.ts";

export type RoundTripPurpose = "sign_in" | "link";

export interface RoundTrip {
  readonly connectionId: Id<"connection">;
  readonly purpose: RoundTripPurpose;
  /** For `link`: who wants the connection added to their account, and the session in which they asked for it. */
  readonly userId?: Id<"user"> | undefined;
  readonly sessionId?: Id<"session"> | undefined;
  /** The ID of the AuthnRequest that it began with. */
  readonly samlRequestId?: string | undefined;
  /** The sealed authorization request of ours that waits meanwhile. */
  readonly interaction?: string | undefined;
  readonly rememberMe: boolean;
}

/** What a trip takes along that is derived from its token, and so is stored nowhere. */
export interface TripSecrets {
  /** OpenID Connect Core §3.1.2.1. */
  readonly nonce: string;
  /** RFC 7636 §4.1. */
  readonly codeVerifier: string;
}

/**
 * Opens a trip of 15 minutes.
 * @param browserSecret the value of the browser's own cookie (`page.browser.secret`)
 */
export async function openRoundTrip(
  deps: Deps,
  tenant: Tenant,
  connection: Connection,
  trip: Omit<RoundTrip, "connectionId"> & { browserSecret: string },
): Promise<{ token: string } & TripSecrets> {
  const { token } = await openChallenge(deps.db, {
    tenantId: tenant.id,
    kind: "federation",
    userId: trip.userId ?? null,
    data: {
      connection_id: connection.id,
      purpose: trip.purpose,
      session_id: trip.sessionId,
      saml_request_id: trip.samlRequestId,
      interaction: trip.interaction,
      remember_me: trip.rememberMe,
      browser: browserHash(trip.browserSecret),
      master_key_id: deps.secrets.links[0].id,
    },
    now: deps.clock.now(),
  });
  return { token, ...secretsOf(deps.secrets.links[0].key, token) };
}

/**
 * Ends a trip, once: of requests that race, one gets it.
 * @returns undefined for a token that is unknown, used or too old, that belongs to another browser (login CSRF, RFC 6749
 *   §10.12) or to another connection (mix-up, RFC 9700 §4.4: each connection has a redirect URI of its own)
 */
export async function consumeRoundTrip(
  deps: Deps,
  tenant: Tenant,
  connection: Connection,
  token: string,
  browserSecret: string,
): Promise<(RoundTrip & TripSecrets) | undefined> {
  const now = deps.clock.now();
  const open = await findOpenChallenge(deps.db, tenant.id, "federation", token, now);
  // Looked at first: who has the address of a trip, and not its browser, must not be able to end it.
  if (!open || !isBrowsers(open, browserSecret) || readTrip(open)?.connectionId !== connection.id)
    return undefined;
  const consumed = await consumeOneChallenge(deps.db, tenant.id, "federation", token, now);
  const trip = consumed && readTrip(consumed);
  return trip && { ...trip, ...secretsOf(keyOf(deps, open), token) };
}

/** Whether a token could be one of a trip. */
export const isTripToken = (token: string): boolean => parseSecretToken("challenge", token) !== undefined;

const browserHash = (secret: string) => sha256(`federation\0${secret}`).toString("base64url");

function isBrowsers({ data }: Challenge, secret: string): boolean {
  const bound = typeof data.browser === "string" ? data.browser : "";
  return equalInConstantTime(Buffer.from(bound), Buffer.from(browserHash(secret)));
}

/** The key that the trip began with, whichever is in front by now. */
function keyOf({ secrets: { links } }: Deps, { data }: Challenge): Buffer {
  return (links.find(({ id }) => id === data.master_key_id) ?? links[0]).key;
}

function secretsOf(key: Buffer, token: string): TripSecrets {
  const derive = (purpose: string) => hmacSha256(key, `federation/${purpose}/${token}`).toString("base64url");
  return { nonce: derive("nonce"), codeVerifier: derive("code_verifier") };
}

function readTrip({ data, userId }: Challenge): RoundTrip | undefined {
  const { connection_id: connectionId, purpose, session_id: sessionId } = data;
  if (!isId("connection", connectionId) || (purpose !== "sign_in" && purpose !== "link")) return undefined;
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  return {
    connectionId,
    purpose,
    userId: userId ?? undefined,
    sessionId: isId("session", sessionId) ? sessionId : undefined,
    samlRequestId: text(data.saml_request_id),
    interaction: text(data.interaction),
    rememberMe: data.remember_me === true,
  };
}
