/** Merkle tree hashes (RFC 9162 §2.1.1, as RFC 6962 before it): leaves and nodes are told apart by a first byte. */
import { createHash } from "node:crypto";

const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

export function leafHash(data: string | Uint8Array): Buffer {
  return createHash("sha256").update(LEAF).update(data).digest();
}

const nodeHash = (left: Uint8Array, right: Uint8Array) =>
  createHash("sha256").update(NODE).update(left).update(right).digest();

/**
 * The root over leaves in this order. Without leaves it is the digest of nothing, as the RFC says.
 * @param leaves by `leafHash`
 */
export function merkleRoot(leaves: readonly Uint8Array[]): Buffer {
  // Complete subtrees by their height, the highest first: joined whenever two are of one height, as in a binary counter.
  const subtrees: { hash: Uint8Array; height: number }[] = [];
  for (const leaf of leaves) {
    let hash = leaf;
    let height = 0;
    while (subtrees.at(-1)?.height === height) {
      const left = subtrees.pop();
      if (left) hash = nodeHash(left.hash, hash);
      height++;
    }
    subtrees.push({ hash, height });
  }
  const last = subtrees.pop();
  if (!last) return createHash("sha256").digest();
  return Buffer.from(subtrees.reduceRight((right, left) => nodeHash(left.hash, right), last.hash));
}

/** JSON with one spelling: members sorted by name at every depth (as RFC 8785 §3.2.3), numbers as ECMAScript writes them. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : member,
  );
}
