import { type Executor, violatesUnique } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { AppError } from "../../lib/errors.ts";
import { type Id, isId, newId } from "../../lib/ids.ts";
import { ScimError } from "../../protocol/scim/error.ts";
import type { PatchOperation } from "../../protocol/scim/patch-request.ts";
import { applyPatch } from "../../protocol/scim/patch.ts";
import {
  invalidValue,
  type JsonObject,
  normalizeResource,
  requireRequired,
} from "../../protocol/scim/resource.ts";
import { keepingAdministrators } from "../administrators/service.ts";
import { requireGoodPassword, setFirstPassword, setPassword } from "../passwords/service.ts";
import { endAllSessions } from "../sessions/service.ts";
import { isEmailAddress, isEmailTaken, isUsernameTaken } from "../users/service.ts";
import {
  columnsOf,
  sameResource,
  type ScimUser,
  type ScimUserColumns,
  userResource,
  versionOf,
  writableResource,
} from "./model.ts";
import { announce, emailsVerified, notFound, type Provisioning, record, scopeOf } from "./provisioning.ts";
import { findLinkable, requireMayChange, requireMayDelete } from "./linking/service.ts";
import { findScimUser } from "./reading.ts";
import * as repo from "./repo.ts";

export { versionOf } from "./model.ts";
export { forbidden, type Provisioning, scopeOf } from "./provisioning.ts";
export { type Scope, scopeKey } from "./scope.ts";
export { findScimUser, searchScimUsers, totalOf } from "./reading.ts";

/** @throws ScimError uniqueness (409), invalidValue */
export async function createScimUser(deps: Deps, by: Provisioning, body: unknown): Promise<JsonObject> {
  const resource = normalizeResource(by.schema, body);
  requireRequired(by.schema, resource);
  const user = columnsOf(resource, by);
  requireSound(user);
  const hash = await hashOf(deps, by, resource);
  const scope = scopeOf(by);
  const now = deps.clock.now();
  const made = newId("user");
  const adopted = await answeringConflicts(() =>
    deps.db.transaction(async (tx) => {
      const existing = await adoptExisting(tx, by, user, now);
      if (existing) return existing;
      await Promise.all([
        repo.insertUser(tx, scope, made, user, { emailsVerified: emailsVerified(by), now }),
        hash ? setFirstPassword(tx, scope.tenantId, made, hash, now) : undefined,
        record(tx, by, made, "user.created", { username: user.username, scim: true }, now),
        user.enabled ? announce(tx, by, made, "user_provisioned", now) : undefined,
      ]);
      return undefined;
    }),
  );
  if (adopted) return findScimUser(deps, by, adopted);
  const written = { ...user, id: made, managed: true, groups: [], createdAt: now, updatedAt: now };
  return userResource(written, by.schema, by.baseUrl);
}

/**
 * Where the tenant allows it, an account that was made otherwise and has the same address, verified, comes under the
 * client's management; otherwise it is somebody else's, and the client is told that it is taken.
 */
async function adoptExisting(
  tx: Executor,
  by: Provisioning,
  user: ScimUserColumns,
  now: Date,
): Promise<Id<"user"> | undefined> {
  const existing = await findLinkable(tx, by, user);
  if (!existing) return undefined;
  const scope = scopeOf(by);
  // It is still nobody's, so it is looked for among the tenant's.
  const before = await repo.findUser(tx, { ...scope, organizationId: null }, existing, { lock: true });
  if (!before) return undefined;
  await requireMayChange(tx, by, before, user);
  await repo.updateUser(tx, scope, before, user, { emailsVerified: emailsVerified(by), now });
  await record(tx, by, existing, "user.updated", { scim: true, linked: true }, now);
  if (before.enabled && user.enabled) await announce(tx, by, existing, "user_provisioned", now);
  else await followActivation(tx, by, before, user, { passwordChanged: false, now });
  return existing;
}

/** @throws ScimError as `createScimUser`; 404; 412 when `ifMatch` is not of what is there */
export function replaceScimUser(
  deps: Deps,
  by: Provisioning,
  id: string,
  body: unknown,
  ifMatch: (version: string) => boolean,
): Promise<JsonObject> {
  const resource = normalizeResource(by.schema, body);
  requireRequired(by.schema, resource);
  return changeUser(deps, by, id, () => resource, ifMatch);
}

/** All operations or none; what leaves the user as it was writes nothing. @throws ScimError as `applyPatch` */
export function patchScimUser(
  deps: Deps,
  by: Provisioning,
  id: string,
  operations: readonly PatchOperation[],
  ifMatch: (version: string) => boolean,
): Promise<JsonObject> {
  return changeUser(deps, by, id, (before) => applyPatch(by.schema, before, operations), ifMatch);
}

