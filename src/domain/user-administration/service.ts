/** What administrators do to users. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { conflict, forbidden, notFound, validationError } from "../../lib/errors.ts";
import { type Id, isId, newId } from "../../lib/ids.ts";
import type { PageRequest, PageResult } from "../../lib/page.ts";
import { enqueue } from "../../queue/outbox.ts";
import { eraseUser } from "../accounts/deletion.ts";
import { replaceAddress } from "../accounts/email-change.ts";
import { profileProblems } from "../accounts/profile.ts";
import { usernameTaken } from "../accounts/registration.ts";
import {
  type Administrator,
  keepingAdministrators,
  requireMayAdminister,
  requireMayAssign,
} from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import { requireGoodPassword, setFirstPassword } from "../passwords/service.ts";
import { replaceUserRoles } from "../roles/service.ts";
import { endAllSessions } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { insertUser, isEmailTaken, isUsername, isUsernameTaken, USERNAME_RULE } from "../users/service.ts";
import {
  eachUserPage as eachPage,
  listUsers as list,
  type UserFilter,
  type UserSort,
} from "./listing/service.ts";
import * as repo from "./repo.ts";

export type { AdministeredUser } from "./repo.ts";
export type { UserFilter, UserSort } from "./listing/service.ts";

export interface Profile {
  givenName?: string | null;
  familyName?: string | null;
  picture?: string | null;
  locale?: string | null;
  zoneinfo?: string | null;
}

export interface NewUser {
  readonly username: string;
  readonly email: string;
  readonly emailVerified: boolean;
  /** Undefined: the user is mailed a link by which they choose one. */
  readonly password: string | undefined;
  readonly enabled: boolean;
  readonly roles: readonly string[];
  readonly profile: Profile;
}

/** @param page whose `after.value` is a moment for what ends in `_at` */
export function listUsers(
  deps: Deps,
  tenantId: Id<"tenant">,
  filter: UserFilter,
  page: PageRequest<UserSort>,
): Promise<PageResult<repo.AdministeredUser & { readonly emailKey: string }>> {
  return list(deps.db, tenantId, filter, page);
}

/** All that match, in the order in which they were made: a page at a time, and never more in memory. */
export const eachUserPage = (
  deps: Deps,
  tenantId: Id<"tenant">,
  filter: UserFilter,
  search: string | undefined,
): AsyncGenerator<repo.AdministeredUser[]> => eachPage(deps.db, tenantId, filter, search);

/** @throws AppError 404 */
export async function findUser(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
): Promise<repo.AdministeredUser> {
  return requireUser(deps.db, tenantId, id);
}

/** @throws AppError 403 for super_admin by who is none; 409 for a taken username or address; 422 that names each wrong field */
export async function createUser(
  deps: Deps,
  tenant: Tenant,
  input: NewUser,
  by: Administrator,
): Promise<repo.AdministeredUser> {
  requireMayAssign(input.roles, by);
  const { username, email, password, profile, enabled } = input;
  requireSound(profile, username);
  const about = [username, email, profile.givenName, profile.familyName];
  if (password !== undefined) await requireGoodPassword(deps, tenant.settings, password, { about });
  const hash = password === undefined ? undefined : await deps.passwords.hash(password);
  const tenantId = tenant.id;
  const now = deps.clock.now();
  const id = newId("user");
  const emailId = newId("email");
  const { actor, context } = by;
  await answeringConflicts(() =>
    deps.db.transaction(async (tx) => {
      const { givenName = null, familyName = null, locale = null, ...others } = profile;
      const emailVerifiedAt = input.emailVerified ? now : null;
      const names = { givenName, familyName, locale };
      await insertUser(tx, { tenantId, id, emailId, username, email, emailVerifiedAt, ...names, now });
      await repo.updateUser(tx, tenantId, id, { ...others, enabled }, now);
      if (hash !== undefined) await setFirstPassword(tx, tenantId, id, hash, now);
      await note(tx, tenantId, id, "user.created", { username, email, enabled }, by, now);
      await replaceUserRoles(tx, { tenantId, userId: id, roles: input.roles, actor, context, now });
      if (hash !== undefined || !enabled) return;
      const payload = { user_id: id, email_id: emailId };
      await enqueue(tx, { tenantId, queue: "email", name: "reset_password", payload, now });
    }),
  );
  return requireUser(deps.db, tenantId, id);
}

export interface UserChanges extends Profile {
  readonly username?: string;
  readonly email?: string;
  readonly enabled?: boolean;
  /** All that the user has without any group. */
  readonly roles?: readonly string[];
}

/**
 * Changes what is given; null takes a profile's member away. Who is disabled is signed out at once.
 * @throws AppError 404; 403 for a super_admin by who is none; 409 for a taken username or address, and for the last
 *   administrator; 422 that names each wrong field
 */
