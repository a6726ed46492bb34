/** Workers as processes of their own, to be killed as a machine that goes away kills them. */
import { join } from "node:path";
import { testMasterKey } from "./queue.ts";

const cli = join(import.meta.dir, "../../src/cli.ts");

export interface WorkerProcesses {
  start(): Bun.Subprocess;
  /** kill -9, and gone when it resolves. */
  kill(worker: Bun.Subprocess): Promise<void>;
  killAll(): Promise<void>;
}

/** @param env what the workers are told beside what every test's are, `DATABASE_URL` above all */
export function workerProcesses(env: Record<string, string | undefined>): WorkerProcesses {
  const running = new Set<Bun.Subprocess>();
  const kill = async (worker: Bun.Subprocess) => {
    running.delete(worker);
    worker.kill("SIGKILL");
    await worker.exited;
  };
  return {
    start() {
      const worker = Bun.spawn([process.execPath, cli, "worker"], {
        env: {
          PATH: process.env["PATH"],
          NODE_ENV: "test",
          GATEWRIGHT_MASTER_KEY: testMasterKey,
          LOG_LEVEL: "silent",
          ...env,
        },
        stdout: "ignore",
        stderr: "inherit",
      });
      running.add(worker);
      return worker;
    },
    kill,
    killAll: async () => {
      await Promise.all([...running].map(kill));
    },
  };
}
