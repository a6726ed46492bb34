import { describe, expect, it } from "bun:test";
import { createPace, unpaced } from "../../src/lib/pace.ts";

/** Time that passes when somebody sleeps or works, and not otherwise. */
function inventedTime() {
  let now = 0;
  const slept: number[] = [];
  return {
    slept,
    time: {
      now: () => now,
      async sleep(ms: number) {
        slept.push(ms);
        now += ms;
      },
    },
    work: (ms: number) => async () => {
      now += ms;
      return ms;
    },
    pass: (ms: number) => (now += ms),
  };
}

describe("paced work", () => {
  it("rests after a part for so long that the share is kept, and not before the first", async () => {
    const { time, slept, work } = inventedTime();
    const pace = createPace(0.25, time);
    expect(await pace.part(work(10))).toBe(10);
    expect(slept).toEqual([]);
    await pace.part(work(20));
    expect(slept).toEqual([30]);
    await pace.part(work(1));
    expect(slept).toEqual([30, 60]);
  });

  it("has rested already when time passed by itself", async () => {
    const { time, slept, work, pass } = inventedTime();
    const pace = createPace(0.5, time);
    await pace.part(work(10));
    pass(4);
    await pace.part(work(10));
    expect(slept).toEqual([6]);
    pass(11);
    await pace.part(work(10));
    expect(slept).toEqual([6]);
  });

  it("does one part at a time, in the order in which they came", async () => {
    const { time } = inventedTime();
    const pace = createPace(0.5, time);
    const seen: string[] = [];
    const part = (name: string) =>
      pace.part(async () => {
        seen.push(`${name} begins`);
        await Promise.resolve();
        seen.push(`${name} ends`);
      });
    await Promise.all([part("one"), part("two")]);
    expect(seen).toEqual(["one begins", "one ends", "two begins", "two ends"]);
  });

  it("goes on, and rests, after a part that failed", async () => {
    const { time, slept, work } = inventedTime();
    const pace = createPace(0.5, time);
    const failing = pace.part(async () => {
      await work(5)();
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await pace.part(work(1))).toBe(1);
    expect(slept).toEqual([5]);
  });

  it("does what is to be done after each part, and rests for that too", async () => {
    const { time, slept, work, pass } = inventedTime();
    const pace = createPace(0.5, time, () => void pass(3));
    await pace.part(work(10));
    await pace.part(work(1));
    expect(slept).toEqual([13]);
  });

  it("rests for ten seconds at most", async () => {
    const { time, slept, work } = inventedTime();
    const pace = createPace(0.1, time);
    await pace.part(work(60_000));
    await pace.part(work(1));
    expect(slept).toEqual([10_000]);
  });

  it("does not rest where it has all the time", async () => {
    const { time, slept, work } = inventedTime();
    const pace = createPace(1, time);
    for (let part = 0; part < 3; part++) await pace.part(work(10));
    expect(slept).toEqual([]);
    expect(await unpaced.part(work(3))).toBe(3);
  });
});
