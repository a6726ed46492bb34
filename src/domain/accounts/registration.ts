import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { AppError, conflict, validationError } from "../../lib/errors.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { enqueue } from "../../queue/outbox.ts";
import * as audit from "../audit/service.ts";
import { requireGoodPassword, setFirstPassword } from "../passwords/service.ts";
import type { RequestContext } from "../request-context.ts";
import { assignRoles } from "../roles/service.ts";
import type { Tenant } from "../tenants/service.ts";
import type { TenantSettings } from "../tenants/settings.ts";
import {
  findUserByEmail,
  findUserById,
  findUserByIdentifier,
  insertUser,
  isEmailTaken,
  isUsername,
  isUsernameTaken,
  type User,
  USERNAME_RULE,
} from "../users/service.ts";

export interface Registration {
  username: string;
  email: string;
  password: string;
  givenName?: string | undefined;
  familyName?: string | undefined;
  locale?: string | undefined;
}

export type OperatorsAccount = Registration & { emailVerified: boolean; roles: readonly string[] };

/**
 * Self-registration. An address that has an account already is answered exactly as a new one, after as much hashing;
 * its owner is told by mail. A username that is taken is said to be: nobody could register otherwise, and usernames
 * are public names.
 * @returns the new user, or for a known address what one would have looked like
 * @throws AppError 403 when the tenant takes no registrations, 409 for a taken username, 422 for a weak password
 */
export async function register(
  deps: Deps,
  tenant: Tenant,
  input: Registration,
  context: RequestContext,
): Promise<User> {
  requireOpenRegistration(tenant);
  await requireGoodPassword(deps, tenant.settings, input.password, { about: aboutPerson(input) });
  if (await findUserByIdentifier(deps, tenant.id, input.username)) throw usernameTaken();

  const user = draft(deps, tenant.id, input);
  const hash = await deps.passwords.hash(input.password);
  await enterNewcomer(
    deps,
    user,
    (tx) => setFirstPassword(tx, tenant.id, user.id, hash, user.createdAt),
    context,
  );
  return user;
}

/**
 * Makes the account of somebody who signs up, or tells the owner of the address that they have one.
 * @param addCredential stores what they will sign in by, in the same transaction
 * @throws AppError 409 for a taken username
 */
export async function enterNewcomer(
  deps: Deps,
  user: Draft,
  addCredential: (tx: Executor) => Promise<unknown>,
  context: RequestContext,
): Promise<void> {
  const owner = await findUserByEmail(deps, user.tenantId, user.email);
  if (owner) return tellOwner(deps, owner, { user, addCredential, context });
  try {
    await deps.db.transaction((tx) =>
      insertAccount(tx, { user, addCredential, verified: false, roles: [], welcome: true, context }),
    );
  } catch (error) {
    if (isUsernameTaken(error)) throw usernameTaken();
    if (!isEmailTaken(error)) throw error;
    const winner = await findUserByEmail(deps, user.tenantId, user.email);
    if (winner) await tellOwner(deps, winner, { user, addCredential, context });
  }
}

/** @throws AppError 403 when the tenant takes no registrations */
export function requireOpenRegistration(tenant: Tenant): void {
  if (!tenant.settings.self_registration_enabled) {
    throw new AppError(403, "forbidden", "Registration is closed. Ask an administrator for an account.");
  }
}

/**
 * An account made by an operator: no mail, no registration switch, and the truth about what exists already.
 * @throws AppError 409 for a taken username or email, 422 for a weak password
 */
export async function createAccount(
  deps: Deps,
  tenant: Tenant,
  input: OperatorsAccount,
  context: RequestContext,
): Promise<User> {
  const insert = await prepareAccount(deps, tenant.settings, input, context);
  try {
    const id = await deps.db.transaction((tx) => insert(tx, tenant.id));
    const created = await findUserById(deps, tenant.id, id);
    if (!created) throw new Error("a user vanished while it was made");
    return created;
  } catch (error) {
    if (isUsernameTaken(error)) throw usernameTaken();
    if (isEmailTaken(error)) throw conflict("A user with this email address exists already.");
    throw error;
  }
}

/**
 * The part of `createAccount` that takes long and may refuse, for an account that is made in another's transaction.
 * @returns what inserts the account, and resolves to its id
 * @throws AppError 422 for a weak password
 */
