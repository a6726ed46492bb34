import { type Executor, violatesUnique } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import { isEmailIdentifier, type User } from "./model.ts";
import * as repo from "./repo.ts";

export {
  emailKey,
  isEmailAddress,
  isEmailIdentifier,
  isUsername,
  type User,
  usernameKey,
  USERNAME_PATTERN,
  USERNAME_RULE,
} from "./model.ts";
export type { NewUser, Recipient, UserWithPassword } from "./repo.ts";
export { findRecipient, userColumns, primaryEmail } from "./repo.ts";

export function findUserById(deps: Deps, tenantId: Id<"tenant">, id: Id<"user">): Promise<User | undefined> {
  return repo.findById(deps.db, tenantId, id);
}

/** @param identifier an email address or a username. */
export function findUserByIdentifier(
  deps: Deps,
  tenantId: Id<"tenant">,
  identifier: string,
): Promise<repo.UserWithPassword | undefined> {
  return isEmailIdentifier(identifier)
    ? repo.findByAddressOrName(deps.db, tenantId, identifier)
    : repo.findByUsername(deps.db, tenantId, identifier);
}

export function findUserByEmail(deps: Deps, tenantId: Id<"tenant">, address: string) {
  return repo.findByEmail(deps.db, tenantId, address);
}

export const insertUser = (executor: Executor, user: repo.NewUser) => repo.insertUser(executor, user);
export const markEmailVerified = repo.markEmailVerified;
export const lastLoginUpdate = repo.lastLoginUpdate;

export const isUsernameTaken = (error: unknown) => violatesUnique(error, "users_username");
export const isEmailTaken = (error: unknown) => violatesUnique(error, "user_emails_address");
