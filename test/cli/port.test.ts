import { describe, expect, it } from "bun:test";
import { claimPort } from "../../src/cli/port.ts";
import { CliError } from "../../src/cli/support.ts";
import { runCommandLine } from "../support/command-line.ts";
import { scratchDirectory } from "../support/scratch.ts";

const answer = () => new Response("hello");

describe("Port", () => {
  it("0 is any free one", async () => {
    expect(await claimPort("127.0.0.1", 0)).toBeGreaterThan(0);
  });

  it("that another server shares (reusePort) is taken all the same, and named with a way out", async () => {
    using server = Bun.serve({ hostname: "127.0.0.1", port: 0, reusePort: true, fetch: answer });
    const port = server.port ?? 0;
    const refusal = await claimPort("127.0.0.1", port).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(CliError);
    expect(String(refusal)).toContain(`port ${port} is taken`);
    expect(String(refusal)).toContain(`PORT=${port + 1}`);
  });

  it("on an address that is not this machine's names HOST", async () => {
    expect(claimPort("192.0.2.1", 0)).rejects.toThrow(/^HOST=192\.0\.2\.1 is not an address of this machine/);
  });

  it("taken stops `start` before it makes a database", async () => {
    using server = Bun.serve({ hostname: "127.0.0.1", port: 0, reusePort: true, fetch: answer });
    using scratch = scratchDirectory();
    const { code, stderr } = await runCommandLine(["start"], {
      PORT: String(server.port),
      GATEWRIGHT_DATA_DIR: scratch.path,
    });
    expect(stderr).toStartWith(`gatewright: port ${server.port} is taken on 127.0.0.1: `);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(await Bun.file(`${scratch.path}/postgres/cluster/PG_VERSION`).exists()).toBe(false);
    expect(code).toBe(1);
  });
});
