/** From `gatewright start` to the first answer, with a data directory that is there already, and the memory it then rests at. */
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../test/support/free-port.ts";
import { childrenOf, commandOf, residentMbOf } from "./machine.ts";
import { stopProcess } from "./processes.ts";

const ROOT = join(import.meta.dir, "..");
const DEADLINE_MS = 60_000;
/** So long after it was ready its memory is read: what only the start needed has been let go of. */
const REST_MS = 5000;

export interface StartResult {
  /** Milliseconds from the command to the answer of `/readyz`, of each start but the first. */
  readonly readyMs: readonly number[];
  /** Of the API process, in MB. */
  readonly apiMb: number | undefined;
  readonly workerMb: number | undefined;
}

/** @param times how often it is started on the directory that the first start made */
export async function measureStart(times: number): Promise<StartResult> {
  const dataDir = join(ROOT, ".data", "bench-start");
  rmSync(dataDir, { recursive: true, force: true });
  const readyMs: number[] = [];
  let memory: Pick<StartResult, "apiMb" | "workerMb"> = { apiMb: undefined, workerMb: undefined };
  for (let index = 0; index <= times; index++) {
    const last = index === times;
    const result = await startOnce(dataDir, last);
    if (index > 0) readyMs.push(result.readyMs);
    if (last) memory = result;
  }
  rmSync(dataDir, { recursive: true, force: true });
  return { readyMs, apiMb: memory.apiMb, workerMb: memory.workerMb };
}

async function startOnce(dataDir: string, rest: boolean) {
  const port = freePort();
  const begun = performance.now();
  const child = spawn(join(ROOT, "gatewright"), ["start"], {
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      PORT: String(port),
      GATEWRIGHT_DATA_DIR: dataDir,
    },
    stdio: "ignore",
  });
  try {
    while (!(await isReady(port))) {
      if (performance.now() - begun > DEADLINE_MS) throw new Error("gatewright start is not ready");
      await Bun.sleep(5);
    }
    const readyMs = performance.now() - begun;
    if (!rest) return { readyMs, apiMb: undefined, workerMb: undefined };
    await Bun.sleep(REST_MS);
    const services = childrenOf(child.pid ?? 0);
    const memoryOf = (name: string) => residentMbOf(services.filter((pid) => commandOf(pid).includes(name)));
    return { readyMs, apiMb: memoryOf("api"), workerMb: memoryOf("worker") };
  } finally {
    await stopProcess(child);
  }
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}
