/** Servers as processes of their own, which say by one line of JSON that they are ready. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Announcement } from "./contender.ts";

const READY_DEADLINE_MS = 120_000;

export interface ServerProcess {
  readonly announcement: Announcement;
  /** Asks it to announce itself anew, if it knows how. */
  announceAgain(): Promise<Announcement>;
  stop(): Promise<void>;
}

/** @throws Error when it ends, or says nothing, before it is ready */
export async function startServerProcess(
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
): Promise<ServerProcess> {
  const [program, ...args] = command;
  const child = spawn(program, args, {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  child.stderr.on("data", (chunk) => said.push(String(chunk)));
  const ready = Promise.withResolvers<Announcement>();
  let next = ready;
  createInterface({ input: child.stdout }).on("line", (line) => {
    // Logs go to standard output too.
    if (line.startsWith('{"url":')) next.resolve(JSON.parse(line));
  });
  child.once("error", ready.reject);
  child.once("exit", (code) =>
    ready.reject(new Error(`${command.join(" ")} ended with ${code}: ${said.join("")}`)),
  );
  const deadline = setTimeout(() => {
    child.kill("SIGKILL");
    ready.reject(new Error(`${command.join(" ")} is not ready: ${said.join("")}`));
  }, READY_DEADLINE_MS);
  try {
    return {
      announcement: await ready.promise,
      announceAgain() {
        next = Promise.withResolvers<Announcement>();
        child.kill("SIGUSR2");
        return next.promise;
      },
      stop: () => stopProcess(child),
    };
  } finally {
    clearTimeout(deadline);
  }
}

/** Asks it to stop, and ends it when it does not within ten seconds. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const deadline = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await ended;
  clearTimeout(deadline);
}
