/** Service accounts: who acts by keys alone, and is no person. They have roles, and nothing to sign in with. */
import { type Executor, violatesUnique } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { isDisplayName } from "../../lib/display-name.ts";
import { conflict, type FieldError, notFound, validationError } from "../../lib/errors.ts";
import { type Id, isId, newId } from "../../lib/ids.ts";
import type { PageRequest, PageResult } from "../../lib/page.ts";
import { type Administrator, requireMayAssign } from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import { requireRoles } from "../roles/service.ts";
import * as repo from "./repo.ts";

export type { ServiceAccount, ServiceAccountSort } from "./repo.ts";

type Tenant = Id<"tenant">;

export interface ServiceAccountDescription {
  readonly name: string;
  readonly description: string;
  readonly enabled: boolean;
  /** By name. */
  readonly roles: readonly string[];
}

export function listServiceAccounts(
  deps: Deps,
  tenantId: Tenant,
  page: PageRequest<repo.ServiceAccountSort>,
): Promise<PageResult<repo.ServiceAccount>> {
  return repo.listAccounts(deps.db, tenantId, page);
}

/** @throws AppError 404 */
export function findServiceAccount(deps: Deps, tenantId: Tenant, id: string): Promise<repo.ServiceAccount> {
  return requireAccount(deps.db, tenantId, id);
}

/**
 * The account, for who may make and revoke its keys: a key is as good as the account's roles.
 * @throws AppError 404; 403 for one that administers every tenant, by who does not
 */
export async function findManageableAccount(
  deps: Deps,
  tenantId: Tenant,
  id: string,
  by: Administrator,
): Promise<repo.ServiceAccount> {
  const account = await requireAccount(deps.db, tenantId, id);
  requireMayAssign(account.roles, by);
  return account;
}

/** @throws AppError 403 for a role that is not theirs to give; 409 for a taken name; 422 that names each wrong field */
export async function createServiceAccount(
  deps: Deps,
  tenantId: Tenant,
  input: ServiceAccountDescription,
  by: Administrator,
): Promise<repo.ServiceAccount> {
  const described = requireSound(input);
  requireMayAssign(input.roles, by);
  const id = newId("serviceAccount");
  const now = deps.clock.now();
  await answeringConflicts(() =>
    deps.db.transaction(async (tx) => {
      await repo.insertAccount(tx, { tenantId, id, ...described, createdAt: now, updatedAt: now });
      await setRoles(tx, { tenantId, id }, input.roles, now);
      await note(
        tx,
        { tenantId, id },
        "service_account.created",
        { ...described, roles: input.roles },
        by,
        now,
      );
    }),
  );
  return requireAccount(deps.db, tenantId, id);
}

/**
 * Changes what is given. The keys of one that is disabled are dead at once, and live again when it is enabled.
 * @throws as `createServiceAccount`; AppError 404
 */
export async function updateServiceAccount(
  deps: Deps,
  tenantId: Tenant,
  id: string,
  changes: Partial<ServiceAccountDescription>,
  by: Administrator,
): Promise<repo.ServiceAccount> {
  const now = deps.clock.now();
  return answeringConflicts(() =>
    deps.db.transaction(async (tx) => {
      const before = await lockAccount(tx, tenantId, id, by);
      const after = { ...before, ...changes };
      requireMayAssign(after.roles, by);
      await repo.updateAccount(tx, tenantId, before.id, { ...requireSound(after), updatedAt: now });
      if (changes.roles) await setRoles(tx, { tenantId, id: before.id }, changes.roles, now);
      const details = { before: factsOf(before), after: factsOf(after) };
      await note(tx, { tenantId, id: before.id }, "service_account.updated", details, by, now);
      return requireAccount(tx, tenantId, before.id);
    }),
  );
}

/** With all its keys, at once. @throws AppError 404; 403 as for changing it */
export async function deleteServiceAccount(
  deps: Deps,
  tenantId: Tenant,
  id: string,
  by: Administrator,
): Promise<void> {
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    const account = await lockAccount(tx, tenantId, id, by);
    await repo.deleteAccount(tx, tenantId, account.id);
    await note(tx, { tenantId, id: account.id }, "service_account.deleted", { name: account.name }, by, now);
  });
}

const factsOf = ({ name, description, enabled, roles }: ServiceAccountDescription) => ({
  name,
  description,
  enabled,
  roles,
});

async function setRoles(
  tx: Executor,
  account: { tenantId: Tenant; id: Id<"serviceAccount"> },
  names: readonly string[],
  now: Date,
): Promise<void> {
  const chosen = await requireRoles(tx, account.tenantId, names, "roles");
  await repo.replaceRoles(
    tx,
    account,
    chosen.map((role) => role.id),
    now,
  );
}

/** An account that has a role which is not theirs to give is not theirs to change. */
async function lockAccount(
  tx: Executor,
  tenantId: Tenant,
  id: string,
  by: Administrator,
): Promise<repo.ServiceAccount> {
  if (!isId("serviceAccount", id) || !(await repo.lockAccount(tx, tenantId, id))) throw noAccount();
  const account = await requireAccount(tx, tenantId, id);
  requireMayAssign(account.roles, by);
  return account;
}

async function requireAccount(
  executor: Executor,
  tenantId: Tenant,
  id: string,
): Promise<repo.ServiceAccount> {
  const account = isId("serviceAccount", id) ? await repo.findAccount(executor, tenantId, id) : undefined;
  if (!account) throw noAccount();
  return account;
}

const noAccount = () => notFound("There is no such service account.");

function requireSound({ name, description, enabled }: ServiceAccountDescription) {
  const problems: FieldError[] = [];
  if (!isDisplayName(name))
    problems.push({ field: "name", message: "Must be 1 to 128 printable characters." });
  if (description.length > 500)
    problems.push({ field: "description", message: "Must be at most 500 characters." });
  if (problems.length > 0) throw validationError(problems);
  return { name: name.trim(), description, enabled };
}

async function answeringConflicts<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (violatesUnique(error, "service_accounts_name"))
      throw conflict("A service account of this name exists already.");
    throw error;
  }
}

async function note(
  tx: Executor,
  { tenantId, id }: { tenantId: Tenant; id: Id<"serviceAccount"> },
  type: audit.AuditEventType,
  details: Record<string, unknown>,
  { actor, context }: Administrator,
  now: Date,
): Promise<void> {
  const target = { type: "service_account", id } as const;
  await audit.record(tx, { tenantId, type, actor, target, details, context, now });
}