export async function updateUser(
  deps: Deps,
  tenant: Tenant,
  id: string,
  changes: UserChanges,
  by: Administrator,
): Promise<repo.AdministeredUser> {
  const tenantId = tenant.id;
  const now = deps.clock.now();
  const change = (tx: Executor) => changeUser(tx, tenantId, id, changes, by, now);
  const demotes = changes.enabled === false || changes.roles !== undefined;
  await answeringConflicts(() =>
    deps.db.transaction((tx) =>
      demotes ? keepingAdministrators(tx, tenantId, () => change(tx)) : change(tx),
    ),
  );
  return requireUser(deps.db, tenantId, id);
}

async function changeUser(
  tx: Executor,
  tenantId: Id<"tenant">,
  id: string,
  { email, roles, ...changes }: UserChanges,
  by: Administrator,
  now: Date,
): Promise<void> {
  const before = await lockUser(tx, tenantId, id, by);
  const { username } = changes;
  requireSound(changes, username === before.username ? undefined : username);
  const { actor, context } = by;
  if (email !== undefined && email.trim() !== before.email) {
    // Whoever reads the mail of a new address can choose a password.
    if (context.apiKeyId !== undefined) throw forbidden("An API key changes no email addresses.");
    await replaceAddress(tx, before, email, { actor, context, now });
  }
  if (roles !== undefined) {
    const replaced = { tenantId, userId: before.id, roles, actor, context, now };
    const { added, removed } = await replaceUserRoles(tx, replaced);
    requireMayAssign([...added, ...removed], by);
  }
  await repo.updateUser(tx, tenantId, before.id, changes, now);
  const changed = differences(before, changes);
  if (changed) await note(tx, tenantId, before.id, "user.updated", changed, by, now);
  if (before.enabled && changes.enabled === false)
    await endAllSessions(tx, before, { actor, context, reason: "disabled", now });
}

/** What was and what is, of each member that changes. */
function differences(before: repo.AdministeredUser, changes: repo.UserChanges) {
  const names = (Object.keys(changes) as (keyof repo.UserChanges)[]).filter(
    (name) => changes[name] !== undefined && changes[name] !== before[name],
  );
  if (names.length === 0) return undefined;
  const of = (source: repo.UserChanges) => Object.fromEntries(names.map((name) => [name, source[name]]));
  return { before: of(before), after: of(changes) };
}

/**
 * Removes a user, who is signed out everywhere, at once.
 * @throws AppError 404; 403 for a super_admin by who is none; 409 for the last administrator
 */
export async function deleteUser(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
  by: Administrator,
): Promise<void> {
  const now = deps.clock.now();
  const { actor, context } = by;
  await deps.db.transaction((tx) =>
    keepingAdministrators(tx, tenantId, async () => {
      const user = await lockUser(tx, tenantId, id, by);
      await endAllSessions(tx, user, { actor, context, reason: "deleted", now });
      await eraseUser(tx, tenantId, user.id, { actor, context, now });
    }),
  );
}

/** The user, for who may change what is theirs. @throws AppError 404; 403 for a super_admin by who is none */
export async function findManageableUser(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
  by: Administrator,
): Promise<repo.AdministeredUser> {
  const user = await requireUser(deps.db, tenantId, id);
  await requireMayAdminister(deps.db, tenantId, user.id, by);
  return user;
}

/** The user, whom nobody else changes until the transaction ends. @throws AppError 404, 403 */
export async function lockUser(
  tx: Executor,
  tenantId: Id<"tenant">,
  id: string,
  by: Administrator,
): Promise<repo.AdministeredUser> {
  if (!isId("user", id) || !(await repo.lockUser(tx, tenantId, id))) throw noUser();
  await requireMayAdminister(tx, tenantId, id, by);
  return requireUser(tx, tenantId, id);
}

async function requireUser(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: string,
): Promise<repo.AdministeredUser> {
  const user = isId("user", id) ? await repo.findUser(executor, tenantId, id) : undefined;
  if (!user) throw noUser();
  return user;
}

const noUser = () => notFound("There is no such user.");

function requireSound(profile: Profile, username: string | undefined): void {
  const problems = profileProblems(profile);
  if (username !== undefined && !isUsername(username))
    problems.push({ field: "username", message: USERNAME_RULE });
  if (problems.length > 0) throw validationError(problems);
}

async function answeringConflicts<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (isUsernameTaken(error)) throw usernameTaken();
    if (isEmailTaken(error)) throw conflict("A user with this email address exists already.");
    throw error;
  }
}

async function note(
  tx: Executor,
  tenantId: Id<"tenant">,
  id: Id<"user">,
  type: audit.AuditEventType,
  details: Record<string, unknown>,
  { actor, context }: Administrator,
  now: Date,
): Promise<void> {
  await audit.record(tx, { tenantId, type, actor, target: { type: "user", id }, details, context, now });
}
