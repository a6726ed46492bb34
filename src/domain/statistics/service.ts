/** The numbers of the administrators' first page. */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import type { Id } from "../../lib/ids.ts";
import * as repo from "./repo.ts";

export interface Statistics extends repo.Totals {
  /** For each of the last 30 days, today included. */
  readonly logins: readonly { readonly day: string; readonly count: number }[];
  readonly roleCounts: readonly { readonly role: string; readonly count: number }[];
}

const DAY_SECONDS = 86_400;
const RECENT_USERS_DAYS = 7;
const LOGIN_DAYS = 30;

export async function readStatistics(deps: Deps, tenantId: Id<"tenant">): Promise<Statistics> {
  const now = deps.clock.now();
  const usersSince = addSeconds(now, -RECENT_USERS_DAYS * DAY_SECONDS);
  const eventsSince = addSeconds(now, -DAY_SECONDS);
  const days = Array.from({ length: LOGIN_DAYS }, (_, index) =>
    addSeconds(now, (index + 1 - LOGIN_DAYS) * DAY_SECONDS)
      .toISOString()
      .slice(0, 10),
  );
  const [totals, logins, roleCounts] = await Promise.all([
    repo.countAll(deps.db, tenantId, { now, usersSince, eventsSince }),
    repo.countLogins(deps.db, tenantId, new Date(`${days[0]}T00:00:00Z`)),
    repo.countRoles(deps.db, tenantId),
  ]);
  const counts = new Map(logins.map(({ day, count }) => [day, count]));
  return { ...totals, logins: days.map((day) => ({ day, count: counts.get(day) ?? 0 })), roleCounts };
}
