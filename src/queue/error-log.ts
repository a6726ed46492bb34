import type { Logger } from "../lib/log.ts";

const QUIET_MS = 5000;

/**
 * A handler for the `error` events of a connection that is being retried: while a server is away the same error comes
 * many times a second, so each is logged at most every 5 s.
 */
export function throttledErrorLog(log: Logger, fields: Record<string, unknown>): (error: Error) => void {
  const quietUntil = new Map<string, number>();
  return (err) => {
    const key = `${err.name} ${err.message}`;
    const now = performance.now();
    if ((quietUntil.get(key) ?? 0) > now) return;
    if (quietUntil.size > 100) quietUntil.clear();
    quietUntil.set(key, now + QUIET_MS);
    log.warn({ err, ...fields }, "the queue's connection reports an error");
  };
}
