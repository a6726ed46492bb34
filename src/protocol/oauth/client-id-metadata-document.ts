/**
 * Clients that are known by a document of their own, whose address is their client_id
 * (draft-ietf-oauth-client-id-metadata-document-02): how an MCP client comes to a server that never heard of it.
 */
import type { FieldError } from "../../lib/errors.ts";
import { type MetadataResult, readClientMetadata } from "./client-metadata.ts";
import { OPEN_REGISTRATION_GRANTS } from "./registration.ts";

/** Longer ones are no client_id of ours either. */
const MAX_URL_LENGTH = 512;

/** §8.7: what is read of a document at the most. */
export const METADATA_DOCUMENT_MAX_BYTES = 5 * 1024;

/**
 * Whether a client_id is a Client Identifier URL (§3): https, with a path, without user name, password, fragment or dot
 * segments. It is compared as a string with the document's `client_id` and with the address that is fetched, so it has
 * to be written the way a URL parser writes it: otherwise another address would be fetched than is compared.
 */
export function isClientIdentifierUrl(clientId: string): boolean {
  if (!clientId.startsWith("https://") || clientId.length > MAX_URL_LENGTH) return false;
  const url = URL.parse(clientId);
  return (
    url !== null &&
    url.href === clientId &&
    url.username === "" &&
    url.password === "" &&
    !clientId.includes("#")
  );
}

export interface FetchedDocument {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * Reads what was found at a Client Identifier URL (§4, §5): only a 200 with JSON is a document (a redirect is none),
 * and only one that calls itself by exactly this address is this client's.
 * @param scopes the most that such a client may ask for
 */
export function readMetadataDocument(
  clientId: string,
  fetched: FetchedDocument,
  scopes: readonly string[],
): MetadataResult {
  if (fetched.status !== 200) return refused("client_id", "There is no document at this address.");
  if (!isJsonType(fetched.headers["content-type"]))
    return refused("client_id", "The document's content type is not that of JSON.");
  const members = parseObject(fetched.body);
  if (!members) return refused("client_id", "The document is not a JSON object.");
  if (members["client_id"] !== clientId)
    return refused("client_id", "The document does not call itself by the address it is at.");
  // §4.1: a document is public, so whatever secret it holds is one no more.
  if (members["client_secret"] !== undefined || members["client_secret_expires_at"] !== undefined)
    return refused("client_secret", "A public document cannot hold a secret.");
  return readClientMetadata(members, {
    origin: "metadata_document",
    grantTypes: OPEN_REGISTRATION_GRANTS,
    scopes,
  });
}

function refused(field: string, message: string): MetadataResult {
  const problems: readonly FieldError[] = [{ field, message }];
  return { ok: false, problems };
}

/** §4: application/json, or a more specific type that is JSON as well. */
function isJsonType(contentType: string | undefined): boolean {
  return /^application\/(?:[\w.!#$&^-]+\+)?json\s*(?:;|$)/i.test(contentType ?? "");
}

function parseObject(body: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** §5.2: our own bounds. Shorter would make us knock at the client's door all the time, and tell it when users come. */
const LEAST_SECONDS = 5 * 60;
const MOST_SECONDS = 24 * 3600;
const DEFAULT_SECONDS = 3600;

/** For how long a document may be used before it is fetched again, by its cache headers (RFC 9111 §4.2). */
export function metadataLifetimeSeconds(headers: Readonly<Record<string, string>>): number {
  const directives = (headers["cache-control"] ?? "")
    .toLowerCase()
    .split(",")
    .map((one) => one.trim());
  if (directives.some((one) => /^no-(?:store|cache)(?:=|$)/.test(one))) return LEAST_SECONDS;
  const maxAge = directives.flatMap((one) => /^max-age="?(\d{1,9})"?$/.exec(one)?.[1] ?? [])[0];
  if (maxAge === undefined) return DEFAULT_SECONDS;
  const age = /^\d{1,9}$/.test(headers["age"] ?? "") ? Number(headers["age"]) : 0;
  return Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, Number(maxAge) - age));
}

/**
 * Whether an answer says nothing about the document: the server is in trouble, and what was read before still counts.
 * Any other answer than a document means that there is none any more.
 */
export function isTemporaryFailure(status: number): boolean {
  return status >= 500 || status === 408 || status === 429;
}
