/**
 * Whether an `If-None-Match` header names this entity tag, by the weak comparison of RFC 9110 §13.1.2: a proxy that
 * compresses marks tags as weak.
 * @param etag quoted, without a mark
 */
export function matchesEtag(ifNoneMatch: string | null, etag: string): boolean {
  const tags = (ifNoneMatch ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}
