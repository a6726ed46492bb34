/** What a connection knows somebody by, as it is kept with their account. All of it in the caller's transaction. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { newId } from "../../lib/ids.ts";
import * as audit from "../audit/service.ts";
import type { Connection } from "../connections/model.ts";
import type { RequestContext } from "../request-context.ts";
import type { User } from "../users/service.ts";
import type { UpstreamIdentity, UpstreamTokens } from "./identity.ts";
import { addressOf, profileRefresh, storedProfile } from "./profile.ts";
import * as repo from "./repo.ts";
import { sealTokens } from "./tokens.ts";

/** Somebody who arrived from a connection. */
export interface Arrival {
  readonly connection: Connection;
  readonly identity: UpstreamIdentity;
  readonly tokens: UpstreamTokens | undefined;
  readonly context: RequestContext;
}

/** Links. @throws the unique index's error when somebody has the subject by now */
export async function link(
  deps: Deps,
  tx: Executor,
  user: User,
  arrival: Arrival,
  by: "external_id" | "verified_email" | "user" | "sign_up",
): Promise<void> {
  const { connection, identity, context } = arrival;
  const { tenantId, id: userId } = user;
  const now = deps.clock.now();
  const id = newId("externalAccount");
  await repo.insertAccount(tx, {
    tenantId,
    id,
    userId,
    connectionId: connection.id,
    subject: identity.subject,
    email: addressOf(identity),
    profile: storedProfile(identity),
    createdAt: now,
    updatedAt: now,
    lastSignInAt: by === "user" ? null : now,
  });
  await storeTokens(deps, tx, { tenantId, id }, arrival, now);
  if (by !== "sign_up") await refreshUser(tx, user, {}, identity, now);
  if (connection.organizationId)
    await repo.addMember(tx, { tenantId, organizationId: connection.organizationId, userId, createdAt: now });
  await audit.record(tx, {
    tenantId,
    type: "social_account_linked",
    actor: { type: "user", id: userId },
    target: { type: "external_account", id },
    details: { connection: connection.id, provider: connection.key, by },
    context,
    now,
  });
}

/** Keeps what the connection says now. */
export async function refresh(
  deps: Deps,
  tx: Executor,
  known: repo.ExternalAccount,
  user: User,
  arrival: Arrival,
): Promise<void> {
  const { identity } = arrival;
  const now = deps.clock.now();
  await repo.updateAccount(tx, known, {
    email: addressOf(identity),
    profile: storedProfile(identity),
    lastSignInAt: now,
    updatedAt: now,
  });
  await storeTokens(deps, tx, known, arrival, now);
  await refreshUser(tx, user, known.profile, identity, now);
}

async function storeTokens(
  deps: Deps,
  tx: Executor,
  account: Pick<repo.ExternalAccount, "tenantId" | "id">,
  { connection, tokens }: Arrival,
  now: Date,
): Promise<void> {
  const sealed = tokens && sealTokens(deps, connection, account.id, tokens);
  if (sealed) await repo.storeTokens(tx, account, sealed, now);
}

/** Whom a directory keeps, it keeps up to date as well. */
async function refreshUser(
  tx: Executor,
  user: User,
  before: Readonly<Record<string, unknown>>,
  identity: UpstreamIdentity,
  now: Date,
): Promise<void> {
  const changes = profileRefresh(user, before, identity);
  if (!changes || (await repo.isProvisioned(tx, user.tenantId, user.id))) return;
  await repo.updateProfile(tx, user.tenantId, user.id, changes, now);
}

export async function noteSignIn(
  deps: Deps,
  tx: Executor,
  user: Pick<User, "tenantId" | "id">,
  { connection, context }: Arrival,
): Promise<void> {
  await audit.record(tx, {
    tenantId: user.tenantId,
    type: "social_login",
    actor: { type: "user", id: user.id },
    target: { type: "user", id: user.id },
    details: { connection: connection.id, provider: connection.key },
    context,
    now: deps.clock.now(),
  });
}
