/** What the operating system counts, read from /proc. Elsewhere than on Linux nothing is known, and nothing is made up. */
import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ, which is 100 on every Linux that Bun runs on. */
const MS_PER_TICK = 10;

interface ProcessTimes {
  readonly parent: number;
  readonly ownMs: number;
  /** Of children that have ended. */
  readonly childrenMs: number;
}

function timesOf(pid: number): ProcessTimes | undefined {
  const text = readText(`/proc/${pid}/stat`);
  // The name stands in brackets, and may hold spaces and brackets itself.
  const fields = text
    ?.slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  if (!fields) return undefined;
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11, 15);
  return {
    parent: fields[1] ?? 0,
    ownMs: (user + system) * MS_PER_TICK,
    childrenMs: (childrenUser + childrenSystem) * MS_PER_TICK,
  };
}

/** Milliseconds of processor time that these processes have used, in user and kernel mode. */
export function cpuMsOf(pids: readonly number[]): number | undefined {
  const times = pids.map(timesOf);
  return times.every((time) => time === undefined)
    ? undefined
    : times.reduce((sum, time) => sum + (time?.ownMs ?? 0), 0);
}

/** The same of a process and all that descends from it, those that have ended included. */
export function treeCpuMsOf(root: number): number | undefined {
  const own = timesOf(root);
  return (
    own && childrenOf(root).reduce((sum, pid) => sum + (treeCpuMsOf(pid) ?? 0), own.ownMs + own.childrenMs)
  );
}

export function childrenOf(parent: number): number[] {
  return processes().filter((pid) => timesOf(pid)?.parent === parent);
}

/** The arguments that a process was started with. */
export function commandOf(pid: number): string[] {
  return readText(`/proc/${pid}/cmdline`)?.split("\0") ?? [];
}

/** Whether the processor knows these instructions, by the kernel's name of them. */
export function processorHas(flag: string): boolean {
  return new RegExp(`^flags\\s*:.* ${flag}\\b`, "m").test(readText("/proc/cpuinfo") ?? "");
}

/** Resident memory of these processes in MB (10^6 bytes). */
export function residentMbOf(pids: readonly number[]): number | undefined {
  const sizes = pids.flatMap((pid) => {
    const kib = /^VmRSS:\s+(\d+)/m.exec(readText(`/proc/${pid}/status`) ?? "")?.[1];
    return kib ? [(Number(kib) * 1024) / 1e6] : [];
  });
  return sizes.length > 0 ? sizes.reduce((sum, size) => sum + size, 0) : undefined;
}

/** Tells how much of the processors' time others took meanwhile: the host's other machines. */
export function watchSteal(): () => number {
  const before = processorTimes();
  return () => {
    const after = processorTimes();
    const total = after.total - before.total;
    return total > 0 ? (after.stolen - before.stolen) / total : 0;
  };
}

function processorTimes(): { total: number; stolen: number } {
  const times = (readText("/proc/stat")?.split("\n")[0] ?? "").trim().split(/\s+/).slice(1, 9).map(Number);
  return { total: times.reduce((sum, time) => sum + time, 0), stolen: times[7] ?? 0 };
}

function processes(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Boolean);
  } catch {
    return [];
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
