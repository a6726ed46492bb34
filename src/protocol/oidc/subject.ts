import { createHmac } from "node:crypto";

/**
 * The host that stands for all clients of one operator (OpenID Connect Core §8.1): that of the sector_identifier_uri,
 * else the one host of the redirect URIs. A port is no part of it (RFC 3986 §3.2).
 * @throws TypeError for a client that has neither; registration refuses such a one
 */
export function sectorIdentifier(client: {
  readonly sectorIdentifierUri: string | null;
  readonly redirectUris: readonly string[];
}): string {
  if (client.sectorIdentifierUri !== null) return new URL(client.sectorIdentifierUri).hostname;
  const hosts = new Set(client.redirectUris.map((uri) => new URL(uri).hostname));
  const [host] = hosts;
  if (host === undefined || hosts.size > 1)
    throw new TypeError("a pairwise client without one sector identifier");
  return host;
}

/**
 * A subject that clients of different sectors cannot compare (OpenID Connect Core §8.1). The salt is the HMAC's key,
 * so that nobody who knows user ids can compute it, and the parts are told apart by their lengths.
 */
export function pairwiseSubject(input: {
  readonly sector: string;
  readonly userId: string;
  readonly salt: Uint8Array;
}): string {
  return derived(input.salt, ["sub", input.sector, input.userId]);
}

/** The same for a session: what clients of different sectors cannot compare. */
export function pairwiseSessionId(input: {
  readonly sector: string;
  readonly sessionId: string;
  readonly salt: Uint8Array;
}): string {
  return derived(input.salt, ["sid", input.sector, input.sessionId]);
}

const derived = (salt: Uint8Array, parts: readonly string[]): string =>
  createHmac("sha256", salt).update(JSON.stringify(parts)).digest("base64url");
