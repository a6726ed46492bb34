/** Whoever publishes a document may say how long it holds, within what we can bear. */
export interface FreshnessBounds {
  readonly minimumSeconds: number;
  readonly defaultSeconds: number;
  readonly maximumSeconds: number;
}

/**
 * For how many seconds an answer may be used (RFC 9111 §4.2.1: max-age less Age), within bounds: the least keeps a peer
 * from making us ask for every request, the most lets a key that was taken back go out of use.
 * @param headers by lower-case name
 */
export function freshnessSeconds(
  headers: Readonly<Record<string, string>>,
  { minimumSeconds, defaultSeconds, maximumSeconds }: FreshnessBounds,
): number {
  const control = headers["cache-control"]?.toLowerCase() ?? "";
  if (/(?:^|,)\s*no-(?:store|cache)\s*(?:,|$)/.test(control)) return minimumSeconds;
  const maxAge = /(?:^|,)\s*max-age\s*=\s*"?(\d{1,10})"?\s*(?:,|$)/.exec(control)?.[1];
  const age = /^\d{1,10}$/.exec(headers["age"] ?? "")?.[0] ?? "0";
  const seconds = maxAge === undefined ? defaultSeconds : Number(maxAge) - Number(age);
  return Math.min(maximumSeconds, Math.max(minimumSeconds, seconds));
}
