import { describe, expect, it } from "bun:test";
import { MOST_BYTES_OF_ANY, withinLimit } from "../../src/http/body-limit.ts";

const MEBIBYTE = 1024 * 1024;
const limits: [path: string, bytes: number][] = [
  ["/register", MEBIBYTE],
  ["/api/v1/admin/users", MEBIBYTE],
  ["/api/v1/admin/users/import/more", MEBIBYTE],
  ["/scim/v2/Bulk", 4 * MEBIBYTE],
  ["/api/v1/admin/users/import", 512 * MEBIBYTE],
];

const declaring = (bytes: number) =>
  new Request("http://id.test/", { method: "POST", headers: { "content-length": String(bytes) } });

function inChunks(bytes: number): Request {
  let left = bytes;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const size = Math.min(left, 64 * 1024);
      left -= size;
      if (size > 0) controller.enqueue(new Uint8Array(size));
      else controller.close();
    },
  });
  return new Request("http://id.test/", { method: "POST", body });
}

describe("a body", () => {
  it.each(limits)("for %s is at most %d bytes long, by its own word", async (path, bytes) => {
    expect(await withinLimit(declaring(bytes), path)).toBeInstanceOf(Request);
    expect(await withinLimit(declaring(bytes + 1), path)).toBeUndefined();
  });

  it.each(limits.slice(0, 4))(
    "for %s is at most %d bytes long, when it comes in chunks",
    async (path, bytes) => {
      const kept = await withinLimit(inChunks(bytes), path);
      expect((await kept?.arrayBuffer())?.byteLength).toBe(bytes);
      expect(await withinLimit(inChunks(bytes + 1), path)).toBeUndefined();
    },
  );

  it("of users who come in a file is not read on the way, whatever it says", async () => {
    const request = inChunks(8 * MEBIBYTE);
    expect(await withinLimit(request, "/api/v1/admin/users/import")).toBe(request);
    expect(request.bodyUsed).toBe(false);
  });

  it("is never longer than the server reads at all", () => {
    expect(MOST_BYTES_OF_ANY).toBe(Math.max(...limits.map(([, bytes]) => bytes)));
  });
});
