import type { Id } from "../../lib/ids.ts";

/** A user as services and tokens see one: the profile, the primary email and the names of the roles. */
export interface User {
  readonly id: Id<"user">;
  readonly tenantId: Id<"tenant">;
  readonly username: string;
  readonly givenName: string | null;
  readonly familyName: string | null;
  readonly picture: string | null;
  readonly locale: string | null;
  readonly zoneinfo: string | null;
  readonly enabled: boolean;
  readonly emailId: Id<"email"> | null;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly roles: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What two spellings of one email address have in common. Addresses are compared without case, as people write them. */
export function emailKey(address: string): string {
  return address.trim().normalize("NFKC").toLowerCase();
}

/** What two spellings of one username have in common. */
export function usernameKey(username: string): string {
  return username.normalize("NFKC").toLowerCase();
}

/**
 * Letters, digits, dots, underscores and hyphens. No `@`: a username can never be mistaken for somebody's address,
 * so an identifier is an address exactly when it holds one.
 */
export const USERNAME_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._-]*$";

export const USERNAME_RULE =
  "Must be between 3 and 128 characters: letters, digits, dots, underscores and hyphens.";

export function isUsername(text: string): boolean {
  return text.length >= 3 && text.length <= 128 && new RegExp(USERNAME_PATTERN).test(text);
}

export function isEmailIdentifier(identifier: string): boolean {
  return identifier.includes("@");
}

const LABEL = "[\\p{L}\\p{N}](?:[\\p{L}\\p{N}-]{0,61}[\\p{L}\\p{N}])?";
const ADDRESS = new RegExp(
  `^(?!\\.)(?!.*\\.[.@])[^\\s@\\p{Cc}"(),:;<>[\\\\\\]]{1,64}@(?:${LABEL}\\.)+${LABEL}$`,
  "u",
);

/**
 * What can be mailed to, on every surface: one `@`, a domain of dotted labels, nothing that would need quoting in a mail's
 * header. Narrower than RFC 5321, whose other addresses nobody has.
 */
export function isEmailAddress(text: string): boolean {
  return text.length <= 254 && ADDRESS.test(text);
}
