/** Which accounts a provisioning client may take over, or change at all. */
import type { Executor } from "../../../db/client.ts";
import type { Id } from "../../../lib/ids.ts";
import { holdsRole } from "../../group-roles/service.ts";
import type { ScimUser, ScimUserColumns } from "../model.ts";
import { emailsVerified, forbidden, type Provisioning } from "../provisioning.ts";
import * as repo from "./repo.ts";

type Identity = Pick<ScimUserColumns, "username" | "emails">;

/**
 * The account, made otherwise, that the client's user is: where the tenant allows it, by an address that is verified here
 * and that the client is believed. An organization is believed no address, and so takes over nobody.
 */
export async function findLinkable(
  tx: Executor,
  by: Provisioning,
  user: Identity,
): Promise<Id<"user"> | undefined> {
  if (!by.tenant.settings.scim_link_existing_users || !emailsVerified(by)) return undefined;
  const existing = await repo.findExisting(tx, by.tenant.id, user);
  return existing && !existing.managed && existing.emailVerified ? existing.id : undefined;
}

/**
 * A provisioning client changes accounts that it manages; another one only where it could take it over, since whoever sets
 * an account's password or address has it. Those who administer every tenant are changed by one of them alone.
 * @throws ScimError 403
 */
export async function requireMayChange(
  tx: Executor,
  by: Provisioning,
  before: ScimUser,
  after: Identity,
): Promise<void> {
  await requireMayTouch(tx, by, before);
  if (before.managed || by.actor.type !== "scim_token") return;
  if ((await findLinkable(tx, by, after)) !== before.id) throw notManaged();
}

/** @throws ScimError 403 */
export async function requireMayDelete(tx: Executor, by: Provisioning, user: ScimUser): Promise<void> {
  await requireMayTouch(tx, by, user);
  if (!user.managed && by.actor.type === "scim_token") throw notManaged();
}

async function requireMayTouch(tx: Executor, by: Provisioning, user: ScimUser): Promise<void> {
  if (!by.superAdmin && (await holdsRole(tx, by.tenant.id, user.id, "super_admin")))
    throw forbidden("This user administers every tenant, and is changed only by who does so too.");
}

const notManaged = () =>
  forbidden(
    "This account was not provisioned. The tenant's setting scim_link_existing_users lets the directory take over accounts with the same verified address.",
  );
