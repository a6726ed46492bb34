import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import {
  deriveKey,
  equalInConstantTime,
  hmacSha256,
  randomSecret,
  seal,
  sha256,
  unseal,
} from "../../src/lib/crypto.ts";

const key = Buffer.alloc(32, 1);
const bytes = fc.uint8Array({ maxLength: 200 });

describe("seal and unseal", () => {
  it("give back what was sealed", () => {
    fc.assert(
      fc.property(bytes, fc.string(), (plaintext, context) => {
        expect(unseal(key, seal(key, plaintext, context), context)).toEqual(Buffer.from(plaintext));
      }),
    );
  });

  it("never make the same box twice", () => {
    const boxes = Array.from({ length: 100 }, () => seal(key, "the same", "context").toString("hex"));
    expect(new Set(boxes).size).toBe(100);
    expect(new Set(boxes.map((box) => box.slice(0, 24))).size).toBe(100);
  });

  it("open nothing with another key", () => {
    expect(unseal(Buffer.alloc(32, 2), seal(key, "secret", "context"), "context")).toBeUndefined();
  });

  it("open nothing in another context than the one it was sealed for", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (mine, other) => {
        fc.pre(mine !== other && Buffer.compare(Buffer.from(mine), Buffer.from(other)) !== 0);
        expect(unseal(key, seal(key, "secret", mine), other)).toBeUndefined();
      }),
    );
  });

  it("open nothing that was changed, whichever bit it was", () => {
    const box = seal(key, "secret", "context");
    for (let bit = 0; bit < box.length * 8; bit++) {
      const changed = Buffer.from(box);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(unseal(key, changed, "context")).toBeUndefined();
    }
  });

  it("open nothing that was cut short or that is no box at all", () => {
    const box = seal(key, "secret", "context");
    for (let length = 0; length < box.length; length++) {
      expect(unseal(key, box.subarray(0, length), "context")).toBeUndefined();
    }
    expect(unseal(key, Buffer.concat([box, Buffer.from([0])]), "context")).toBeUndefined();
    fc.assert(fc.property(bytes, (junk) => expect(unseal(key, junk, "context")).toBeUndefined()));
  });

  it("throw for a key of the wrong length, which is a defect of ours, when sealing", () => {
    expect(() => seal(Buffer.alloc(16), "secret", "context")).toThrow();
  });
});

describe("equalInConstantTime", () => {
  it("says what comparing says", () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(equalInConstantTime(a, b)).toBe(Buffer.compare(a, b) === 0);
        expect(equalInConstantTime(a, Uint8Array.from(a))).toBe(true);
      }),
    );
  });
});

describe("deriveKey", () => {
  it("makes one key of 32 bytes a purpose, always the same", () => {
    const keys = ["csrf", "interactions", "links", "cursors"].map((purpose) => deriveKey(key, purpose));
    expect(keys.every((derived) => derived.length === 32)).toBe(true);
    expect(new Set(keys.map((derived) => derived.toString("hex"))).size).toBe(4);
    expect(deriveKey(key, "csrf")).toEqual(deriveKey(Buffer.from(key), "csrf"));
    expect(deriveKey(Buffer.alloc(32, 2), "csrf")).not.toEqual(deriveKey(key, "csrf"));
    expect(deriveKey(key, "csrf")).not.toEqual(key);
  });

  it("is HKDF-SHA-256 (RFC 5869) without a salt", () => {
    const extracted = hmacSha256(Buffer.alloc(32), key);
    const expanded = hmacSha256(extracted, Buffer.concat([Buffer.from("gatewright/csrf"), Buffer.from([1])]));
    expect(deriveKey(key, "csrf")).toEqual(expanded);
  });
});

describe("digests", () => {
  it("are those of the standards' examples (FIPS 180-4, RFC 4231 §4.3)", () => {
    expect(sha256("abc").toString("hex")).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    expect(hmacSha256(Buffer.from("Jefe"), "what do ya want for nothing?").toString("hex")).toBe(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
  });
});

describe("randomSecret", () => {
  it("is 256 bits in base64url unless it is asked for others", () => {
    expect(randomSecret()).toMatch(/^[\w-]{43}$/);
    expect(randomSecret(15)).toMatch(/^[\w-]{20}$/);
    expect(new Set(Array.from({ length: 1000 }, () => randomSecret())).size).toBe(1000);
  });
});
