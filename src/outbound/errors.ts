/**
 * - `url`: not https, with credentials, or of a port that is not asked.
 * - `address`: the name leads to an address that is not public.
 * - `unresolvable`, `unreachable`: no such name; no connection, or no trusted certificate for the name.
 * - `timeout`, `too_large`, `encoded`, `redirect`, `protocol`: the answer broke a bound.
 */
export type OutboundRefusal =
  | "url"
  | "address"
  | "unresolvable"
  | "unreachable"
  | "timeout"
  | "too_large"
  | "encoded"
  | "redirect"
  | "protocol";

/**
 * A request that was not made, or whose answer was not taken. For our log alone: a tenant who could tell `address` from
 * `unreachable` by what we answer would have a scanner of our network. Public errors say only that it did not work.
 */
export class OutboundError extends Error {
  override readonly name = "OutboundError";

  constructor(
    readonly reason: OutboundRefusal,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
