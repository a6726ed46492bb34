/** The life of an API or worker process: start, say that it is ready, stop when told to or when its owner is gone. */
import { readEnvironment } from "../config.ts";
import type { Environment } from "./data-directory.ts";

export interface Service {
  stop(): Promise<void>;
}

/** What a service tells the supervisor that started it. */
export interface ReadyMessage {
  readonly ready: true;
}

/** What it says when it waits for the rest of its environment, and what it is answered. */
interface WaitingMessage {
  readonly waiting: true;
}
export interface EnvironmentMessage {
  readonly environment: Environment;
}

/** Set by the supervisor for a process that it will tell more. */
export const WAITS_FOR_ENVIRONMENT = "GATEWRIGHT_WAITS_FOR_ENVIRONMENT";

/** The environment of this process, with what its supervisor has to add as soon as it knows it. */
export async function completeEnvironment(): Promise<Environment> {
  const own = readEnvironment();
  if (own[WAITS_FOR_ENVIRONMENT] === undefined || !process.send) return own;
  const told = Promise.withResolvers<Environment>();
  process.on("message", (message) => {
    if (hasEnvironment(message)) told.resolve(message.environment);
  });
  process.send({ waiting: true } satisfies WaitingMessage);
  return { ...own, ...(await told.promise) };
}

export const isWaiting = (message: unknown): message is WaitingMessage =>
  typeof message === "object" && message !== null && "waiting" in message && message.waiting === true;

const hasEnvironment = (message: unknown): message is EnvironmentMessage =>
  typeof message === "object" && message !== null && "environment" in message;

const STOP_DEADLINE_MS = 10_000;
/** Time for a start to finish that is interrupted, so that what it began is stopped in order. */
const START_GRACE_MS = 1000;

/**
 * Resolves when the service has stopped in order. Otherwise it ends the process: with 1 when stopping takes longer
 * than the deadline, with 130 on a second signal, with 0 when it is told to stop while a start takes its time.
 */
export async function runService(
  start: () => Promise<Service>,
  stopDeadlineMs = STOP_DEADLINE_MS,
): Promise<void> {
  const stopRequested = Promise.withResolvers<void>();
  let asked = false;
  let started = false;
  const ask = () => {
    asked = true;
    setTimeout(() => process.exit(1), stopDeadlineMs).unref();
    if (!started) setTimeout(() => started || process.exit(0), START_GRACE_MS).unref();
    stopRequested.resolve();
  };
  const onSignal = () => (asked ? process.exit(130) : ask());
  const supervised = process.send !== undefined;
  process.on("SIGTERM", onSignal);
  // Ctrl-C reaches the supervisor too, which stops its services in order
  process.on("SIGINT", supervised ? () => {} : onSignal);
  // the supervisor was killed: nobody would restart or stop this process any more
  if (supervised) process.on("disconnect", ask);

  const service = await start();
  started = true;
  if (supervised && process.connected) process.send?.({ ready: true } satisfies ReadyMessage);
  await stopRequested.promise;
  await service.stop();
  process.exit(0);
}
