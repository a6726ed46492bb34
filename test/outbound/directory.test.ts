/** Connections to directories: where they may go, and what is believed of who is there. */
import { describe, expect, it } from "bun:test";
import { createDirectories, OutboundError } from "../../src/outbound/client.ts";
import { CERTIFICATE, result, startFakeDirectory } from "../support/directory/fake.ts";

const BOUNDS = { startTls: false, timeoutMs: 10_000, maxBytes: 10_000 };
const ours = { allowPrivate: ["127.0.0.1"], allowPlain: true };

async function refusal(work: Promise<{ close(): void }>): Promise<string> {
  try {
    (await work).close();
    return "connected";
  } catch (error) {
    return error instanceof OutboundError ? error.reason : `another error: ${String(error)}`;
  }
}

describe("where a directory may be (server-side request forgery)", () => {
  it.each([
    ["ldaps://127.0.0.1", "address"],
    ["ldaps://[::1]", "address"],
    ["ldaps://[::ffff:127.0.0.1]", "address"],
    ["ldaps://[64:ff9b::7f00:1]", "address"],
    ["ldaps://10.0.0.1", "address"],
    ["ldaps://169.254.169.254", "address"],
    ["ldaps://localhost", "address"],
    ["ldap://127.0.0.1", "address"],
    ["ldap://8.8.8.8", "url"],
    ["ldaps://8.8.8.8:25", "url"],
    ["ldaps://user:password@8.8.8.8", "url"],
    ["http://8.8.8.8", "url"],
    ["gopher://8.8.8.8", "url"],
    ["ldaps:", "url"],
    ["", "url"],
  ])("%p is refused: %s", async (url, reason) => {
    expect(await refusal(createDirectories().open(url, BOUNDS))).toBe(reason);
  });

  it("is decided by the addresses of its name, all of them, and once", async () => {
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      return ["8.8.8.8", "127.0.0.1"];
    };
    const directories = createDirectories({ resolve });
    expect(await refusal(directories.open("ldaps://ldap.example.test", BOUNDS))).toBe("address");
    expect(asked).toEqual(["ldap.example.test"]);
  });

  it("in the clear only on the allow-list, and not in production", async () => {
    const directory = await startFakeDirectory([]);
    const open = (options: typeof ours) => createDirectories(options).open(directory.url, BOUNDS);
    expect(await refusal(open(ours))).toBe("connected");
    expect(await refusal(open({ ...ours, allowPlain: false }))).toBe("url");
    await directory.stop();
  });
});

describe("who is there", () => {
  it("is who its certificate says, by a trusted authority and for its name", async () => {
    const directory = await startFakeDirectory([], { tls: true });
    const directories = createDirectories({
      ...ours,
      allowPrivate: ["127.0.0.1"],
      resolve: async () => ["127.0.0.1"],
    });
    const open = (host: string, ca?: string) =>
      directories.open(`ldaps://${host}:${directory.port}`, { ...BOUNDS, ca });
    expect(await refusal(open("directory.example.test", CERTIFICATE))).toBe("connected");
    expect(await refusal(open("127.0.0.1", CERTIFICATE))).toBe("connected");
    expect(await refusal(open("other.example.test", CERTIFICATE))).toBe("unreachable");
    expect(await refusal(open("directory.example.test"))).toBe("unreachable");
    await directory.stop();
  });

  it("is not talked to in the clear where StartTLS is refused, or something is slipped in behind it", async () => {
    for (const answer of [
      result(1, 0x78, 2),
      Buffer.concat([result(1, 0x78, 0), result(2, 0x61, 0)]),
      Buffer.concat([result(1, 0x78, 0), result(2, 0x61, 0).subarray(0, 9)]),
      Buffer.from("SSH-2.0-OpenSSH_9.2\r\n"),
    ]) {
      const said: Buffer[] = [];
      const directory = await startFakeDirectory([], {
        instead: (socket, bytes) => {
          said.push(bytes);
          socket.write(answer);
        },
      });
      const opened = createDirectories(ours).open(directory.url, { ...BOUNDS, startTls: true });
      expect(await refusal(opened)).toBe("protocol");
      expect(said).toHaveLength(1);
      await directory.stop();
    }
  });

  it("is hung up on when nothing comes in time", async () => {
    const silent = await startFakeDirectory([], { instead: () => {} });
    const opened = createDirectories(ours).open(silent.url, { ...BOUNDS, startTls: true, timeoutMs: 50 });
    expect(["protocol", "timeout"]).toContain(await refusal(opened));
    await silent.stop();
  });

  it("is hung up on after too many octets", async () => {
    const endless = await startFakeDirectory([], {
      instead: (socket) => void socket.write(Buffer.alloc(100_000, 0x30)),
    });
    const { socket } = await createDirectories(ours).open(endless.url, { ...BOUNDS, timeoutMs: 600_000 });
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write("x");
    await closed;
    expect(socket.destroyed).toBe(true);
    await endless.stop();
  });
});
