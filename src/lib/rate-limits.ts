/** The groups of endpoints that share a limit, and how many requests a minute each allows unless a tenant says otherwise. */
export const defaultRateLimits = {
  /** Sign-in by whatever means, on the API and on the pages. */
  login: 20,
  register: 20,
  forgot_password: 10,
  /** Whatever else makes us send a mail or a message. */
  send_message: 10,
  /** Links and codes that were sent. */
  redeem: 20,
  /** What is asked again and again by who waits, with a secret that cannot be guessed. */
  poll: 120,
  token_refresh: 20,
  /** Second factors. */
  mfa_verify: 20,
  /** Both halves of each ceremony; what it tests cannot be guessed. */
  passkey: 60,
  /** What people change about their own account, some of it by proving once more who they are. */
  account: 60,
  /** There to a provider and back: two requests, or three, for each sign-in. */
  federation: 120,
  token: 20,
  /** What applications leave with us for a while: pushed requests, device authorizations, registrations. */
  oauth_request: 600,
  /** What applications and their servers call all the time, with credentials that cannot be guessed. */
  application: 60_000,
  /** Identity providers that provision send 25 requests a second and more. */
  scim: 6000,
  admin_read: 300,
  admin_write: 60,
  /** All other endpoints together. */
  default: 3000,
} as const satisfies Record<string, number>;

export type RateLimitGroup = keyof typeof defaultRateLimits;
export type RateLimits = Readonly<Record<RateLimitGroup, number>>;

export const rateLimitGroups = Object.keys(defaultRateLimits) as RateLimitGroup[];

export const MOST_REQUESTS_A_MINUTE = 10_000_000;

/**
 * Reads `group=number` pairs that are separated by commas.
 * @returns undefined for anything else
 */
export function parseRateLimits(text: string): Partial<RateLimits> | undefined {
  const limits: Partial<Record<RateLimitGroup, number>> = {};
  for (const pair of text.split(",").map((part) => part.trim())) {
    if (!pair) continue;
    const [, name, digits] = /^([a-z_]+)\s*=\s*(\d{1,8})$/.exec(pair) ?? [];
    const group = rateLimitGroups.find((known) => known === name);
    const limit = Number(digits);
    if (!group || limit < 1 || limit > MOST_REQUESTS_A_MINUTE) return undefined;
    limits[group] = limit;
  }
  return limits;
}
