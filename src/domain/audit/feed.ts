/** The audit trail as it grows, for whoever watches. */
import type { Deps } from "../../deps.ts";
import { AppError } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import type { Tenant } from "../tenants/service.ts";
import { type Cut, takeCut } from "./places.ts";
import { shownFrom } from "./reading.ts";
import * as repo from "./repo.ts";

export interface AuditFeed {
  /**
   * @param after the place of the last event that the watcher has; undefined: from now on
   * @throws AppError 503 when too many watch already
   */
  open(tenant: Tenant, after: number | undefined): AuditSubscription;
}

export interface AuditSubscription {
  /** What came since the last call, in the order of writing; of much of it the first part. */
  read(): Promise<repo.StoredEvent[]>;
  close(): void;
}

/** For one process. Each watcher costs a query every half second. */
const MOST_WATCHERS = 100;
const MOST_WATCHERS_OF_A_TENANT = 10;
const PART = 200;
/** Watchers that ask within this time share the answer to how far the trail is settled. */
const SHARED_MS = 250;

export function createAuditFeed(deps: Deps): AuditFeed {
  const watchers = new Map<Id<"tenant">, number>();
  const settled = settledReader(deps);

  function leave(tenantId: Id<"tenant">): void {
    const left = (watchers.get(tenantId) ?? 1) - 1;
    if (left > 0) watchers.set(tenantId, left);
    else watchers.delete(tenantId);
  }

  return {
    open(tenant, after) {
      const ofTenant = watchers.get(tenant.id) ?? 0;
      const all = [...watchers.values()].reduce((sum, count) => sum + count, 0);
      if (all >= MOST_WATCHERS || ofTenant >= MOST_WATCHERS_OF_A_TENANT) {
        throw new AppError(503, "too_many_streams", "Too many streams are open. Please try again later.", {
          headers: { "retry-after": "60" },
        });
      }
      watchers.set(tenant.id, ofTenant + 1);
      let seen = after;
      let open = true;
      return {
        async read() {
          const through = await settled();
          seen ??= through;
          if (through <= seen) return [];
          const found = await repo.findFollowing(deps.db, tenant.id, { after: seen, through }, PART);
          seen = found.length === PART ? (found.at(-1)?.seq ?? through) : through;
          const shown = shownFrom(deps, tenant);
          return found.filter(({ createdAt }) => createdAt >= shown);
        },
        close() {
          if (open) leave(tenant.id);
          open = false;
        },
      };
    },
  };
}

/** How far nothing more can appear: a place is passed only when all transactions that could still show one before it ended. */
function settledReader({ db }: Pick<Deps, "db">): () => Promise<number> {
  let place = 0;
  let waiting: Cut | undefined;
  let running: Promise<number> | undefined;
  let askedAt = -Infinity;

  async function advance(): Promise<number> {
    const cut = await takeCut(db);
    if (waiting && cut.oldest >= waiting.until) {
      place = Math.max(place, waiting.place);
      waiting = undefined;
    }
    if (cut.oldest >= cut.until) place = Math.max(place, cut.place);
    else waiting ??= cut;
    return place;
  }

  return () => {
    const now = performance.now();
    if (!running || now - askedAt > SHARED_MS) {
      askedAt = now;
      running = advance();
    }
    return running;
  };
}
