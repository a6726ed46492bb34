/** The account of somebody who comes from a connection for the first time. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { administers } from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import type { Connection } from "../connections/model.ts";
import { assignRoles, findRoles } from "../roles/service.ts";
import { endAllSessions } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { insertUser, type User, usernameKey } from "../users/service.ts";
import { type Arrival, link, noteSignIn } from "./external-account.ts";
import { addressOf, profileOf } from "./profile.ts";
import { FederationRefusal } from "./refusals.ts";
import * as repo from "./repo.ts";
import { another, usernameFor } from "./username.ts";
import { isVouchedFor } from "./vouching.ts";

/**
 * Makes an account. It gets the address only if the connection is believed it: nobody is to occupy an address that is not
 * theirs, and nobody learns here whether an address has an account. A verified address is taken from whoever registered
 * it and never confirmed it (account pre-hijacking): their account stays theirs, with its password, and without the
 * address, so that nothing set up before the address was proved is a way into the new account.
 * @throws FederationRefusal; the unique indexes' errors when another was quicker
 */
export async function provision(deps: Deps, tenant: Tenant, arrival: Arrival): Promise<Id<"user">> {
  const { connection, identity, context } = arrival;
  requireOpen(tenant, connection);
  const address = addressOf(identity);
  if (connection.blockEmailSubaddresses && address && isSubaddress(address))
    throw new FederationRefusal("subaddress_blocked");
  const email = isVouchedFor(connection, identity) ? address : null;
  if (email === null && tenant.settings.email_verification_required)
    throw new FederationRefusal("email_unconfirmed");
  const user = await draft(deps, tenant, arrival, email);
  const { tenantId, id: userId, createdAt: now } = user;
  await deps.db.transaction(async (tx) => {
    if (email !== null) await release(deps, tx, tenant, email, arrival);
    const emailId = newId("email");
    await insertUser(tx, { ...user, email, emailId, emailVerifiedAt: email === null ? null : now, now });
    await repo.updateProfile(tx, tenantId, userId, { picture: user.picture }, now);
    await audit.record(tx, {
      tenantId,
      type: "user.created",
      actor: { type: "user", id: userId },
      target: { type: "user", id: userId },
      details: { connection: connection.id, provider: connection.key },
      context,
      now,
    });
    await link(deps, tx, user, arrival, "sign_up");
    await giveDefaultRole(deps, tx, user, arrival);
    await noteSignIn(deps, tx, user, arrival);
  });
  return userId;
}

/** Where registration is closed, so is signing up at a provider where anybody may have an account. */
function requireOpen(tenant: Tenant, connection: Connection): void {
  const anybodys =
    connection.preset !== null && connection.organizationId === null && connection.domains.length === 0;
  const closed = anybodys && !tenant.settings.self_registration_enabled;
  if (!connection.allowSignUp || closed) throw new FederationRefusal("sign_up_closed");
}

const isSubaddress = (address: string) => address.slice(0, address.lastIndexOf("@")).includes("+");

async function draft(
  deps: Deps,
  tenant: Tenant,
  { connection, identity }: Arrival,
  email: string | null,
): Promise<User> {
  const wanted = usernameFor(connection, identity);
  const taken = await repo.hasUsername(deps.db, tenant.id, usernameKey(wanted));
  const now = deps.clock.now();
  return {
    id: newId("user"),
    tenantId: tenant.id,
    username: taken ? another(wanted) : wanted,
    ...profileOf(identity),
    zoneinfo: null,
    enabled: true,
    emailId: null,
    email,
    emailVerified: email !== null,
    roles: [],
    createdAt: now,
    updatedAt: now,
  };
}

async function release(
  deps: Deps,
  tx: Executor,
  tenant: Tenant,
  address: string,
  { connection, context }: Arrival,
): Promise<void> {
  const userId = await repo.releaseUnconfirmed(tx, tenant.id, address);
  if (!userId) return;
  const now = deps.clock.now();
  const by = { actor: { type: "system" }, context } as const;
  await endAllSessions(tx, { tenantId: tenant.id, id: userId }, { ...by, reason: "email_released", now });
  await audit.record(tx, {
    tenantId: tenant.id,
    type: "user.email_released",
    target: { type: "user", id: userId },
    details: { reason: "verified_elsewhere", connection: connection.id },
    now,
    ...by,
  });
}

/** A role that was renamed or removed since keeps nobody out; and no connection appoints administrators. */
async function giveDefaultRole(
  deps: Deps,
  tx: Executor,
  { tenantId, id: userId, createdAt: now }: User,
  { connection, context }: Arrival,
): Promise<void> {
  const name = connection.defaultRole;
  if (name === null || administers([name])) return;
  const known = await findRoles(tx, tenantId);
  if (!known.some((role) => role.name === name)) {
    deps.log.warn({ connectionId: connection.id }, "the default role of a connection does not exist");
    return;
  }
  await assignRoles(tx, { tenantId, userId, roles: [name], actor: { type: "system" }, context, now });
}
