import { describe, expect, it } from "bun:test";
import { nextRun, passedRuns, scheduleErrors } from "../../../src/domain/tasks/schedule.ts";

/** The next moments after `from`. */
function moments(cron: string, timeZone: string, from: string, count: number): (string | undefined)[] {
  const found: (string | undefined)[] = [];
  let last: Date | null = new Date(from);
  while (last && found.length < count) {
    last = nextRun({ cron, timeZone }, last);
    found.push(last?.toISOString().replace(":00.000Z", "Z"));
  }
  return found;
}

describe("the next moment", () => {
  it("is later than the one that it is asked after", () => {
    expect(moments("0 12 * * *", "UTC", "2026-03-01T12:00:00Z", 1)).toEqual(["2026-03-02T12:00Z"]);
    expect(moments("0 12 * * *", "UTC", "2026-03-01T11:59:59.999Z", 1)).toEqual(["2026-03-01T12:00Z"]);
  });

  it("goes by the zone's clock", () => {
    expect(moments("30 6 * * 1-5", "America/New_York", "2026-11-20T12:00:00Z", 2)).toEqual([
      "2026-11-23T11:30Z",
      "2026-11-24T11:30Z",
    ]);
    expect(moments("0 0 1 * *", "Pacific/Auckland", "2026-06-10T00:00:00Z", 1)).toEqual([
      "2026-06-30T12:00Z",
    ]);
  });
});

describe("clocks that are put forward", () => {
  it("move what they leave out by as much, once", () => {
    expect(moments("30 2 * * *", "Europe/Berlin", "2027-03-27T12:00:00Z", 2)).toEqual([
      "2027-03-28T01:30Z",
      "2027-03-29T00:30Z",
    ]);
  });

  it.each([
    // At midnight: the whole hour after it is not there.
    ["0 0 * * *", "Africa/Cairo", "2024-04-25T12:00:00Z", ["2024-04-25T22:00Z", "2024-04-26T21:00Z"]],
    ["30 0 * * *", "America/Santiago", "2024-09-07T12:00:00Z", ["2024-09-08T04:30Z", "2024-09-09T03:30Z"]],
    // Only on that day of the year.
    ["0 0 26 4 *", "Africa/Cairo", "2024-01-01T00:00:00Z", ["2024-04-25T22:00Z", "2025-04-25T21:00Z"]],
    // By half an hour.
    ["10 2 * * *", "Australia/Lord_Howe", "2024-10-05T00:00:00Z", ["2024-10-05T15:40Z", "2024-10-06T15:10Z"]],
  ])("leave out no day of %p in %s", (cron, timeZone, from, expected) => {
    expect(moments(cron, timeZone, from, 2)).toEqual(expected);
  });

  it("do not double what comes at the moment that they are put to", () => {
    expect(moments("0 0,1 * * *", "Africa/Cairo", "2024-04-25T12:00:00Z", 2)).toEqual([
      "2024-04-25T22:00Z",
      "2024-04-26T21:00Z",
    ]);
    expect(moments("0 2,3 * * *", "Europe/Berlin", "2027-03-27T12:00:00Z", 2)).toEqual([
      "2027-03-28T01:00Z",
      "2027-03-29T00:00Z",
    ]);
  });

  it("leave the pace of what comes every half an hour", () => {
    expect(moments("*/30 * * * *", "Europe/Berlin", "2027-03-28T00:15:00Z", 4)).toEqual([
      "2027-03-28T00:30Z",
      "2027-03-28T01:00Z",
      "2027-03-28T01:30Z",
      "2027-03-28T02:00Z",
    ]);
  });
});

describe("clocks that are put back", () => {
  it.each([
    ["30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]],
    ["30 1 * * *", "America/New_York", "2026-11-01T03:00:00Z", ["2026-11-01T05:30Z", "2026-11-02T06:30Z"]],
  ])("do not double %p in %s", (cron, timeZone, from, expected) => {
    expect(moments(cron, timeZone, from, 2)).toEqual(expected);
  });

  it("leave the pace of what comes every half an hour, through both of the hours", () => {
    expect(moments("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z", 5)).toEqual([
      "2026-10-25T00:00Z",
      "2026-10-25T00:30Z",
      "2026-10-25T01:00Z",
      "2026-10-25T01:30Z",
      "2026-10-25T02:00Z",
    ]);
  });
});

describe("what has passed", () => {
  const schedule = { cron: "0 * * * *", timeZone: "Europe/Berlin" };
  const at = (time: string) => new Date(`2026-10-25T${time}Z`);

  it("is the last moment, and how many came before it", () => {
    expect(passedRuns(schedule, at("08:00:00"), at("08:00:00"))).toEqual({
      latest: at("08:00:00"),
      before: 0,
      next: at("09:00:00"),
    });
    expect(passedRuns(schedule, at("08:00:00"), at("11:59:59"))).toEqual({
      latest: at("11:00:00"),
      before: 3,
      next: at("12:00:00"),
    });
  });

  it("is not counted for ever, and its end is right all the same", () => {
    const often = { cron: "* * * * *", timeZone: "UTC" };
    expect(passedRuns(often, new Date("2026-01-01T00:00:00Z"), at("12:00:00"))).toEqual({
      latest: at("12:00:00"),
      before: 1000,
      next: at("12:01:00"),
    });
  });
});

describe("a schedule", () => {
  const fieldsOf = (cron: string, timeZone: string, least = 1) =>
    scheduleErrors({ cron, timeZone }, least).map(({ field }) => field);

  it.each(["* * * * *", "*/5 2-4 * * MON-FRI", "0 0 L * *", "0 0 29 2 *", "15,45 8 1 1,7 *"])(
    "can be %p",
    (cron) => {
      expect(fieldsOf(cron, "UTC")).toEqual([]);
    },
  );

  it.each([
    ["six fields: seconds", "* * * * * *"],
    ["four fields", "* * * *"],
    ["a nickname", "@daily"],
    ["chance", "H * * * *"],
    ["a minute that is none", "60 * * * *"],
    ["a day that never comes", "0 0 31 2 *"],
    ["no step", "*/0 * * * *"],
    ["words", "every day at noon please"],
    ["nothing", ""],
  ])("is not made of %s", (_what, cron) => {
    expect(fieldsOf(cron, "UTC")).toEqual(["cron"]);
  });

  it.each(["Nowhere/City", "+02:00", "local", "", "UTC+3"])("is in no zone called %p", (zone) => {
    expect(fieldsOf("0 0 * * *", zone)).toEqual(["time_zone"]);
  });

  it.each([
    ["*/5 * * * *", true],
    ["*/4 * * * *", false],
    ["0,4 12 * * *", false],
    ["1,58 12 * * *", true],
    ["1,58 12,13 * * *", false],
    ["1,58 0,23 * * *", false],
    ["2,57 * * * *", true],
  ])("%p leaves five minutes between two runs: %p", (cron, enough) => {
    expect(fieldsOf(cron, "UTC", 5)).toEqual(enough ? [] : ["cron"]);
  });
});
