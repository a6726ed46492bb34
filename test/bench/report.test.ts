/** What the bench says of what it measured. */
import { describe, expect, it } from "bun:test";
import type { Measurement } from "../../bench/measure.ts";
import { type CaseReport, caseText, ratiosOf, withTable } from "../../bench/report.ts";

const measurement = (name: string, perSecond: number): Measurement => ({
  name,
  perSecond,
  p50Ms: 1,
  p99Ms: 2,
  cpuMs: 0.1,
  databaseCpuMs: undefined,
  residentMb: 100,
  steal: 0.01,
});
const report: CaseReport = {
  name: "token",
  title: "a token",
  measurements: [measurement("Gatewright", 1000), measurement("peer", 250)],
  limit: measurement("signature", 2000),
};

describe("a case's ratios", () => {
  it("say how many times as many requests were answered", () => {
    expect(ratiosOf(report)).toEqual({ peer: 4, signature: 0.5 });
  });

  it("are none where Gatewright was not measured", () => {
    expect(ratiosOf({ ...report, measurements: [measurement("peer", 250)] })).toEqual({});
  });

  it("stand beside what they compare with, the machine's limit too", () => {
    const lines = caseText(report).split("\n");
    expect(lines.find((line) => line.startsWith("peer"))).toEndWith("4.00 x");
    expect(lines.find((line) => line.startsWith("bare signature"))).toEndWith("0.50 x");
    expect(caseText(report)).toContain("1.0 % at most");
  });
});

describe("the README's table", () => {
  const begin = "<!-- written by `gatewright bench --write-readme`: begin -->";
  const end = "<!-- written by `gatewright bench --write-readme`: end -->";
  const whole = { machine: "2 x a processor", generator: "wrk", cases: [report] };

  it("replaces the one before, and nothing else", () => {
    const once = withTable(`before\n${begin}\nold\n${end}\nafter\n`, whole);
    expect(once).toStartWith("before\n");
    expect(once).toEndWith(`${end}\nafter\n`);
    expect(once).toContain("| a token | Gatewright | 1,000 |");
    expect(once).not.toContain("old");
    expect(withTable(once, whole)).toBe(once);
  });

  it("is not written where the README has no place for it", () => {
    expect(() => withTable("no place", whole)).toThrow("no place");
  });
});
