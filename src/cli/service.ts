/** The life of an API or worker process: start, say that it is ready, stop when told to or when its owner is gone. */

export interface Service {
  stop(): Promise<void>;
}

/** What a service tells the supervisor that started it. */
export interface ReadyMessage {
  readonly ready: true;
}

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
