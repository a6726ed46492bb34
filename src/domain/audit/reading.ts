/** The audit trail as administrators read it: the newest first, no further back than their tenant keeps it. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import { type PageRequest, pageOf, type PageResult } from "../../lib/page.ts";
import type { Tenant } from "../tenants/service.ts";
import * as repo from "./repo.ts";

export type { StoredEvent, WrittenEvent } from "./repo.ts";

export interface EventFilter {
  readonly type?: string | undefined;
  /** Whoever did it or had it done to them. */
  readonly userId?: Id<"user"> | undefined;
  readonly clientId?: Id<"client"> | undefined;
  /** Inclusive. */
  readonly from?: Date | undefined;
  /** Exclusive. */
  readonly to?: Date | undefined;
}

const DAY_MS = 86_400_000;

/** From when on the tenant's events are shown. What is older may still be there, for tenants that keep it longer. */
export function shownFrom(deps: Pick<Deps, "clock">, tenant: Tenant): Date {
  return new Date(deps.clock.now().getTime() - tenant.settings.audit_retention_days * DAY_MS);
}

export async function listEvents(
  deps: Deps,
  tenant: Tenant,
  filter: EventFilter,
  page: PageRequest<"created_at">,
): Promise<PageResult<repo.StoredEvent>> {
  const query = queryOf(deps, tenant, filter);
  const after = page.after && { createdAt: new Date(page.after.value), id: page.after.id };
  const [rows, total] = await Promise.all([
    repo.findEvents(deps.db, query, { after, limit: page.limit + 1 }),
    repo.countEvents(deps.db, query),
  ]);
  return pageOf(rows, page.limit, total);
}

/** All that match, a page at a time and never more in memory; written events that come meanwhile are not among them. */
export async function* eachPage(
  deps: Deps,
  tenant: Tenant,
  filter: Pick<EventFilter, "type" | "from" | "to">,
  { most, pageSize }: { most: number; pageSize: number },
): AsyncGenerator<repo.WrittenEvent[]> {
  const query = queryOf(deps, tenant, filter);
  let left = most;
  let after: repo.WrittenEvent | undefined;
  while (left > 0) {
    const limit = Math.min(pageSize, left);
    const rows = await repo.findWritten(deps.db, query, { after, limit });
    if (rows.length > 0) yield rows;
    if (rows.length < limit) return;
    left -= rows.length;
    after = rows.at(-1);
  }
}

/** @returns how many match, counted up to `most` */
export async function countMatching(
  deps: Deps,
  tenant: Tenant,
  filter: EventFilter,
  most: number,
): Promise<number> {
  return repo.countEvents(deps.db, queryOf(deps, tenant, filter), most);
}

function queryOf(deps: Deps, tenant: Tenant, filter: EventFilter): repo.EventQuery {
  const shown = shownFrom(deps, tenant);
  const { type, userId, clientId, from, to } = filter;
  return {
    tenantId: tenant.id,
    type,
    about: [userId, clientId].filter((one) => one !== undefined),
    from: from && from > shown ? from : shown,
    to,
  };
}

/** A tenant's events in the order of their places, whoever may see them: what seals are over. */
export const eventsBetween = (
  executor: Executor,
  tenantId: Id<"tenant">,
  range: { after: number; through: number },
  limit: number,
): Promise<repo.WrittenEvent[]> => repo.findWrittenBetween(executor, tenantId, range, limit);
