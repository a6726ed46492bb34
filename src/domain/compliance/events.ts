/** What happened in a report's period, counted a few days at a time: millions of events, and nobody waits for long meanwhile. */
import type { Deps } from "../../deps.ts";
import * as repo from "./repo.ts";

const DAY_MS = 86_400_000;
const DAYS_AT_ONCE = 7;

export interface EventCounts {
  readonly events: number;
  readonly days_with_events: number;
  readonly access_changes: number;
  readonly reports_read: number;
  readonly consents_given: number;
  readonly consents_withdrawn: number;
}

/** Of a day, in UTC. */
export interface SignIns {
  readonly day: string;
  readonly succeeded: number;
  readonly failed: number;
}

/** @returns days with sign-ins, the first one first */
export async function countEvents(
  deps: Deps,
  about: repo.About,
): Promise<{ events: EventCounts; signIns: SignIns[] }> {
  const found: { day: repo.Period; counts: repo.DayCount[] }[] = [];
  const days = daysOf(about.period);
  for (let first = 0; first < days.length; first += DAYS_AT_ONCE) {
    const some = days.slice(first, first + DAYS_AT_ONCE);
    const counts = await deps.pace.part(() =>
      repo.patiently(deps.db, (executor) => repo.countDays(executor, about, some)),
    );
    for (const [number, day] of some.entries())
      found.push({ day, counts: counts.filter((count) => count.day === number) });
  }
  const all = found.flatMap(({ counts }) => counts);
  const events = {
    events: sumOf(all),
    days_with_events: found.filter(({ counts }) => counts.length > 0).length,
    access_changes: sumOf(all, "role.assigned", "role.unassigned", "group.roles_changed"),
    reports_read: all.reduce((sum, { reports }) => sum + reports, 0),
    consents_given: sumOf(all, "grant.created"),
    consents_withdrawn: sumOf(all, "grant.revoked"),
  };
  const signIns = found.map(({ day, counts }) => ({
    day: day.from.toISOString().slice(0, 10),
    succeeded: sumOf(counts, "user.login"),
    failed: sumOf(counts, "user.login_failed"),
  }));
  return { events, signIns: signIns.filter(({ succeeded, failed }) => succeeded + failed > 0) };
}

/** The days of a period, in UTC: the first and the last may be parts of one. */
export function daysOf({ from, to }: repo.Period): repo.Period[] {
  const days: repo.Period[] = [];
  for (let start = from.getTime(); start < to.getTime();) {
    const end = Math.min((Math.floor(start / DAY_MS) + 1) * DAY_MS, to.getTime());
    days.push({ from: new Date(start), to: new Date(end) });
    start = end;
  }
  return days;
}

const sumOf = (counts: readonly repo.DayCount[], ...types: readonly string[]): number =>
  counts.reduce(
    (sum, { type, events }) => (types.length === 0 || types.includes(type) ? sum + events : sum),
    0,
  );
