/**
 * Seals over the audit trail: batches of a tenant's events in the order of their places, each with a Merkle root, signed
 * with the tenant's key and chained to the one before. What is sealed cannot be changed, removed, reordered or added to
 * without `verify` telling where.
 */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { type Id, idFromUuid } from "../../lib/ids.ts";
import type { SigningKey } from "../../protocol/jose/keys.ts";
import { signJwt } from "../../protocol/jose/sign-jwt.ts";
import { settledPlace } from "../audit/places.ts";
import { eventsBetween } from "../audit/reading.ts";
import { signingKeyOf } from "../keys/service.ts";
import { keepSealKey, SEAL_ALGORITHM } from "./keys.ts";
import * as repo from "./repo.ts";
import { type BatchSeal, digestOf, monthOf, rootOf, type Seal, SEAL_TYP } from "./seal.ts";

/** The most events of one batch: how much has to be read to show that one of them was not changed. */
export const MOST_EVENTS = 4096;

export interface Sealing {
  readonly batches: number;
  readonly events: number;
  /** Tenants whose events could not be sealed, which the log names. */
  readonly failed: number;
}

/** Seals what all tenants have that is not sealed yet. Safe to repeat and to run twice at once. */
export async function sealAuditTrails(deps: Deps): Promise<Sealing> {
  const through = await settledPlace(deps.db);
  if (through === undefined) {
    deps.log.warn("nothing was sealed: a transaction has been open for too long");
    return { batches: 0, events: 0, failed: 0 };
  }
  let batches = 0;
  let events = 0;
  let failed = 0;
  for (const tenantId of await repo.findUnsealedTenants(deps.db, through)) {
    try {
      for (const sealed of await sealTenant(deps, tenantId, through)) {
        batches++;
        events += sealed;
      }
    } catch (err) {
      failed++;
      deps.log.error({ err, tenantId }, "a tenant's audit trail could not be sealed");
    }
  }
  return { batches, events, failed };
}

/** @returns how many events each new batch holds */
async function sealTenant(deps: Deps, tenantId: Id<"tenant">, through: number): Promise<number[]> {
  const sizes: number[] = [];
  for (;;) {
    const key = await signingKeyOf(deps, tenantId, SEAL_ALGORITHM);
    const size = await deps.pace.part(() =>
      deps.db.transaction((tx) => sealBatch(deps, tx, { tenantId, key, through })),
    );
    if (size === 0) return sizes;
    sizes.push(size);
  }
}

async function sealBatch(
  deps: Deps,
  tx: Executor,
  { tenantId, key, through }: { tenantId: Id<"tenant">; key: SigningKey; through: number },
): Promise<number> {
  await repo.lockChain(tx, tenantId);
  const last = await repo.findLastSeal(tx, tenantId);
  const after = last?.through ?? 0;
  if (after >= through) return 0;
  const found = await eventsBetween(tx, tenantId, { after, through }, MOST_EVENTS + 1);
  const [first] = found;
  if (!first) return 0;
  // Of one month, so that a partition can be dropped without leaving half a batch.
  const month = monthOf(first);
  const end = found.findIndex((event) => monthOf(event) !== month);
  const events = found.slice(0, Math.min(end === -1 ? found.length : end, MOST_EVENTS));
  const final = events.at(-1) ?? first;
  const batch: BatchSeal = {
    kind: "batch",
    ...linkTo(last, tenantId, deps.clock.now()),
    through: events.length < found.length ? Number(final.seq) : through,
    month,
    events: events.length,
    root: rootOf(tenantId, events),
    first: idFromUuid("auditEvent", first.id),
    last: idFromUuid("auditEvent", final.id),
  };
  await addSeal(deps, tx, { tenantId, key, seal: batch });
  return events.length;
}

/** What a new seal says of its place in the chain. */
export function linkTo(
  last: repo.SealRow | undefined,
  tenantId: Id<"tenant">,
  now: Date,
): Pick<Seal, "tenant" | "number" | "previous" | "after" | "created_at"> {
  return {
    tenant: tenantId,
    number: (last?.number ?? 0) + 1,
    previous: last ? digestOf(last.jws) : null,
    after: last?.through ?? 0,
    created_at: now.toISOString(),
  };
}

/** Signs a seal and keeps it, in the transaction that holds the chain. */
export async function addSeal(
  deps: Deps,
  tx: Executor,
  { tenantId, key, seal }: { tenantId: Id<"tenant">; key: SigningKey; seal: Seal },
): Promise<void> {
  const now = deps.clock.now();
  await keepSealKey(deps, tx, tenantId, key, now);
  const { number, kind, through, month, events } = seal;
  const jws = await signJwt(seal, { typ: SEAL_TYP, key });
  await repo.insertSeal(tx, { tenantId, number, kind, through, month, events, jws, createdAt: now });
}
