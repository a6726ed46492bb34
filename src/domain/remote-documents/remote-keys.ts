/** The keys that others publish at an address of theirs (`jwks_uri`), kept for as long as they may be. */
import { LRUCache } from "lru-cache";
import { addSeconds, type Clock } from "../../lib/clock.ts";
import type { Outbound } from "../../outbound/client.ts";
import { type ForeignKey, importForeignKeys } from "../../protocol/jose/foreign-keys.ts";
import { freshnessSeconds } from "./freshness.ts";

export interface RemoteKeys {
  /**
   * What `pick` finds among the keys at an address. When it finds nothing in a set that is kept, the set is fetched
   * again, so that a new key works at once; but at most once in 30 seconds, whatever is asked for.
   * @returns undefined also when the keys cannot be had
   */
  find<T>(jwksUri: string, pick: (keys: readonly ForeignKey[]) => T | undefined): Promise<T | undefined>;
}

/** Empty after a failure: an address that does not answer is not asked again for every request either. */
interface KeptKeys {
  readonly keys: readonly ForeignKey[];
  readonly fetchedAt: Date;
  readonly freshUntil: Date;
}

const MAX_ADDRESSES = 1000;
const REFETCH_AFTER_SECONDS = 30;
const FRESHNESS = { minimumSeconds: 60, defaultSeconds: 600, maximumSeconds: 3600 };
const FAILURE_SECONDS = 30;
const MAX_BYTES = 64 * 1024;
const ACCEPT = "application/jwk-set+json, application/json";

/**
 * @param onFailure is told of an address that gave no keys, and why
 */
export function createRemoteKeys(
  { outbound, clock }: { readonly outbound: Outbound; readonly clock: Clock },
  onFailure: (jwksUri: string, error: unknown) => void,
): RemoteKeys {
  const kept = new LRUCache<string, KeptKeys>({ max: MAX_ADDRESSES });
  const underWay = new Map<string, Promise<KeptKeys>>();

  async function load(jwksUri: string): Promise<KeptKeys> {
    const fetchedAt = clock.now();
    try {
      const { keys, seconds } = await fetchKeys(outbound, jwksUri);
      return { keys, fetchedAt, freshUntil: addSeconds(fetchedAt, seconds) };
    } catch (error) {
      onFailure(jwksUri, error);
      return { keys: [], fetchedAt, freshUntil: addSeconds(fetchedAt, FAILURE_SECONDS) };
    }
  }

  /** Requests that come while an answer is awaited wait for the same one. */
  async function refresh(jwksUri: string): Promise<KeptKeys> {
    const loading = underWay.get(jwksUri) ?? load(jwksUri).finally(() => underWay.delete(jwksUri));
    underWay.set(jwksUri, loading);
    const loaded = await loading;
    kept.set(jwksUri, loaded);
    return loaded;
  }

  return {
    async find(jwksUri, pick) {
      const now = clock.now();
      const known = kept.get(jwksUri);
      if (!known || now >= known.freshUntil) return pick((await refresh(jwksUri)).keys);
      const found = pick(known.keys);
      if (found !== undefined || now < addSeconds(known.fetchedAt, REFETCH_AFTER_SECONDS)) return found;
      return pick((await refresh(jwksUri)).keys);
    },
  };
}

async function fetchKeys(
  outbound: Outbound,
  jwksUri: string,
): Promise<{ keys: readonly ForeignKey[]; seconds: number }> {
  const { status, headers, body } = await outbound.request(jwksUri, { accept: ACCEPT, maxBytes: MAX_BYTES });
  if (status !== 200) throw new Error(`status ${status}`);
  const document: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  return { keys: importForeignKeys(document), seconds: freshnessSeconds(headers, FRESHNESS) };
}
