import { availableParallelism } from "node:os";
import { AppError } from "../../lib/errors.ts";
import type { MasterKeys } from "../../lib/master-keys.ts";
import { matchesHash } from "./verifying.ts";

/** OWASP Password Storage Cheat Sheet's floor for argon2id: 19 MiB, two passes. */
const COST = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;
const PARAMETERS = `$m=${COST.memoryCost},t=${COST.timeCost},`;

/** At 30 hashes a second and core, who would wait behind more has given up before the answer. */
const MOST_WAITING = 500;

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** @param hash undefined for a user who is not known: the same work is done, and the answer is false. */
  verify(password: string, hash: string | undefined): Promise<boolean>;
  /** Whether a hash that just verified was made at another cost and is to be replaced. */
  isOutdated(hash: string): boolean;
}

/**
 * argon2id, with a bound on how many run at once: each takes 19 MiB and a core for tens of milliseconds, so more of them at
 * once would only make all of them late and let anyone exhaust the memory. Hashes that other systems made are verified, too.
 * @param masterKeys open what imported hashes hold sealed
 */
export function createPasswordHasher(
  concurrency = availableParallelism(),
  masterKeys?: MasterKeys,
): PasswordHasher {
  const run = createSemaphore(concurrency);
  const hash = (password: string) => run(() => Bun.password.hash(password, COST));
  // Made at the same cost as a real one, so that an unknown user costs as much time as a known one.
  let dummy: Promise<string> | undefined;

  return {
    hash,
    async verify(password, known) {
      const standIn = await (dummy ??= hash("no user has this password"));
      const matches = await run(() => matchesHash(password, known ?? standIn, masterKeys));
      return known !== undefined && matches;
    },
    isOutdated: (known) => !known.startsWith("$argon2id$") || !known.includes(PARAMETERS),
  };
}

/** First come, first served. */
function createSemaphore(permits: number) {
  const waiting: (() => void)[] = [];
  let free = permits;
  return async function run<Result>(task: () => Promise<Result>): Promise<Result> {
    if (free > 0) free--;
    else if (waiting.length >= MOST_WAITING) throw busy();
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

const busy = () =>
  new AppError(503, "temporarily_unavailable", "The server is busy. Please try again in a few seconds.", {
    headers: { "retry-after": "5" },
  });
