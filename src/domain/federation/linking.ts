/**
 * Whose account it is that somebody comes to from a connection. An account of ours is linked to what a connection knows
 * somebody by in four ways and no other: it was linked before; the organization's own directory provisioned it under that
 * name; the address is verified on both sides; or its user, signed in, asks for it.
 */
import { type Executor, violatesUnique } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import { administers } from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import type { Connection } from "../connections/model.ts";
import { lockFactors } from "../mfa/policy.ts";
import type { RequestContext } from "../request-context.ts";
import { lockLiveSession, type Session } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import {
  emailKey,
  findUserById,
  isEmailTaken,
  isUsernameTaken,
  markEmailVerified,
  type User,
} from "../users/service.ts";
import { type Arrival, link, noteSignIn, refresh } from "./external-account.ts";
import type { UpstreamIdentity, UpstreamTokens } from "./identity.ts";
import { addressOf } from "./profile.ts";
import { provision } from "./provisioning.ts";
import { type FederationProblem, FederationRefusal } from "./refusals.ts";
import * as repo from "./repo.ts";
import { isVouchedFor } from "./vouching.ts";

/**
 * The user that somebody is who signs in through a connection: known, linked, or new.
 * @param tokens kept only where the connection keeps them
 * @throws FederationRefusal
 */
export async function resolveExternal(
  deps: Deps,
  tenant: Tenant,
  connection: Connection,
  identity: UpstreamIdentity,
  context: RequestContext,
  tokens?: UpstreamTokens,
): Promise<User> {
  const arrival = { connection, identity, tokens, context };
  try {
    if (!connection.enabled || !connection.allowSignIn) throw new FederationRefusal("unavailable");
    return await againIfRaced(() => resolve(deps, tenant, arrival));
  } catch (error) {
    if (error instanceof FederationRefusal)
      await noteRefusal(deps, tenant, connection, error.problem, context);
    throw error;
  }
}

/**
 * Adds what a connection knows somebody by to the account of who is signed in. No address is compared: the person is here
 * and there at once.
 * @throws FederationRefusal when the connection is off, somebody else's account has it, or the session ended meanwhile
 */
export async function linkExternally(
  deps: Deps,
  tenant: Tenant,
  { id: sessionId, user }: Pick<Session, "id" | "user">,
  connection: Connection,
  identity: UpstreamIdentity,
  context: RequestContext,
  tokens?: UpstreamTokens,
): Promise<void> {
  const arrival = { connection, identity, tokens, context };
  if (!connection.enabled || !connection.allowSignIn) throw new FederationRefusal("unavailable");
  await againIfRaced(async () => {
    const known = await repo.findAccount(deps.db, tenant.id, connection.id, identity.subject);
    if (known && known.userId !== user.id) throw new FederationRefusal("linked_elsewhere");
    await deps.db.transaction(async (tx) => {
      // Held against a password that is reset at once: what is linked is seen by it, or finds the session gone.
      await lockFactors(tx, user);
      if (!(await lockLiveSession(tx, tenant.id, sessionId))) throw new FederationRefusal("link_lost");
      if (known) await refresh(deps, tx, known, user, arrival);
      else await link(deps, tx, user, arrival, "user");
    });
  });
}

async function resolve(deps: Deps, tenant: Tenant, arrival: Arrival): Promise<User> {
  const { connection, identity } = arrival;
  const known = await repo.findAccount(deps.db, tenant.id, connection.id, identity.subject);
  const userId = known
    ? await signInKnown(deps, tenant, known, arrival)
    : ((await linkProvisioned(deps, tenant, arrival)) ??
      (await linkByAddress(deps, tenant, arrival)) ??
      (await provision(deps, tenant, arrival)));
  return requireUser(deps, tenant, userId);
}

async function signInKnown(
  deps: Deps,
  tenant: Tenant,
  known: repo.ExternalAccount,
  arrival: Arrival,
): Promise<Id<"user">> {
  const user = await requireUser(deps, tenant, known.userId);
  await deps.db.transaction(async (tx) => {
    await refresh(deps, tx, known, user, arrival);
    await noteSignIn(deps, tx, user, arrival);
  });
  return user.id;
}

/**
 * Whom the directory of the connection's organization provisioned under the name that the connection now says. The two
 * speak of the same people only where they are the organization's own: a social provider numbers its users as it likes,
 * so that for a preset an administrator has to say which claim is the directory's name.
 */
