import { OAuthError } from "../../lib/errors.ts";

export const prompts = ["none", "login", "consent", "select_account", "create"] as const;

/** OpenID Connect Core §3.1.2.1; `create`: Initiating User Registration via OpenID Connect §4. */
export type Prompt = (typeof prompts)[number];

/** @throws OAuthError invalid_request on an unknown value, or on `none` beside another one */
export function parsePrompt(value: string | undefined): Prompt[] {
  const requested = new Set((value ?? "").split(" ").filter((part) => part !== ""));
  const known = prompts.filter((prompt) => requested.has(prompt));
  if (known.length !== requested.size)
    throw new OAuthError("invalid_request", "A value of prompt is not supported.");
  if (known.length > 1 && known.includes("none"))
    throw new OAuthError("invalid_request", "prompt=none must not be combined with another value.");
  return known;
}

/** What the database's integers hold: 68 years, which no session reaches. */
const MOST_SECONDS = 2 ** 31 - 1;

/**
 * The greatest age of the authentication, in seconds (OpenID Connect Core §3.1.2.1).
 * @throws OAuthError invalid_request on anything but an integer of at least 0
 */
export function parseMaxAge(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d{1,10}$/.test(value))
    throw new OAuthError("invalid_request", "max_age must be an integer of at least 0.");
  return Math.min(Number(value), MOST_SECONDS);
}
