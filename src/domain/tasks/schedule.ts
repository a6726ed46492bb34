/** At which moments a task is due: a cron expression of five fields, read in a time zone. */
import { type CronExpression, CronExpressionParser } from "cron-parser";
import type { FieldError } from "../../lib/errors.ts";

export interface Schedule {
  readonly cron: string;
  /** IANA. */
  readonly timeZone: string;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * What is wrong with a schedule, field by field.
 * @param leastMinutes how far apart two moments have to be at least
 */
export function scheduleErrors({ cron, timeZone }: Schedule, leastMinutes: number): FieldError[] {
  const zone = isTimeZone(timeZone)
    ? []
    : [{ field: "time_zone", message: "must be a time zone's name, as in Europe/Berlin or UTC" }];
  const problem = cronProblem(cron, leastMinutes);
  return problem === undefined ? zone : [{ field: "cron", message: problem }, ...zone];
}

function isTimeZone(name: string): boolean {
  // An offset ("+02:00") would pass below, and knows no summer time.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function cronProblem(cron: string, leastMinutes: number): string | undefined {
  const fields = cron.trim().split(/\s+/);
  // The library would also take seconds, nicknames, and `H`, which it draws anew each time that it reads it.
  if (fields.length !== 5 || fields.some((field) => /^(?:H|@)/i.test(field)))
    return "must have five fields: minute, hour, day of month, month, day of week";
  try {
    const expression = CronExpressionParser.parse(cron, { tz: "UTC", currentDate: new Date(0) });
    expression.next();
    if (leastGapMinutes(expression) >= leastMinutes) return undefined;
    return `must leave at least ${leastMinutes} minutes between two runs`;
  } catch {
    return "is no cron expression, or names a day that never comes";
  }
}

/** Between two moments of one day, or around midnight. */
function leastGapMinutes({ fields }: CronExpression): number {
  const minutes = fields.minute.values;
  const hours: readonly number[] = fields.hour.values;
  const within = minutes.slice(1).map((minute, at) => minute - (minutes[at] ?? 0));
  const isAround = hours.some((hour) => hours.includes((hour + 1) % 24));
  const around = isAround ? 60 - (minutes.at(-1) ?? 0) + (minutes[0] ?? 0) : 60;
  return Math.min(around, ...within);
}

/**
 * The first moment after `after`; null when there is none. A moment that the clocks leave out in spring comes as much
 * later as they are put forward; one that they have twice in autumn comes once, unless every hour is meant.
 */
export function nextRun(schedule: Schedule, after: Date): Date | null {
  const { cron, timeZone: tz } = schedule;
  const next = firstAfter(cron, tz, after);
  if (tz === "UTC") return next;
  const leftOut = leftOutAfter(schedule, after);
  return leftOut && (!next || leftOut < next) ? leftOut : next;
}

function firstAfter(cron: string, tz: string, after: Date): Date | null {
  const expression = CronExpressionParser.parse(cron, { tz, currentDate: after });
  return expression.hasNext() ? expression.next().toDate() : null;
}

/**
 * The library passes over a whole day where clocks are put forward at midnight (Cairo, Santiago), or by less than an hour
 * (Lord Howe). So the next moment is also looked up on the clock's face, whose times are all there if they are read as
 * UTC, and one that the zone does not have is read by the offset before the change.
 */
function leftOutAfter({ cron, timeZone }: Schedule, after: Date): Date | undefined {
  const face = new Date(after.getTime() + offsetMs(timeZone, after));
  const wanted = firstAfter(cron, "UTC", face)?.getTime();
  if (wanted === undefined) return undefined;
  const readings = [-DAY_MS, DAY_MS].map((away) => wanted - offsetMs(timeZone, new Date(wanted + away)));
  if (readings.some((at) => at + offsetMs(timeZone, new Date(at)) === wanted)) return undefined;
  const [moved] = readings;
  return moved !== undefined && moved > after.getTime() ? new Date(moved) : undefined;
}

/** How far the zone's clocks are ahead of UTC. */
function offsetMs(timeZone: string, at: Date): number {
  const format = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" });
  const name = format.formatToParts(at).find(({ type }) => type === "timeZoneName")?.value ?? "";
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? [];
  const ahead = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * MINUTE_MS;
  return sign === "-" ? -ahead : ahead;
}

/** Reading a schedule is slow: an outage of a task of every minute is not to hold a worker up. */
const COUNTED_AT_MOST = 1000;

export interface Passed {
  /** The last moment up to now. */
  readonly latest: Date;
  /** How many there were before it, counted up to 1000. */
  readonly before: number;
  /** The first one to come. */
  readonly next: Date | null;
}

/** What has come due since. @param first a moment of the schedule, not later than `now` */
export function passedRuns(schedule: Schedule, first: Date, now: Date): Passed {
  let latest = first;
  for (let before = 0; before < COUNTED_AT_MOST; before++) {
    const next = nextRun(schedule, latest);
    if (!next || next > now) return { latest, before, next };
    latest = next;
  }
  const { cron, timeZone: tz } = schedule;
  // One millisecond later, so that now itself may be it.
  const fromNow = { tz, currentDate: new Date(now.getTime() + 1) };
  latest = CronExpressionParser.parse(cron, fromNow).prev().toDate();
  return { latest, before: COUNTED_AT_MOST, next: nextRun(schedule, now) };
}