async function linkProvisioned(
  deps: Deps,
  tenant: Tenant,
  arrival: Arrival,
): Promise<Id<"user"> | undefined> {
  const { organizationId, preset } = arrival.connection;
  const { externalId, subject } = arrival.identity;
  const name = externalId ?? (preset === null ? subject : undefined);
  if (organizationId === null || name === undefined) return undefined;
  const userId = await repo.findProvisioned(deps.db, tenant.id, organizationId, name);
  return userId && linkExisting(deps, tenant, userId, arrival, "external_id");
}

/** Whose address it is, where it is verified here too and the connection is believed it. */
async function linkByAddress(deps: Deps, tenant: Tenant, arrival: Arrival): Promise<Id<"user"> | undefined> {
  const { connection, identity } = arrival;
  const address = addressOf(identity);
  if (address === null || !isVouchedFor(connection, identity)) return undefined;
  const holder = await repo.findHolder(deps.db, tenant.id, address);
  if (!holder) return undefined;
  if (!holder.verified) {
    // An account that a directory made keeps its address, which nobody here confirmed: an administrator has to decide. So
    // does an administrator's: a connection could otherwise sign them out, and take what their password is reset by.
    const owner = await findUserById(deps, tenant.id, holder.userId);
    if (administers(owner?.roles ?? []) || (await repo.isProvisioned(deps.db, tenant.id, holder.userId)))
      throw new FederationRefusal("account_exists");
    return undefined;
  }
  if (connection.linkPolicy === "never") throw new FederationRefusal("account_exists");
  return linkExisting(deps, tenant, holder.userId, arrival, "verified_email");
}

async function linkExisting(
  deps: Deps,
  tenant: Tenant,
  userId: Id<"user">,
  arrival: Arrival,
  by: "external_id" | "verified_email",
): Promise<Id<"user">> {
  const user = await requireUser(deps, tenant, userId);
  // Who may set an upstream account's address could otherwise administer this tenant.
  if (administers(user.roles)) throw new FederationRefusal("account_exists");
  const address = addressOf(arrival.identity);
  await deps.db.transaction(async (tx) => {
    if (by === "verified_email") {
      const holder = address && (await repo.findHolder(tx, tenant.id, address, { lock: true }));
      if (!holder || !holder.verified || holder.userId !== user.id) throw new Raced();
    }
    await link(deps, tx, user, arrival, by);
    if (by === "external_id") await confirmAddress(deps, tx, user, arrival);
    await noteSignIn(deps, tx, user, arrival);
  });
  return user.id;
}

/** The directory wrote the address down, and may not have been believed it; here the person came with it. */
async function confirmAddress(deps: Deps, tx: Executor, user: User, arrival: Arrival): Promise<void> {
  const { connection, identity, context } = arrival;
  const address = addressOf(identity);
  const same = address !== null && user.email !== null && emailKey(address) === emailKey(user.email);
  if (!same || !user.emailId || !isVouchedFor(connection, identity)) return;
  const { tenantId, id, emailId } = user;
  const now = deps.clock.now();
  if (!(await markEmailVerified(tx, tenantId, id, emailId, now))) return;
  await audit.record(tx, {
    tenantId,
    type: "user.email_verified",
    actor: { type: "user", id },
    target: { type: "user", id },
    details: { connection: connection.id },
    context,
    now,
  });
}

/** @throws FederationRefusal for one who is disabled, or gone */
async function requireUser(deps: Deps, tenant: Tenant, userId: Id<"user">): Promise<User> {
  const user = await findUserById(deps, tenant.id, userId);
  if (!user?.enabled) throw new FederationRefusal("account_disabled");
  return user;
}

/** For the audit trail: somebody came, or should have come, from a connection and was not let in. */
export async function noteRefusal(
  deps: Deps,
  tenant: Tenant,
  connection: Connection,
  problem: FederationProblem,
  context: RequestContext,
): Promise<void> {
  await audit.record(deps.db, {
    tenantId: tenant.id,
    type: "social_login_failed",
    actor: { type: "anonymous" },
    details: { connection: connection.id, provider: connection.key, reason: problem },
    context,
    now: deps.clock.now(),
  });
}

/** What was read is not so any more: look again. */
class Raced extends Error {
  override readonly name = "Raced";
}

const MOST_TRIES = 5;

const isRaced = (error: unknown) =>
  error instanceof Raced ||
  isEmailTaken(error) ||
  isUsernameTaken(error) ||
  violatesUnique(error, "external_accounts_subject");

/** Of two first sign-ins at once the second finds what the first one made. */
async function againIfRaced<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let left = MOST_TRIES - 1; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (!isRaced(error)) throw error;
      if (left === 0) throw new FederationRefusal("account_exists", { cause: error });
    }
  }
}
