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

export function isUsername(text: string): boolean {
  return text.length >= 3 && text.length <= 128 && new RegExp(USERNAME_PATTERN).test(text);
}

export function isEmailIdentifier(identifier: string): boolean {
  return identifier.includes("@");
}

/** One `@`, a dotted domain, no spaces or control characters: what can be mailed to, not all that RFC 5321 allows. */
export function isEmailAddress(text: string): boolean {
  return (
    text.length <= 254 && /^[^\s@\p{Cc}"(),:;<>[\\\]]{1,64}@[^\s@\p{Cc}.]+(?:\.[^\s@\p{Cc}.]+)+$/u.test(text)
  );
}
