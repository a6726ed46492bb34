/** The services of a `start` that was killed. They end by themselves; one that hangs is ended here. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const POLL_MS = 20;

/**
 * @param pids of the services, as the killed run recorded them; a number that another program has got since is left alone
 * @param entry the program file that every service was started with, or its directory
 * @param patienceMs how long they may take to finish what they do
 */
export async function endLeftovers(
  pids: readonly number[],
  entry: string,
  patienceMs: number,
): Promise<void> {
  const remaining = () => pids.filter((pid) => commandLine(pid).includes(entry));
  const deadline = Date.now() + patienceMs;
  while (remaining().length > 0 && Date.now() < deadline) await Bun.sleep(POLL_MS);
  for (const pid of remaining()) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it has ended just now
    }
  }
}

/** Empty when there is no such process. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return process.platform === "linux"
      ? ""
      : spawnSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" }).stdout;
  }
}
