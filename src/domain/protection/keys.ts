import type { Deps } from "../../deps.ts";
import { hmacSha256 } from "../../lib/crypto.ts";
import type { Id } from "../../lib/ids.ts";
import { emailKey, isEmailIdentifier, usernameKey } from "../users/service.ts";
import type { AttemptSubject } from "./service.ts";

/** What a user's second factors are counted by, beside their account. */
export const secondFactorKeyOf = (userId: Id<"user">) => `${userId}/second_factor`;

/**
 * What an account is counted by: its user, by whichever identifier they are named; else the identifier, as a digest.
 * The digest is keyed, since people type passwords into the wrong field, and those could be guessed from a plain one.
 */
export function accountKeyOf(
  deps: Pick<Deps, "secrets">,
  { user, identifier }: Pick<AttemptSubject, "user" | "identifier">,
): string {
  if (user) return user.id;
  if (identifier === undefined) throw new Error("an attempt names neither a user nor an identifier");
  const normalized = isEmailIdentifier(identifier) ? emailKey(identifier) : usernameKey(identifier);
  return hmacSha256(deps.secrets.lockouts, normalized).toString("base64url");
}
