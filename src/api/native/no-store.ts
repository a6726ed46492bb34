/** Answers with tokens or secrets in them are nobody else's business (RFC 6749 §5.1). */
export const noStore = { "cache-control": "no-store", pragma: "no-cache" };
