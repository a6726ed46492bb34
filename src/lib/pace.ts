/** Background work that leaves most of the time to whoever waits for an answer. */

export interface Pace {
  /**
   * Does a part of the work when it is its turn: after other work of this pace, and after the rest that is due for what was
   * done last. A part is short, and holds no other part.
   */
  part<Result>(work: () => Promise<Result>): Promise<Result>;
}

export interface Time {
  /** Milliseconds that only ever grow. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

export const realTime: Time = { now: () => performance.now(), sleep: (ms) => Bun.sleep(ms) };

/** A part that took longer waited for something itself: nobody is better off when that is rested for in full. */
const LONGEST_REST_MS = 10_000;

/**
 * All parts together take no more than this share of the time. A job of one part never rests: the rest is before the next
 * part, whosever it is.
 * @param share above 0, at most 1
 * @param afterPart called after each part, and counted as a part of it
 */
export function createPace(share: number, time: Time = realTime, afterPart: () => void = () => {}): Pace {
  let turn: Promise<unknown> = Promise.resolve();
  let restUntil = -Infinity;

  async function take<Result>(work: () => Promise<Result>): Promise<Result> {
    const rest = restUntil - time.now();
    if (rest > 0) await time.sleep(rest);
    const begun = time.now();
    try {
      return await work();
    } finally {
      afterPart();
      const ended = time.now();
      restUntil = ended + Math.min(LONGEST_REST_MS, (ended - begun) * (1 / share - 1));
    }
  }

  return {
    part(work) {
      const mine = turn.then(() => take(work));
      turn = mine.catch(() => {});
      return mine;
    },
  };
}

/** For whoever waits for the work itself. */
export const unpaced: Pace = { part: (work) => work() };
