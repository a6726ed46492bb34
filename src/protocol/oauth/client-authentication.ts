import { equalInConstantTime, sha256 } from "../../lib/crypto.ts";
import { OAuthError } from "../../lib/errors.ts";
import { type ClientAssertion, readClientAssertion } from "./client-assertion.ts";
import type { RequestParameters } from "./parameters.ts";

/** What a request presented, and by which method (RFC 6749 §2.3, RFC 7591 §2). Not yet compared with anything. */
export type ClientCredentials =
  | {
      readonly method: "client_secret_basic" | "client_secret_post";
      readonly clientId: string;
      readonly clientSecret: string;
    }
  | { readonly method: "private_key_jwt"; readonly clientId: string; readonly assertion: ClientAssertion }
  | { readonly method: "none"; readonly clientId: string };

/** RFC 6749 §5.2: the scheme that the client used is the one it is challenged with. */
const BASIC_CHALLENGE = { "www-authenticate": 'Basic realm="token", charset="UTF-8"' };

/**
 * Reads the client's credentials from the Authorization header and the form body (RFC 6749 §2.3.1), its assertion
 * (RFC 7523 §2.2), or its bare client_id. More than one method in a request is refused (§2.3), and so are two different client ids.
 * @throws OAuthError invalid_request, or invalid_client (401) when there are none or they cannot be read
 */
export function readClientCredentials(
  authorization: string | null | undefined,
  parameters: RequestParameters,
): ClientCredentials {
  const bodyId = parameters.get("client_id");
  const bodySecret = parameters.get("client_secret");
  const assertion = readClientAssertion(parameters);
  if (assertion) {
    if (authorization || bodySecret !== undefined) throw severalMethods();
    return { method: "private_key_jwt", clientId: assertion.clientId, assertion };
  }
  if (authorization) {
    const basic = readBasic(authorization);
    if (bodySecret !== undefined) throw severalMethods();
    if (bodyId !== undefined && bodyId !== basic.clientId)
      throw new OAuthError(
        "invalid_request",
        "The client_id differs from the one in the Authorization header.",
      );
    return basic;
  }
  if (bodyId === undefined) throw new OAuthError("invalid_client", "The client did not identify itself.");
  return bodySecret === undefined
    ? { method: "none", clientId: bodyId }
    : { method: "client_secret_post", clientId: bodyId, clientSecret: bodySecret };
}

function severalMethods(): OAuthError {
  return new OAuthError("invalid_request", "The client used more than one authentication method.");
}

/** RFC 7617 §2, with both parts form-urlencoded before they are joined (RFC 6749 §2.3.1). */
function readBasic(authorization: string) {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(authorization)?.[1];
  const pair = encoded === undefined ? undefined : decodeUtf8(Buffer.from(encoded, "base64"));
  const colon = pair?.indexOf(":") ?? -1;
  const clientId = decodeFormValue(pair?.slice(0, Math.max(colon, 0)));
  const clientSecret = decodeFormValue(pair?.slice(colon + 1));
  if (!clientId || !clientSecret) {
    throw new OAuthError("invalid_client", "The Authorization header holds no client credentials.", {
      headers: BASIC_CHALLENGE,
    });
  }
  return { method: "client_secret_basic", clientId, clientSecret } as const;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function decodeFormValue(value: string | undefined): string | undefined {
  // Ids and secrets of ours have nothing to decode.
  if (!value || /^[\w.-]+$/.test(value)) return value;
  try {
    return decodeURIComponent(value.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/** What this module needs to know of a client. `secretHashes`: SHA-256 of each secret that is valid now. */
export interface AuthenticableClient {
  readonly clientId: string;
  readonly tokenEndpointAuthMethod: string;
  readonly secretHashes: readonly Uint8Array[];
}

/**
 * Decides whether the credentials are those of the client. A confidential client that sends no secret is refused, and
 * a public one that sends a secret as well. A client that has a secret may send it in the header or in the form: both
 * prove the same, and RFC 6749 §2.3.1 has servers take the header from whoever has a password. An unknown client, a
 * wrong method and a wrong secret answer alike and take alike. A client that has keys authenticates with them alone.
 * @param client undefined when no client has the presented client_id
 * @param digest how a presented secret becomes what is stored; by default its SHA-256
 * @param assertionVerified whether `verifyClientAssertion` accepted the assertion, and it was used for the first time
 * @throws OAuthError invalid_client (401; with WWW-Authenticate if the client used that header, RFC 6749 §5.2)
 */
export function authenticateClient<C extends AuthenticableClient>(
  credentials: ClientCredentials,
  client: C | undefined,
  digest: (clientSecret: string) => Uint8Array = sha256,
  assertionVerified = false,
): C {
  const proven =
    credentials.method === "none" ||
    (credentials.method === "private_key_jwt"
      ? assertionVerified
      : matchesAny(digest(credentials.clientSecret), client?.secretHashes ?? []));
  const known =
    client?.clientId === credentials.clientId &&
    (client.tokenEndpointAuthMethod === credentials.method ||
      (usesSecret(client.tokenEndpointAuthMethod) && usesSecret(credentials.method)));
  if (client && known && proven) return client;
  const headers = credentials.method === "client_secret_basic" ? BASIC_CHALLENGE : undefined;
  throw new OAuthError("invalid_client", "Client authentication failed.", { headers });
}

function usesSecret(method: string): boolean {
  return method === "client_secret_basic" || method === "client_secret_post";
}

/** Goes through all of them, so that the time does not tell which one matched. */
function matchesAny(digest: Uint8Array, hashes: readonly Uint8Array[]): boolean {
  let found = false;
  for (const hash of hashes) found = equalInConstantTime(digest, hash) || found;
  return found;
}
