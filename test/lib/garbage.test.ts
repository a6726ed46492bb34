import { describe, expect, it } from "bun:test";
import { createCollector } from "../../src/lib/garbage.ts";

describe("a collector", () => {
  it("collects when there is so much more than after the last time", () => {
    let used = 100;
    let live = 100;
    let collections = 0;
    const collectIfGrown = createCollector(50, {
      used: () => used,
      collect() {
        collections++;
        used = live;
      },
    });
    collectIfGrown();
    used = 150;
    collectIfGrown();
    expect(collections).toBe(0);
    used = 151;
    live = 140;
    collectIfGrown();
    expect(collections).toBe(1);
    used = 190;
    collectIfGrown();
    expect(collections).toBe(1);
    used = 191;
    collectIfGrown();
    expect(collections).toBe(2);
  });

  it("goes by what the process takes", () => {
    expect(createCollector(Number.MAX_SAFE_INTEGER)()).toBeUndefined();
  });
});
