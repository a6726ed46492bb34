/** Roles and what they allow, as administrators look after them. */
import { type Executor, violatesUnique } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { conflict, type FieldError, notFound, validationError } from "../../lib/errors.ts";
import { type Id, isId, newId } from "../../lib/ids.ts";
import type { PageRequest, PageResult } from "../../lib/page.ts";
import { type Administrator, requireMayAssign } from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import * as repo from "./repo.ts";
import { forgetPermissions } from "./permissions.ts";
import { isBuiltInRole, requireRoles } from "./service.ts";

export type { RoleSort } from "./repo.ts";

type Tenant = Id<"tenant">;

export interface RoleDescription {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly string[];
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9:._-]{0,63}$/;
const PERMISSION = /^[A-Za-z0-9][A-Za-z0-9:._*/-]{0,127}$/;

/** @param page whose `after.value` is a moment for created_at */
export const listRoles = (
  deps: Deps,
  tenantId: Tenant,
  page: PageRequest<repo.RoleSort>,
): Promise<PageResult<repo.Role>> => repo.listRoles(deps.db, tenantId, page);

/** @throws AppError 404 */
export async function findRole(deps: Deps, tenantId: Tenant, id: string): Promise<repo.Role> {
  const role = isId("role", id) ? await repo.findRole(deps.db, tenantId, id) : undefined;
  if (!role) throw noRole();
  return role;
}

/** @throws AppError 409 for a taken name, 422 that names each wrong field */
export async function createRole(
  deps: Deps,
  tenantId: Tenant,
  role: RoleDescription,
  by: Administrator,
): Promise<repo.Role> {
  const id = await answeringConflicts(() =>
    deps.db.transaction((tx) => insertRole(tx, tenantId, role, by, deps.clock.now())),
  );
  forgetPermissions(deps, tenantId);
  return findRole(deps, tenantId, id);
}

/** The same, in the caller's transaction. @throws AppError 422; the unique index's error for a taken name */
export async function insertRole(
  tx: Executor,
  tenantId: Tenant,
  { name, description, permissions }: RoleDescription,
  { actor, context }: Administrator,
  now: Date,
): Promise<Id<"role">> {
  requireSound({ name, description, permissions });
  const id = newId("role");
  await repo.insertRole(tx, { tenantId, id, name, description, createdAt: now });
  await repo.replacePermissions(tx, { tenantId, roleId: id }, [...new Set(permissions)], now);
  await audit.record(tx, {
    tenantId,
    type: "role.created",
    actor,
    target: { type: "role", id },
    details: { after: { name, description, permissions } },
    context,
    now,
  });
  return id;
}

/**
 * Replaces what is said of a role; whoever has it may do more, or less, at once.
 * @throws AppError 404; 403 for super_admin by who is none; 409 for a taken name or another one of a built-in role; 422
 */
export async function updateRole(
  deps: Deps,
  tenantId: Tenant,
  id: string,
  role: RoleDescription,
  by: Administrator,
): Promise<repo.Role> {
  await answeringConflicts(() =>
    deps.db.transaction((tx) => replaceRole(tx, tenantId, id, role, by, deps.clock.now())),
  );
  forgetPermissions(deps, tenantId);
  return findRole(deps, tenantId, id);
}

/** The same, in the caller's transaction. @throws as `updateRole`; the unique index's error for a taken name */
export async function replaceRole(
  tx: Executor,
  tenantId: Tenant,
  id: string,
  { name, description, permissions }: RoleDescription,
  by: Administrator,
  now: Date,
): Promise<void> {
  requireSound({ name, description, permissions });
  const before = await lockRole(tx, tenantId, id, by);
  if (before.name !== name && isBuiltInRole(before.name))
    throw conflict("This role is part of the tenant: it keeps its name.");
  await repo.updateRole(tx, tenantId, before.id, { name, description });
  await repo.replacePermissions(tx, { tenantId, roleId: before.id }, [...new Set(permissions)], now);
  await audit.record(tx, {
    tenantId,
    type: "role.updated",
    actor: by.actor,
    target: { type: "role", id: before.id },
    details: { before: described(before), after: { name, description, permissions } },
    context: by.context,
    now,
  });
}