async function changeUser(
  deps: Deps,
  by: Provisioning,
  id: string,
  change: (before: JsonObject) => JsonObject,
  ifMatch: (version: string) => boolean,
): Promise<JsonObject> {
  if (!isId("user", id)) throw notFound(id);
  const scope = scopeOf(by);
  const before = await repo.findUser(deps.db, scope, id);
  if (!before) throw notFound(id);
  // Argon2 takes long and belongs outside of the transaction; which password it is does not depend on the rest.
  const wanted = change(writableResource(before));
  const hash = await hashOf(deps, by, wanted);
  const deactivates = before.enabled && !columnsOf(wanted, by, before).enabled;
  const now = deps.clock.now();
  await answeringConflicts(() =>
    inTransaction(deps, by, { keepingAdministrators: deactivates }, async (tx) => {
      const locked = await repo.findUser(tx, scope, id, { lock: true });
      if (!locked) throw notFound(id);
      requireMatch(by, locked, ifMatch);
      const resource = change(writableResource(locked));
      requireRequired(by.schema, resource);
      const user = columnsOf(resource, by, locked);
      requireSound(user);
      const unchanged = sameResource(writableResource(user), writableResource(locked));
      if (unchanged && !hash) return;
      await requireMayChange(tx, by, locked, user);
      if (hash)
        await setPassword(tx, { tenantId: scope.tenantId, userId: id }, hash, by.tenant.settings, now);
      if (!unchanged) {
        await repo.updateUser(tx, scope, locked, user, { emailsVerified: emailsVerified(by), now });
      }
      const changed = changedAttributes(writableResource(locked), writableResource(user));
      await record(
        tx,
        by,
        id,
        "user.updated",
        { scim: true, attributes: changed, password: Boolean(hash) },
        now,
      );
      await followActivation(tx, by, locked, user, { passwordChanged: Boolean(hash), now });
    }),
  );
  return findScimUser(deps, by, id);
}

/** A directory cannot leave a tenant without anybody who administers it, either. */
function inTransaction(
  deps: Deps,
  by: Provisioning,
  options: { keepingAdministrators: boolean },
  work: (tx: Executor) => Promise<void>,
): Promise<void> {
  return deps.db.transaction((tx) =>
    options.keepingAdministrators ? keepingAdministrators(tx, by.tenant.id, () => work(tx)) : work(tx),
  );
}

function requireMatch(by: Provisioning, user: ScimUser, ifMatch: (version: string) => boolean): void {
  const resource = userResource(user, by.schema, by.baseUrl);
  const { meta: _, ...content } = resource;
  if (!ifMatch(versionOf(content)))
    throw new ScimError(412, "invalidVers", "The user was changed since the version that If-Match names.");
}

/** Who may not sign in any more is signed out at once; everything else about it may wait for the worker. */
async function followActivation(
  tx: Executor,
  by: Provisioning,
  before: ScimUser,
  after: ScimUserColumns,
  { passwordChanged, now }: { passwordChanged: boolean; now: Date },
): Promise<void> {
  const deactivated = before.enabled && !after.enabled;
  if (deactivated || passwordChanged) {
    await endAllSessions(
      tx,
      { tenantId: by.tenant.id, id: before.id },
      {
        actor: by.actor,
        context: by.context,
        reason: deactivated ? "deprovisioned" : "password_changed",
        now,
      },
    );
  }
  if (deactivated) await announce(tx, by, before.id, "user_deprovisioned", now);
  if (!before.enabled && after.enabled) await announce(tx, by, before.id, "user_provisioned", now);
}

/** @throws ScimError 404, 412 */
export async function deleteScimUser(
  deps: Deps,
  by: Provisioning,
  id: string,
  ifMatch: (version: string) => boolean,
): Promise<void> {
  if (!isId("user", id)) throw notFound(id);
  const now = deps.clock.now();
  await inTransaction(deps, by, { keepingAdministrators: true }, async (tx) => {
    const user = await repo.findUser(tx, scopeOf(by), id, { lock: true });
    if (!user) throw notFound(id);
    requireMatch(by, user, ifMatch);
    await requireMayDelete(tx, by, user);
    await endAllSessions(
      tx,
      { tenantId: by.tenant.id, id },
      { actor: by.actor, context: by.context, reason: "deprovisioned", now },
    );
    await repo.deleteUser(tx, by.tenant.id, id);
    await record(tx, by, id, "user.deleted", { scim: true, username: user.username }, now);
    await announce(tx, by, id, "user_deprovisioned", now);
  });
}

const ANY_CHARACTERS = {
  password_require_uppercase: false,
  password_require_lowercase: false,
  password_require_digit: false,
  password_require_symbol: false,
};

async function hashOf(deps: Deps, by: Provisioning, resource: JsonObject): Promise<string | undefined> {
  const { password } = resource;
  if (typeof password !== "string") return undefined;
  // What a directory makes up has no symbols: which kinds of characters there have to be is a rule for people.
  const settings = { ...by.tenant.settings, ...ANY_CHARACTERS };
  await requireGoodPassword(deps, settings, password).catch((cause: unknown) => {
    throw cause instanceof AppError && cause.status < 500
      ? invalidValue("password", "does not meet the tenant's policy")
      : cause;
  });
  return deps.passwords.hash(password);
}

const MOST_NAME_CHARACTERS = 256;

function requireSound(user: ScimUserColumns): void {
  if (user.username.trim() === "" || user.username.length > MOST_NAME_CHARACTERS)
    throw invalidValue("userName", `must have 1 to ${MOST_NAME_CHARACTERS} characters`);
  if (user.emails.length > 50) throw invalidValue("emails", "has too many values");
  if ((user.externalId?.length ?? 0) > 1024) throw invalidValue("externalId", "is too long");
  for (const { value } of user.emails)
    if (!isEmailAddress(value)) throw invalidValue("emails", "holds something that is no address");
}

/** @throws ScimError 409 uniqueness (RFC 7644 §3.12) that names the attribute and nobody */
async function answeringConflicts<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (isUsernameTaken(error)) throw taken("userName");
    if (isEmailTaken(error)) throw taken("emails");
    if (violatesUnique(error, "scim_external_ids_tenant_id_scope_resource_type_external_id_pk"))
      throw taken("externalId");
    throw error;
  }
}

const taken = (attribute: string) =>
  new ScimError(409, "uniqueness", `The ${attribute} belongs to another user.`);

function changedAttributes(before: JsonObject, after: JsonObject): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !sameResource({ v: before[name] ?? null }, { v: after[name] ?? null }));
}
