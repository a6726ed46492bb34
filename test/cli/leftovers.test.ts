import { describe, expect, it } from "bun:test";
import { join } from "node:path";
import { endLeftovers } from "../../src/cli/leftovers.ts";
import { scratchDirectory } from "../support/scratch.ts";

/** A process whose command line names `entry`, and that ignores what a busy event loop would not see either. */
async function hang(entry: string) {
  await Bun.write(entry, "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000);");
  const child = Bun.spawn([process.execPath, entry, "worker"], { stdout: "pipe" });
  await child.stdout.getReader().read();
  return child;
}

describe("Leftovers of a killed run", () => {
  it("that hang are killed when their time is over", async () => {
    using scratch = scratchDirectory();
    const entry = join(scratch.path, "cli.ts");
    const child = await hang(entry);
    await endLeftovers([child.pid], entry, 50);
    await child.exited;
    expect(child.signalCode).toBe("SIGKILL");
  });

  it("are waited for", async () => {
    using scratch = scratchDirectory();
    const entry = join(scratch.path, "cli.ts");
    const child = await hang(entry);
    const ended = endLeftovers([child.pid], entry, 20_000);
    child.kill("SIGINT");
    await ended;
    await child.exited;
    expect(child.signalCode).toBe("SIGINT");
  });

  it("are not whoever has their number now", async () => {
    using scratch = scratchDirectory();
    const child = await hang(join(scratch.path, "other.ts"));
    await endLeftovers([child.pid], join(scratch.path, "cli.ts"), 0);
    expect(child.exitCode).toBeNull();
    expect(child.signalCode).toBeNull();
    child.kill("SIGKILL");
  });
});
