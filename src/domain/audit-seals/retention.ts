/**
 * The end of old events. The trail is partitioned by month and not by tenant, and it is append-only: nothing but a whole
 * month ever goes. So the tenant that keeps its trail longest decides when a month goes, and a tenant that keeps it for a
 * shorter time does not see, stream or export what is older (`domain/audit`), until the month is gone.
 */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import type { SigningKey } from "../../protocol/jose/keys.ts";
import * as audit from "../audit/service.ts";
import { signingKeyOf } from "../keys/service.ts";
import { systemContext } from "../request-context.ts";
import { parseSettings } from "../tenants/settings.ts";
import { SEAL_ALGORITHM } from "./keys.ts";
import * as repo from "./repo.ts";
import { addSeal, linkTo } from "./service.ts";

const DAY_MS = 86_400_000;

export interface Retention {
  readonly dropped: readonly string[];
  /** Months that are due, but hold events that are not sealed yet. */
  readonly waiting: readonly string[];
}

/**
 * Drops the months that ended longer ago than every tenant wants them. Each leaves a signed tombstone in every tenant's
 * chain and an event in its trail, in the transaction that drops it.
 */
export async function dropOldMonths(deps: Deps): Promise<Retention> {
  const tenants = await repo.findTenants(deps.db);
  const keptDays = Math.max(...tenants.map(({ settings }) => parseSettings(settings).audit_retention_days));
  const dropped: string[] = [];
  const waiting: string[] = [];
  if (tenants.length === 0) return { dropped, waiting };
  const limit = deps.clock.now().getTime() - keptDays * DAY_MS;
  const due = (await repo.findMonths(deps.db)).filter((month) => boundsOf(month).end.getTime() <= limit);
  for (const month of due) {
    // Looked up before the transaction: a tenant's first key may have to be made.
    const keys = new Map<Id<"tenant">, SigningKey>();
    for (const { id } of tenants) keys.set(id, await signingKeyOf(deps, id, SEAL_ALGORITHM));
    const gone = await deps.db.transaction((tx) => dropMonth(deps, tx, { month, keptDays, keys }));
    (gone ? dropped : waiting).push(month);
  }
  return { dropped, waiting };
}

async function dropMonth(
  deps: Deps,
  tx: Executor,
  { month, keptDays, keys }: { month: string; keptDays: number; keys: ReadonlyMap<Id<"tenant">, SigningKey> },
): Promise<boolean> {
  const now = deps.clock.now();
  const counted = await repo.countMonth(tx, boundsOf(month));
  // A tenant that was deleted has no key to sign with any more, and nobody who would ask.
  const owners = counted.filter(({ tenantId }) => keys.has(tenantId));
  const links = new Map<Id<"tenant">, repo.SealRow>();
  // In one order, so that two workers do not wait for each other.
  for (const { tenantId, through } of owners.toSorted((a, b) => (a.tenantId < b.tenantId ? -1 : 1))) {
    await repo.lockChain(tx, tenantId);
    const last = await repo.findLastSeal(tx, tenantId);
    if (!last || last.through < through) return false;
    links.set(tenantId, last);
  }
  for (const { tenantId, events } of owners) {
    const last = links.get(tenantId);
    const key = keys.get(tenantId);
    if (!last || !key) continue;
    const link = linkTo(last, tenantId, now);
    const tombstone = { ...link, kind: "retention" as const, through: last.through, month, events };
    await addSeal(deps, tx, { tenantId, key, seal: { ...tombstone, kept_days: keptDays } });
    await audit.record(tx, {
      tenantId,
      type: "audit.month_dropped",
      actor: { type: "system" },
      target: { type: "tenant", id: tenantId },
      details: { month, events, kept_days: keptDays, seal: link.number },
      context: systemContext,
      now,
    });
  }
  await repo.dropMonth(tx, month);
  return true;
}

function boundsOf(month: string): { start: Date; end: Date } {
  const start = new Date(`${month}-01T00:00:00Z`);
  return { start, end: new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 1)) };
}
