import { afterAll, describe, expect, it } from "bun:test";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openFrames, SealedStreamError, sealFrames } from "../../src/storage/sealed.ts";
import { openStorage } from "../../src/storage/storage.ts";
import { scratchDirectory } from "../support/scratch.ts";

const directory = scratchDirectory();

/** As much of S3's interface as whole objects need. */
const objects = new Map<string, Buffer>();
const s3 = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (!request.headers.get("authorization")?.startsWith("AWS4-HMAC-SHA256 Credential=key/")) {
      return new Response(null, { status: 403 });
    }
    if (request.method === "PUT") {
      objects.set(pathname, Buffer.from(await request.arrayBuffer()));
      return new Response(null, { headers: { etag: '"x"' } });
    }
    if (request.method === "DELETE") {
      objects.delete(pathname);
      return new Response(null, { status: 204 });
    }
    const found = objects.get(pathname);
    if (!found) return new Response(null, { status: 404 });
    const head = request.method === "HEAD";
    return new Response(head ? null : new Uint8Array(found), {
      headers: { "content-length": `${found.length}` },
    });
  },
});
afterAll(() => {
  s3.stop(true);
  directory[Symbol.dispose]();
});

async function* chunksOf(...chunks: string[]) {
  for (const chunk of chunks) yield Buffer.from(chunk);
}
async function textOf(chunks: AsyncIterable<Uint8Array> | undefined): Promise<string | undefined> {
  if (!chunks) return undefined;
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

const storages = {
  "the data directory": () => openStorage({ dataDir: directory.path, s3: undefined }),
  "S3-compatible storage": () =>
    openStorage({
      dataDir: directory.path,
      s3: {
        endpoint: `http://127.0.0.1:${s3.port}`,
        bucket: "bucket",
        region: undefined,
        accessKeyId: "key",
        secretAccessKey: "secret",
      },
    }),
};

describe.each(Object.entries(storages))("%s", (_name, open) => {
  it("keeps what was written, replaces it whole, and forgets it", async () => {
    const storage = open();
    expect(await storage.read("a/b.json")).toBeUndefined();
    await storage.write("a/b.json", chunksOf("one", "two"));
    expect(await textOf(await storage.read("a/b.json"))).toBe("onetwo");
    await storage.write("a/b.json", chunksOf("three"));
    expect(await textOf(await storage.read("a/b.json"))).toBe("three");
    await storage.remove("a/b.json");
    await storage.remove("a/b.json");
    expect(await storage.read("a/b.json")).toBeUndefined();
  });

  it("leaves the place of a key to nobody", async () => {
    for (const key of ["../x", "a/../../x", "/x", "a//b", "", ".x", "a/.x", "a\\b", "a b"]) {
      await expect(open().read(key)).rejects.toThrow(RangeError);
    }
  });
});

describe("a file of the data directory", () => {
  it("is its owner's alone, and not there before it is whole", async () => {
    const storage = storages["the data directory"]();
    async function* broken() {
      yield Buffer.from("half");
      throw new Error("the end of the world");
    }
    await expect(storage.write("c/d", broken())).rejects.toThrow("world");
    expect(await storage.read("c/d")).toBeUndefined();
    const folder = join(directory.path, "files", "c");
    expect(readdirSync(folder)).toEqual([]);
    await storage.write("c/d", chunksOf("whole"));
    expect(statSync(join(folder, "d")).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    writeFileSync(join(folder, "d.killed.part"), "half");
    writeFileSync(join(folder, "d2"), "another");
    await storage.remove("c/d");
    expect(readdirSync(folder)).toEqual(["d2"]);
  });
});

describe("sealed frames", () => {
  const masterKey = (id: string, fill: number) => ({ id, key: Buffer.alloc(32, fill) });
  const current = masterKey("current", 3);
  const former = masterKey("former", 4);
  const sealed = async (text: string, context = "x", { key } = current) => {
    const frames: Uint8Array[] = [];
    for await (const frame of sealFrames(key, context, chunksOf(text))) frames.push(frame);
    return frames;
  };
  async function* inPieces(bytes: Uint8Array, size: number) {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const opened = (frames: Uint8Array[], context = "x", size = 1000) =>
    textOf(openFrames([current, former], context, inPieces(Buffer.concat(frames), size)));

  it("open by a former key too, but all of them by the same one, and by no other key", async () => {
    const long = "x".repeat(200_000);
    const byFormer = await sealed(long, "x", former);
    expect(await opened(byFormer)).toBe(long);
    const byCurrent = await sealed(long);
    const [first = new Uint8Array(), ...rest] = byFormer;
    await expect(opened([...byCurrent.slice(0, 1), ...rest])).rejects.toThrow(SealedStreamError);
    await expect(opened([first, ...byCurrent.slice(1)])).rejects.toThrow(SealedStreamError);
    await expect(opened(await sealed(long, "x", masterKey("another", 5)))).rejects.toThrow(SealedStreamError);
  });

  it("open to what was sealed, however they arrive, also nothing and whole frames", async () => {
    for (const length of [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000]) {
      const text = "ä".repeat(length / 2) + "x".repeat(length % 2);
      expect(await opened(await sealed(text), "x", 4097)).toBe(text);
    }
  });

  it("do not open cut off, reordered, repeated, extended, changed or as something else", async () => {
    const frames = await sealed("x".repeat(200_000));
    const [first, second, ...rest] = frames;
    if (!first || !second) throw new Error("no frames");
    const changed = Buffer.from(first);
    changed[50] = (changed[50] ?? 0) ^ 1;
    for (const wrong of [
      frames.slice(0, -1),
      frames.slice(1),
      [second, first, ...rest],
      [first, first, second, ...rest],
      [...frames, ...(await sealed("more"))],
      [changed, second, ...rest],
      [Buffer.concat(frames).subarray(0, 1000)],
      [],
    ]) {
      await expect(opened(wrong)).rejects.toThrow("changed, cut off");
    }
    await expect(opened(frames, "y")).rejects.toThrow("changed, cut off");
  });
});
