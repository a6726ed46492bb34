/** What the bench reads of the operating system, on systems that have /proc. */
import { describe, expect, it } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import {
  childrenOf,
  commandOf,
  cpuMsOf,
  processorHas,
  residentMbOf,
  treeCpuMsOf,
  watchSteal,
} from "../../bench/machine.ts";

const NOBODY = 2 ** 30;

describe.if(existsSync("/proc/cpuinfo") && process.arch === "x64")("a processor", () => {
  it("has the instructions that the kernel lists, by their whole name", () => {
    expect(processorHas("sse2")).toBe(true);
    expect(processorHas("sse")).toBe(true);
    expect(processorHas("ss")).toBe(/^flags.* ss /m.test(readFileSync("/proc/cpuinfo", "utf8")));
    expect(processorHas("sse2-and-more")).toBe(false);
  });
});

describe.if(existsSync("/proc/self/stat"))("a process", () => {
  it("has processor time, its own and that of its children", () => {
    const own = cpuMsOf([process.pid]) ?? Number.NaN;
    expect(own).toBeGreaterThanOrEqual(0);
    expect(treeCpuMsOf(process.pid)).toBeGreaterThanOrEqual(own);
  });

  it("has memory, about as much as it says itself", () => {
    const own = process.memoryUsage().rss / 1e6;
    expect(residentMbOf([process.pid]) ?? 0).toBeGreaterThan(own / 2);
  });

  it("has children, which are known by their command", async () => {
    const child = Bun.spawn(["sleep", "600"]);
    try {
      expect(childrenOf(process.pid)).toContain(child.pid);
      expect(commandOf(child.pid)).toContain("600");
    } finally {
      child.kill();
      await child.exited;
    }
  });

  it("that does not exist has none of it", () => {
    expect([cpuMsOf([NOBODY]), treeCpuMsOf(NOBODY), residentMbOf([NOBODY]), commandOf(NOBODY)]).toEqual([
      undefined,
      undefined,
      undefined,
      [],
    ]);
  });

  it("shares the processors with others, who take some of them or none", () => {
    const steal = watchSteal()();
    expect(steal).toBeGreaterThanOrEqual(0);
    expect(steal).toBeLessThanOrEqual(1);
  });
});
