/** Merkle tree hashes (RFC 9162 §2.1.1, as RFC 6962 before it): leaves and nodes are told apart by a first byte. */
import { hash } from "node:crypto";

const LEAF = Buffer.of(0);
const DIGEST_BYTES = 32;

/** In one call: millions of leaves are hashed, and what is set up for each costs more than the hash. */
const sha256 = (data: string | Uint8Array): Buffer => hash("sha256", data, "buffer");

export const leafHash = (data: string | Uint8Array): Buffer =>
  sha256(typeof data === "string" ? `\0${data}` : Buffer.concat([LEAF, data]));

/** Filled anew for each node. */
const node = new Uint8Array(1 + 2 * DIGEST_BYTES);
node[0] = 1;

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  node.set(left, 1);
  node.set(right, 1 + DIGEST_BYTES);
  return sha256(node);
}

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
  if (!last) return sha256("");
  return Buffer.from(subtrees.reduceRight((right, left) => nodeHash(left.hash, right), last.hash));
}

/** JSON's own values, with the members of every object in the order of their names. */
export function sortedMembers(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sortedMembers);
  return Object.fromEntries(byName(value).map(([name, member]) => [name, sortedMembers(member)]));
}

const byName = (object: object) =>
  Object.entries(object).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

/** JSON with one spelling: members sorted by name at every depth (as RFC 8785 §3.2.3), numbers as ECMAScript writes them. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(byName(member))
      : member,
  );
}
