/** Pushed authorization requests (RFC 9126): the client sends its request itself, and the browser only a reference. */
import { OAuthError } from "../../lib/errors.ts";
import type { RequestParameters } from "./parameters.ts";

/** Seconds for which a browser may come with the reference: RFC 9126 §2.2 suggests 5 to 600. */
export const PUSHED_REQUEST_LIFETIME_SECONDS = 90;

const REQUEST_URI_PREFIX = "urn:ietf:params:oauth:request_uri:";

/** By what the client authenticates, which is no part of its authorization request (RFC 9126 §2.1). */
const AUTHENTICATION_PARAMETERS = ["client_secret", "client_assertion", "client_assertion_type"];

/** RFC 9126 §2.2. */
export interface PushedAuthorizationResponse {
  request_uri: string;
  /** Seconds. */
  expires_in: number;
}

/**
 * The authorization request that an authenticated client pushes, as it would stand in a query (RFC 9126 §2.1): without the
 * client's credentials, and with the client_id of whoever authenticated.
 * @throws OAuthError invalid_request for a reference inside, or for another client's id
 */
export function readPushedRequest(search: URLSearchParams, clientId: string): URLSearchParams {
  if (search.has("request_uri"))
    throw new OAuthError("invalid_request", "A pushed request must not have a request_uri.");
  const named = search.getAll("client_id");
  if (named.some((name) => name !== clientId))
    throw new OAuthError("invalid_request", "client_id is not the client that authenticated.");
  const pushed = new URLSearchParams(search);
  for (const name of AUTHENTICATION_PARAMETERS) pushed.delete(name);
  pushed.set("client_id", clientId);
  return pushed;
}

/** @param reference unguessable, and of one use (RFC 9126 §2.2, §7.1) */
export function pushedAuthorizationResponse(reference: string): PushedAuthorizationResponse {
  return {
    request_uri: `${REQUEST_URI_PREFIX}${reference}`,
    expires_in: PUSHED_REQUEST_LIFETIME_SECONDS,
  };
}

/**
 * The reference of an authorization request that was pushed before (RFC 9126 §4). What else stands in the query does not
 * count, except for client_id.
 * @returns undefined when the request has no request_uri, or one that is not ours: none is ever fetched (RFC 9101 §10.4)
 * @throws OAuthError invalid_request beside a request object
 */
export function pushedRequestReference(parameters: RequestParameters): string | undefined {
  const requestUri = parameters.get("request_uri");
  if (requestUri !== undefined && parameters.get("request") !== undefined)
    throw new OAuthError("invalid_request", "request and request_uri must not be sent together.");
  return requestUri?.startsWith(REQUEST_URI_PREFIX) ? requestUri.slice(REQUEST_URI_PREFIX.length) : undefined;
}

export interface PushedRequestRecord {
  readonly clientId: string;
  readonly expiresAt: Date;
  readonly consumedAt: Date | null;
}

/**
 * Whether the reference may be used: by its own client, in time, once (RFC 9126 §4, §7.3). The decision is made on a record
 * as read: it is consumed in one atomic statement when it is answered, and a lost race is taken for a used one.
 * @param clientId that of the query, in the same form as the record's
 * @throws OAuthError invalid_request_uri
 */
export function requireUsablePushedRequest<R extends PushedRequestRecord>(
  record: R | undefined,
  { clientId, now }: { readonly clientId: string; readonly now: Date },
): R {
  if (!record || record.clientId !== clientId || record.consumedAt || now >= record.expiresAt)
    throw invalidRequestUri();
  return record;
}

/** The same answer for one that never was, has expired, was used, or is another client's. */
export function invalidRequestUri(): OAuthError {
  return new OAuthError(
    "invalid_request_uri",
    "The request_uri is unknown, expired or already used. Please go back to the application and start again.",
  );
}