/** Takes a role away from everybody. @throws AppError 404; 409 for a built-in one */
export async function deleteRole(deps: Deps, tenantId: Tenant, id: string, by: Administrator): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const before = await lockRole(tx, tenantId, id, by);
    if (isBuiltInRole(before.name)) throw conflict("This role is part of the tenant: it stays.");
    await repo.deleteRole(tx, tenantId, before.id);
    await audit.record(tx, {
      tenantId,
      type: "role.deleted",
      actor: by.actor,
      target: { type: "role", id: before.id },
      details: { before: described(before) },
      context: by.context,
      now: deps.clock.now(),
    });
  });
  forgetPermissions(deps, tenantId);
}

/** Names of the roles that a client has for what it does on its own behalf. @throws AppError 404 */
export async function listClientRoles(deps: Deps, tenantId: Tenant, clientId: string): Promise<string[]> {
  return deps.db.transaction(async (tx) => {
    const id = await requireClient(tx, tenantId, clientId);
    return (await repo.findClientRoles(tx, tenantId, id)).map(({ name }) => name);
  });
}

/** @throws AppError 404; 422 for a role that the tenant does not have, or one that administers: clients administer nothing */
export async function setClientRoles(
  deps: Deps,
  tenantId: Tenant,
  clientId: string,
  names: readonly string[],
  by: Administrator,
): Promise<string[]> {
  const now = deps.clock.now();
  const roles = await deps.db.transaction(async (tx) => {
    const id = await requireClient(tx, tenantId, clientId);
    const before = await repo.findClientRoles(tx, tenantId, id);
    const wanted = await assignClientRoles(tx, { tenantId, clientId: id }, names, now);
    const namesOf = (roles: readonly repo.NamedRole[]) => roles.map(({ name }) => name);
    await audit.record(tx, {
      tenantId,
      type: "client.updated",
      actor: by.actor,
      target: { type: "client", id },
      details: { before: { roles: namesOf(before) }, after: { roles: namesOf(wanted) } },
      context: by.context,
      now,
    });
    return namesOf(wanted);
  });
  forgetPermissions(deps, tenantId);
  return roles;
}

/** The roles that a client has from now on, in the caller's transaction. @throws AppError 422 as `setClientRoles` */
export async function assignClientRoles(
  tx: Executor,
  client: { tenantId: Tenant; clientId: Id<"client"> },
  names: readonly string[],
  now: Date,
): Promise<repo.NamedRole[]> {
  if (names.some(isBuiltInRole))
    throw validationError([{ field: "roles", message: "Clients administer no tenant." }]);
  const wanted = await requireRoles(tx, client.tenantId, names, "roles");
  const ids = wanted.map(({ id }) => id);
  await repo.replaceClientRoles(tx, client, ids, now);
  return wanted;
}

async function requireClient(tx: Executor, tenantId: Tenant, id: string): Promise<Id<"client">> {
  if (!isId("client", id) || !(await repo.lockClient(tx, tenantId, id)))
    throw notFound("There is no such client.");
  return id;
}

async function lockRole(tx: Executor, tenantId: Tenant, id: string, by: Administrator): Promise<repo.Role> {
  const locked = isId("role", id) && (await repo.lockRole(tx, tenantId, id));
  const role = locked ? await repo.findRole(tx, tenantId, id) : undefined;
  if (!role) throw noRole();
  requireMayAssign([role.name], by);
  return role;
}

function requireSound({ name, description, permissions }: RoleDescription): void {
  const problems: FieldError[] = [];
  const characters = "letters, digits and : . _ -";
  if (!NAME.test(name)) problems.push({ field: "name", message: `Must be 1 to 64 ${characters}.` });
  if (description.length > 500)
    problems.push({ field: "description", message: "Must be at most 500 characters." });
  if (!permissions.every((permission) => PERMISSION.test(permission)))
    problems.push({ field: "permissions", message: `Must each be 1 to 128 ${characters} * /.` });
  if (problems.length > 0) throw validationError(problems);
}

const described = ({ name, description, permissions }: repo.Role) => ({ name, description, permissions });

const noRole = () => notFound("There is no such role.");

async function answeringConflicts<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (violatesUnique(error, "roles_name")) throw conflict("A role of this name exists already.");
    throw error;
  }
}
