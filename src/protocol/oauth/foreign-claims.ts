/** What the JWTs of others that we accept have in common: whom they are for, and when (RFC 7519 §4.1). */

type Claims = Readonly<Record<string, unknown>>;

/** How far ahead of ours the clock of an issuer may be (FAPI 2.0 Security Profile §5.3.2.1). */
export const CLOCK_SKEW_SECONDS = 60;

export interface Lifetime {
  readonly now: Date;
  /** How far ahead `exp` may be: a JWT that holds for a year is a password. */
  readonly maxLifetimeSeconds: number;
}

/**
 * `exp` is required and not past, nor further ahead than allowed; `nbf` and `iat` are not in the future.
 * @returns what is wrong, for an answer to whoever signed it; undefined when nothing is
 */
export function timeProblem(claims: Claims, { now, maxLifetimeSeconds }: Lifetime): string | undefined {
  const { exp, nbf, iat } = claims;
  const seconds = now.getTime() / 1000;
  if (!isNumericDate(exp)) return "exp is missing.";
  if (seconds >= exp) return "exp is past.";
  if (exp > seconds + maxLifetimeSeconds + CLOCK_SKEW_SECONDS)
    return `exp is more than ${maxLifetimeSeconds} seconds ahead.`;
  for (const start of [nbf, iat]) {
    if (start !== undefined && (!isNumericDate(start) || start > seconds + CLOCK_SKEW_SECONDS))
      return "nbf or iat is in the future.";
  }
  return undefined;
}

export function isNumericDate(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

/** An identifier that a stranger chose, short enough to be kept. */
export function isIdentifier(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= 512;
}
