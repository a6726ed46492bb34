import { describe, expect, it } from "bun:test";
import { type MasterKeys, parseMasterKeys, sealWith, unsealWith } from "../../src/lib/master-keys.ts";

const encoded = (fill: number) => Buffer.alloc(32, fill).toString("base64");

function keysOf(text: string): MasterKeys {
  const keys = parseMasterKeys(text);
  if (!keys) throw new Error("no keys");
  return keys;
}

describe("parseMasterKeys", () => {
  it("reads ids and keys, the first of which seals", () => {
    expect(parseMasterKeys(`new:${encoded(2)}, old:${encoded(1)}`)).toEqual([
      { id: "new", key: Buffer.alloc(32, 2) },
      { id: "old", key: Buffer.alloc(32, 1) },
    ]);
  });

  it("gives a lone key the id 1", () => {
    expect(parseMasterKeys(encoded(1))).toEqual([{ id: "1", key: Buffer.alloc(32, 1) }]);
  });

  it.each([
    ["nothing", undefined],
    ["the empty text", ""],
    ["a key of 16 bytes", `a:${Buffer.alloc(16).toString("base64")}`],
    ["a key of 33 bytes", `a:${Buffer.alloc(33).toString("base64")}`],
    ["an id without a key", "a:"],
    ["a key without an id", `:${encoded(1)}`],
    ["an id with other characters", `a b:${encoded(1)}`],
    ["an id that is too long", `${"a".repeat(33)}:${encoded(1)}`],
    ["one sound key and one that is not", `a:${encoded(1)},b:short`],
    ["two keys of one id, of which nobody knows which sealed", `a:${encoded(1)},a:${encoded(2)}`],
    ["two keys without ids", `${encoded(1)},${encoded(2)}`],
    ["a comma at the end", `a:${encoded(1)},`],
  ])("refuses %s", (_name, text) => {
    expect(parseMasterKeys(text)).toBeUndefined();
  });
});

describe("rotation", () => {
  const before = keysOf(`old:${encoded(1)}`);
  const during = keysOf(`new:${encoded(2)},old:${encoded(1)}`);
  const after = keysOf(`new:${encoded(2)}`);

  it("opens what the old key sealed, and seals with the new one", () => {
    const sealed = sealWith(before, "a signing key", "signing-key/1");
    expect(sealed.keyId).toBe("old");
    expect(unsealWith(during, sealed, "signing-key/1").toString()).toBe("a signing key");
    const anew = sealWith(during, unsealWith(during, sealed, "signing-key/1"), "signing-key/1");
    expect(anew.keyId).toBe("new");
    expect(unsealWith(after, anew, "signing-key/1").toString()).toBe("a signing key");
  });

  it("says which key is missing when the old one was taken out too early", () => {
    const sealed = sealWith(before, "a signing key", "signing-key/1");
    expect(() => unsealWith(after, sealed, "signing-key/1")).toThrow(
      'sealed under master key "old", which GATEWRIGHT_MASTER_KEY does not hold',
    );
  });

  it("opens nothing in the place of another record", () => {
    const sealed = sealWith(before, "a signing key", "signing-key/1");
    expect(() => unsealWith(before, sealed, "signing-key/2")).toThrow(
      "cannot open what was sealed for signing-key/2",
    );
  });

  it("opens nothing with another key of the same id", () => {
    const sealed = sealWith(before, "a signing key", "signing-key/1");
    expect(() => unsealWith(keysOf(`old:${encoded(9)}`), sealed, "signing-key/1")).toThrow("cannot open");
  });

  it("tells nothing of the keys or of what was sealed in its errors", () => {
    const sealed = sealWith(before, "a signing key", "signing-key/1");
    try {
      unsealWith(keysOf(`old:${encoded(9)}`), sealed, "signing-key/1");
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain("a signing key");
      expect(String(error)).not.toContain(encoded(9));
    }
  });
});