export async function prepareAccount(
  deps: Deps,
  settings: TenantSettings,
  input: OperatorsAccount,
  context: RequestContext,
): Promise<(tx: Executor, tenantId: Id<"tenant">) => Promise<Id<"user">>> {
  await requireGoodPassword(deps, settings, input.password, { about: aboutPerson(input) });
  const hash = await deps.passwords.hash(input.password);
  const { emailVerified: verified, roles } = input;
  return async (tx, tenantId) => {
    const user = draft(deps, tenantId, input);
    const addCredential = () => setFirstPassword(tx, tenantId, user.id, hash, user.createdAt);
    await insertAccount(tx, { user, addCredential, verified, roles, welcome: false, context });
    return user.id;
  };
}

const aboutPerson = ({ username, email, givenName, familyName }: Registration) => [
  username,
  email,
  givenName,
  familyName,
];

export const usernameTaken = () => conflict("This username is taken. Please choose another one.");

/** A user who is not yet one. */
export type Draft = User & { emailId: Id<"email">; email: string };

/** @throws AppError 422 for what cannot be a username */
export function draft(deps: Deps, tenantId: Id<"tenant">, input: Omit<Registration, "password">): Draft {
  const now = deps.clock.now();
  if (!isUsername(input.username)) {
    throw validationError([{ field: "username", message: USERNAME_RULE }]);
  }
  return {
    id: newId("user"),
    tenantId,
    username: input.username,
    givenName: input.givenName ?? null,
    familyName: input.familyName ?? null,
    picture: null,
    locale: input.locale ?? null,
    zoneinfo: null,
    enabled: true,
    emailId: newId("email"),
    email: input.email.trim(),
    emailVerified: false,
    roles: [],
    createdAt: now,
    updatedAt: now,
  };
}

async function insertAccount(
  tx: Executor,
  input: {
    user: Draft;
    addCredential: (tx: Executor) => Promise<unknown>;
    verified: boolean;
    roles: readonly string[];
    welcome: boolean;
    context: RequestContext;
  },
): Promise<void> {
  const { user, verified, context } = input;
  const { tenantId } = user;
  const now = user.createdAt;
  await insertUser(tx, { ...user, emailVerifiedAt: verified ? now : null, now });
  await input.addCredential(tx);
  await audit.record(tx, {
    tenantId,
    type: "user.created",
    actor: input.welcome ? { type: "user", id: user.id } : { type: "system" },
    target: { type: "user", id: user.id },
    context,
    now,
  });
  await assignRoles(tx, {
    tenantId,
    userId: user.id,
    roles: input.roles,
    actor: { type: "system" },
    context,
    now,
  });
  if (input.welcome) {
    await enqueue(tx, {
      tenantId,
      queue: "email",
      name: "verify_email",
      payload: { user_id: user.id, email_id: user.emailId },
      now,
    });
  }
}

interface Newcomer {
  user: Draft;
  addCredential: (tx: Executor) => Promise<unknown>;
  context: RequestContext;
}

/** Mails the owner of an address that somebody wants to register, in as much time as making an account takes. */
async function tellOwner(deps: Deps, owner: User, newcomer: Newcomer): Promise<void> {
  const now = deps.clock.now();
  const { emailId } = owner;
  const { context } = newcomer;
  await deps.db.transaction(async (tx) => {
    await rehearse(tx, newcomer);
    await audit.record(tx, {
      tenantId: owner.tenantId,
      type: "user.registration_refused",
      actor: { type: "anonymous" },
      target: { type: "user", id: owner.id },
      details: { reason: "email_taken" },
      context,
      now,
    });
    if (!emailId) return;
    await enqueue(tx, {
      tenantId: owner.tenantId,
      queue: "email",
      name: "already_registered",
      payload: { user_id: owner.id, email_id: emailId },
      now,
    });
  });
}

/**
 * Writes an account and takes it back: without that, a registration that comes to nothing is quicker by some milliseconds,
 * which over many tries add up to an answer.
 */
async function rehearse(tx: Executor, { user, addCredential }: Newcomer): Promise<void> {
  const undone = new Error("this account was not meant to be");
  try {
    await tx.transaction(async (savepoint) => {
      const now = user.createdAt;
      await insertUser(savepoint, { ...user, email: `${user.id}@invalid`, emailVerifiedAt: null, now });
      await addCredential(savepoint);
      throw undone;
    });
  } catch (error) {
    if (error !== undone && !isUsernameTaken(error)) throw error;
  }
}
