import type { TenantSettings } from "../tenants/settings.ts";

type PasswordPolicy = Pick<
  TenantSettings,
  | "password_min_length"
  | "password_require_uppercase"
  | "password_require_lowercase"
  | "password_require_digit"
  | "password_require_symbol"
>;

/** Longer ones are refused: argon2id would take them, but nobody types them and they cost bandwidth and memory. */
export const PASSWORD_MAX_LENGTH = 128;

/** @returns what the password lacks, as one sentence to show; undefined when it keeps the policy. */
export function passwordProblem(password: string, policy: PasswordPolicy): string | undefined {
  const length = [...password].length;
  if (length < policy.password_min_length || length > PASSWORD_MAX_LENGTH) {
    return `Must be between ${policy.password_min_length} and ${PASSWORD_MAX_LENGTH} characters.`;
  }
  const required: [boolean, RegExp, string][] = [
    [policy.password_require_uppercase, /\p{Lu}/u, "one uppercase letter"],
    [policy.password_require_lowercase, /\p{Ll}/u, "one lowercase letter"],
    [policy.password_require_digit, /\p{Nd}/u, "one digit"],
    [policy.password_require_symbol, /[^\p{L}\p{N}\s]/u, "one special character"],
  ];
  const kept = required.filter(([isRequired]) => isRequired);
  if (kept.every(([, pattern]) => pattern.test(password))) return undefined;
  return `Must contain at least ${listInWords(kept.map(([, , words]) => words))}.`;
}

function listInWords(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")}${words.length > 2 ? "," : ""} and ${words.at(-1)}`;
}
