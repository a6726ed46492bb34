/** Child processes that are started again when they end unasked. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Logger } from "../lib/log.ts";
import type { Environment } from "./data-directory.ts";
import { type EnvironmentMessage, isWaiting, type ReadyMessage, WAITS_FOR_ENVIRONMENT } from "./service.ts";
import { CliError } from "./support.ts";

export interface Supervised {
  /** The process id of its present life. */
  pid(): number | undefined;
  /** Resolves when the process first says that it is ready; rejects when it ends by itself before. */
  readonly ready: Promise<void>;
  /** Asks the process to stop, kills it after the deadline, and resolves when it has ended. */
  stop(): Promise<void>;
  /** Ends the process at once. */
  kill(): void;
}

export interface ProcessOptions {
  readonly name: string;
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly env: Environment;
  /**
   * What the process is to know besides and nobody knows yet when it is launched. It loads its code meanwhile, which takes
   * longer than anything else that it does to start.
   */
  readonly later?: Promise<Environment>;
  readonly log: Logger;
  /** Called at every start of the process, the first included. */
  readonly onLaunch?: () => void;
}

/** A process that lived this long was sound: its next restart is immediate again. */
const SOUND_MS = 10_000;
const LONGEST_DELAY_MS = 5000;
/** Longer than the deadline that a service gives itself (`service.ts`). */
export const STOP_DEADLINE_MS = 12_000;

/** @returns milliseconds to wait before the nth restart in a row (from 0): at once, 0.25 s, 0.5 s … 5 s */
export function restartDelay(failures: number): number {
  return failures === 0 ? 0 : Math.min(250 * 2 ** (failures - 1), LONGEST_DELAY_MS);
}

export function supervise({ name, command, env, later, log, onLaunch }: ProcessOptions): Supervised {
  const ready = Promise.withResolvers<void>();
  // It may end before anybody asks whether it is ready.
  ready.promise.catch(() => {});
  const ended = Promise.withResolvers<void>();
  let child: ChildProcess | undefined;
  let stopping = false;
  let wasReady = false;
  let failures = 0;
  let pause: ReturnType<typeof setTimeout> | undefined;

  const launch = (): void => {
    const startedAt = Date.now();
    const [program, ...args] = command;
    const launched = spawn(program, args, {
      env: { ...env, ...(later ? { [WAITS_FOR_ENVIRONMENT]: "1" } : {}) },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const { pid } = launched;
    child = launched;
    onLaunch?.();
    launched.on("message", (message) => {
      if (later && isWaiting(message)) void tell(launched, later);
      if (!isReady(message)) return;
      if (wasReady) log.info({ name, pid }, `the ${name} is back`);
      wasReady = true;
      ready.resolve();
    });
    launched.once("error", (error) => ready.reject(error));
    launched.once("exit", (code, signal) => {
      if (stopping) return ended.resolve();
      if (!wasReady && !signal) {
        ended.resolve();
        return ready.reject(new CliError(`the ${name} did not start (exit code ${code})`));
      }
      if (Date.now() - startedAt > SOUND_MS) failures = 0;
      const delay = restartDelay(failures++);
      log.error(
        { name, pid, exit_code: code, signal, restart_in_ms: delay },
        `the ${name} ended unexpectedly; starting it again`,
      );
      pause = setTimeout(launch, delay);
    });
  };
  launch();

  return {
    pid: () => child?.pid,
    ready: ready.promise,
    stop: async () => {
      stopping = true;
      clearTimeout(pause);
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      const deadline = setTimeout(() => child?.kill("SIGKILL"), STOP_DEADLINE_MS);
      await ended.promise;
      clearTimeout(deadline);
    },
    kill: () => {
      stopping = true;
      clearTimeout(pause);
      child?.kill("SIGKILL");
    },
  };
}

async function tell(launched: ChildProcess, later: Promise<Environment>): Promise<void> {
  const environment = await later;
  if (launched.connected) launched.send({ environment } satisfies EnvironmentMessage);
}

function isReady(message: unknown): message is ReadyMessage {
  return typeof message === "object" && message !== null && "ready" in message && message.ready === true;
}
