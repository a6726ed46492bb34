/** What is known of an OpenID provider: its metadata (OpenID Connect Discovery §4), kept for as long as it may be. */
import { LRUCache } from "lru-cache";
import type { getJwksCache, ServerMetadata } from "openid-client";
import type { Deps } from "../../../deps.ts";
import { addSeconds } from "../../../lib/clock.ts";
import type { OidcConnection } from "../../connections/model.ts";
import { freshnessSeconds } from "../../remote-documents/freshness.ts";
import { UpstreamError } from "./errors.ts";

export interface UpstreamServer {
  readonly metadata: ServerMetadata;
  /** The provider's keys, as the library had them last. */
  jwks: ReturnType<typeof getJwksCache>;
}

const FRESHNESS = { minimumSeconds: 60, defaultSeconds: 3600, maximumSeconds: 86_400 };
const MAX_BYTES = 256 * 1024;

const kept = new LRUCache<string, { server: UpstreamServer; freshUntil: Date }>({ max: 1000 });
const underWay = new Map<string, Promise<UpstreamServer>>();

/**
 * The provider's endpoints: as it publishes them, as the connection says, or both.
 * @throws UpstreamError, OutboundError
 */
export async function upstreamServer(deps: Deps, connection: OidcConnection): Promise<UpstreamServer> {
  // Whoever changes a connection wants its provider asked anew.
  const key = `${connection.id}/${connection.updatedAt.getTime()}`;
  const known = kept.get(key);
  if (known && known.freshUntil > deps.clock.now()) return known.server;
  const loading = underWay.get(key) ?? load(deps, connection, key).finally(() => underWay.delete(key));
  underWay.set(key, loading);
  return loading;
}

async function load(deps: Deps, connection: OidcConnection, key: string): Promise<UpstreamServer> {
  const { document, seconds } = connection.config.discovery
    ? await discover(deps, connection)
    : { document: {}, seconds: FRESHNESS.maximumSeconds };
  const server = { metadata: withOverrides(connection, document), jwks: undefined };
  kept.set(key, { server, freshUntil: addSeconds(deps.clock.now(), seconds) });
  return server;
}

async function discover(
  deps: Deps,
  { config }: OidcConnection,
): Promise<{ document: Record<string, unknown>; seconds: number }> {
  const url = `${config.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const { status, headers, body } = await deps.outbound.request(url, {
    accept: "application/json",
    maxBytes: MAX_BYTES,
  });
  const document: unknown = status === 200 ? parsed(body) : undefined;
  if (!isRecord(document)) throw new UpstreamError("discovery", `its metadata was answered with ${status}`);
  // §4.3: exactly the issuer that was asked, or one that speaks for another (RFC 9700 §4.4).
  if (document["issuer"] !== (config.issuer_template ?? config.issuer))
    throw new UpstreamError("discovery", "its metadata names another issuer");
  return { document, seconds: freshnessSeconds(headers, FRESHNESS) };
}

const overridable = [
  "authorization_endpoint",
  "token_endpoint",
  "userinfo_endpoint",
  "jwks_uri",
  "revocation_endpoint",
] as const;

function withOverrides({ config }: OidcConnection, document: Record<string, unknown>): ServerMetadata {
  const metadata: Record<string, unknown> = { ...document };
  for (const name of overridable) {
    const address: unknown = config[name] ?? document[name];
    // What else could stand there, a browser would be led to.
    if (typeof address === "string" && /^https?:$/.test(URL.parse(address)?.protocol ?? ""))
      metadata[name] = address;
    else delete metadata[name];
  }
  if (!metadata["authorization_endpoint"] || !metadata["token_endpoint"] || !metadata["jwks_uri"])
    throw new UpstreamError("discovery", "it names no endpoints for sign-in");
  return { ...metadata, issuer: config.issuer_template ?? config.issuer };
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
