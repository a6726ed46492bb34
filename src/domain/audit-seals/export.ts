/** Seals as they leave the host, so that whoever holds a copy can tell when they are replaced together with the events. */
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import { trustedKeys } from "./keys.ts";
import * as repo from "./repo.ts";
import { digestOf } from "./seal.ts";
import { sealsOf } from "./verification.ts";

/** Lines of a file of JSON lines: the tenant's keys, then its seals. */
export async function* exportSeals(
  deps: Deps,
  tenantId: Id<"tenant">,
  afterNumber = 0,
): AsyncGenerator<string> {
  const trusted = await trustedKeys(deps, tenantId);
  for (const { kid, publicJwk } of await repo.findSealKeys(deps.db, tenantId)) {
    if (trusted.has(kid)) yield JSON.stringify({ type: "key", tenant: tenantId, jwk: publicJwk });
  }
  for await (const { number, jws } of sealsOf(deps, tenantId, afterNumber)) {
    yield JSON.stringify({ type: "seal", tenant: tenantId, number, jws });
  }
}

/**
 * What `exportSeals` wrote, to compare with what is kept.
 * @returns digests of this tenant's seals, by number
 * @throws SyntaxError for a file that is none
 */
export function readExportedSeals(text: string, tenantId: Id<"tenant">): ReadonlyMap<number, string> {
  const copies = new Map<number, string>();
  for (const line of text.split("\n").filter((one) => one.trim() !== "")) {
    const entry: unknown = JSON.parse(line);
    if (typeof entry !== "object" || entry === null) throw new SyntaxError("not an export of seals");
    const { type, tenant, number, jws } = entry as Record<string, unknown>;
    if (type !== "seal" || tenant !== tenantId) continue;
    if (typeof number !== "number" || typeof jws !== "string")
      throw new SyntaxError("not an export of seals");
    copies.set(number, digestOf(jws));
  }
  return copies;
}
