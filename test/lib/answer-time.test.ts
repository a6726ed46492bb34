import { describe, expect, it } from "bun:test";
import { ANSWER_MS, atAnEvenPace } from "../../src/lib/answer-time.ts";

async function timed<T>(work: () => Promise<T>): Promise<[number, T | string]> {
  const begun = performance.now();
  const outcome = await work().catch((error: unknown) => String(error));
  return [performance.now() - begun, outcome];
}

describe("an answer at an even pace", () => {
  it("comes no sooner than its time, right or wrong", async () => {
    const [quick, value] = await timed(() => atAnEvenPace(Promise.resolve("found")));
    const [failing, reason] = await timed(() => atAnEvenPace(Promise.reject(new Error("none"))));
    expect([value, reason]).toEqual(["found", "Error: none"]);
    // Timers count whole milliseconds.
    expect(Math.min(quick, failing)).toBeGreaterThanOrEqual(ANSWER_MS - 1);
  });

  it("waits for work that takes longer", async () => {
    let done = false;
    const work = Bun.sleep(ANSWER_MS * 2).then(() => (done = true));
    expect(await atAnEvenPace(work)).toBe(true);
    expect(done).toBe(true);
  });
});
