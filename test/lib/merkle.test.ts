import { describe, expect, it } from "bun:test";
import { createHash } from "node:crypto";
import { canonicalJson, leafHash, merkleRoot } from "../../src/lib/merkle.ts";

const sha = (...parts: Uint8Array[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const node = (left: Uint8Array, right: Uint8Array) => sha(Buffer.of(1), left, right);
const leaves = (count: number) => Array.from({ length: count }, (_, at) => leafHash(`leaf ${at}`));

/** As RFC 9162 §2.1.1 writes it: split at the largest power of two below the number of leaves. */
function mth(of: readonly Uint8Array[]): Uint8Array {
  const [only] = of;
  if (!only) return sha();
  if (of.length === 1) return only;
  let split = 1;
  while (split * 2 < of.length) split *= 2;
  return node(mth(of.slice(0, split)), mth(of.slice(split)));
}

describe("the Merkle tree hash (RFC 9162 §2.1.1)", () => {
  it("tells a leaf from a node by a first byte", () => {
    expect(leafHash("")).toEqual(sha(Buffer.of(0)));
    const [a, b] = leaves(2);
    if (!a || !b) throw new Error("no leaves");
    expect(merkleRoot([a, b])).toEqual(node(a, b));
    expect(leafHash(Buffer.concat([a, b]))).not.toEqual(merkleRoot([a, b]));
  });

  it("of nothing is the digest of nothing", () => {
    expect(merkleRoot([])).toEqual(sha());
  });

  it("is the RFC's recursive one for every number of leaves", () => {
    for (let count = 1; count <= 70; count++) {
      const of = leaves(count);
      expect(merkleRoot(of)).toEqual(Buffer.from(mth(of)));
    }
  });

  it("changes with the order", () => {
    expect(merkleRoot(leaves(5).toReversed())).not.toEqual(merkleRoot(leaves(5)));
  });
});

describe("canonical JSON", () => {
  it("has one spelling, whatever the order of members, and keeps the order of lists", () => {
    const at = new Date("2026-01-02T03:04:05.678Z");
    expect(canonicalJson({ b: [2, 1, { d: null, c: at }], a: "ä" })).toBe(
      '{"a":"ä","b":[2,1,{"c":"2026-01-02T03:04:05.678Z","d":null}]}',
    );
    expect(canonicalJson({ a: 1, b: 2 })).toBe(canonicalJson({ b: 2, a: 1 }));
  });
});
