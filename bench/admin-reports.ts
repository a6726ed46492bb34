/** Compliance reports and an export of the whole audit trail, and what they cost whoever signs in meanwhile. */
import { readFileSync } from "node:fs";
import { base, ms, newToken, only, percentile, say, signIn, start } from "./admin-process.ts";

let token = "";

/** Memory that a process ever had, in MB. */
function peakMemory(pid: number): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}

async function timedSignIns(seconds: number): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const begun = performance.now();
    const response = await signIn();
    await response.text();
    times.push(performance.now() - begun);
  }
  return times;
}

/** Below the time after which a worker that stands still loses its jobs. */
const BLOCK_SECONDS = 3;
/** For each in which the worker is held. */
const BUSY_BLOCKS = 3;

interface Blocks {
  readonly busy: number[];
  readonly idle: number[];
}

async function asked(path: string): Promise<string> {
  const response = await fetch(`${base}/api/v1/compliance${path}`, {
    headers: { authorization: `Bearer ${token}`, prefer: "wait=0" },
  });
  return ((await response.json()) as { id: string }).id;
}

async function isDone(id: string): Promise<boolean> {
  const response = await fetch(`${base}/api/v1/compliance/reports/${id}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { status } = (await response.json()) as { status: string };
  if (status === "failed") throw new Error("a report failed");
  return status === "done";
}

/** Sign-ins while a report is made, and as many blocks of them when it is. */
async function timeReport(path: string, blocks: Blocks): Promise<void> {
  token = await newToken();
  const begun = performance.now();
  const id = await asked(path);
  let rounds = 0;
  for (; !(await isDone(id)); rounds++) blocks.busy.push(...(await timedSignIns(BLOCK_SECONDS)));
  say(`${path}: done after ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  for (let round = 0; round < rounds; round++) blocks.idle.push(...(await timedSignIns(BLOCK_SECONDS)));
}

/** The same, in turns while the worker works and while it is held: its queries are short. */
async function timeExport(path: string, worker: Bun.Subprocess, blocks: Blocks): Promise<void> {
  token = await newToken();
  const begun = performance.now();
  const id = await asked(path);
  let held = 0;
  for (let round = 1; ; round++) {
    for (let block = 0; block < BUSY_BLOCKS; block++)
      blocks.busy.push(...(await timedSignIns(BLOCK_SECONDS)));
    if (performance.now() - begun > 600_000) token = await newToken();
    if (await isDone(id)) break;
    worker.kill("SIGSTOP");
    blocks.idle.push(...(await timedSignIns(BLOCK_SECONDS)));
    held += BLOCK_SECONDS;
    worker.kill("SIGCONT");
    if (round % 10 === 0) tell("the export so far", blocks);
  }
  say(
    `${path}: done after ${((performance.now() - begun) / 1000 - held).toFixed(0)} s, and ${held} s of being held`,
  );
}

/**
 * Has the reports and an export of the whole trail made by a worker process, and times sign-ins meanwhile: in turns with
 * and without that work, so that both see the same machine.
 */
export async function reports(): Promise<void> {
  const worker = start("worker");
  const wanted = new RegExp(only);
  const peak = () => say(`peak memory of the worker: ${peakMemory(worker.pid).toFixed(0)} MB`);
  const made: Blocks = { busy: [], idle: [] };
  for (const path of ["/soc2", "/gdpr", "/hipaa"]) if (wanted.test(path)) await timeReport(path, made);
  if (made.busy.length > 0) {
    tell("reports", made);
    peak();
  }
  const all = "/audit-export?format=json&limit=10000000";
  if (wanted.test(all)) {
    const exported: Blocks = { busy: [], idle: [] };
    await timeExport(all, worker, exported);
    tell("the export", exported);
    peak();
  }
  worker.kill();
  await worker.exited;
}

function tell(what: string, { busy, idle }: Blocks): void {
  const line = (times: readonly number[]) =>
    `${times.length}, p50 ${ms(percentile(times, 0.5))}, p95 ${ms(percentile(times, 0.95))}`;
  say(`sign-ins during ${what}: ${line(busy)}`);
  say(`sign-ins without: ${line(idle)}`);
  const ratio = (share: number) => (percentile(busy, share) / percentile(idle, share)).toFixed(2);
  say(`ratio: p50 ${ratio(0.5)}, p95 ${ratio(0.95)}`);
}
