/** What users are known by elsewhere: they list it, and take it off their account. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { AppError, notFound } from "../../lib/errors.ts";
import { type Id, isId } from "../../lib/ids.ts";
import type { Administrator } from "../administrators/service.ts";
import type * as audit from "../audit/service.ts";
import { lockFactors } from "../mfa/policy.ts";
import { isSignInProofEnabled } from "../proofs/issuing.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import { findUser, lockUser } from "../user-administration/service.ts";
import type { User } from "../users/service.ts";
import { removeExternalAccount } from "./removal.ts";
import * as repo from "./repo.ts";

export type ExternalAccount = repo.ExternalAccountRow;

const ownerOf = ({ tenantId, id }: Pick<User, "tenantId" | "id">) => ({ tenantId, userId: id });

/** The oldest first. */
export const listExternalAccounts = (
  deps: Deps,
  user: Pick<User, "tenantId" | "id">,
): Promise<ExternalAccount[]> => repo.listOfUser(deps.db, ownerOf(user));

/** @throws AppError 404, the same for another user's */
export async function requireExternalAccount(
  deps: Deps,
  user: Pick<User, "tenantId" | "id">,
  id: string,
): Promise<ExternalAccount> {
  const found = isId("externalAccount", id) ? await repo.findOfUser(deps.db, ownerOf(user), id) : undefined;
  if (!found) throw noSuchAccount();
  return found;
}

/** How many accounts are linked to a connection. */
export const countAccounts = repo.countOfConnection;

/**
 * Takes one of their external accounts off a user's own account. Of requests that race for the last ones, one stays.
 * @throws AppError 404; 409 `last_sign_in_method` when they could not sign in any more
 */
export async function unlinkExternalAccount(
  deps: Deps,
  tenant: Tenant,
  user: User,
  id: string,
  context: RequestContext,
): Promise<void> {
  if (!isId("externalAccount", id)) throw noSuchAccount();
  await deps.db.transaction(async (tx) => {
    // Held until the end, by this and by whoever takes a passkey away: what is counted next is what will be left.
    await lockFactors(tx, user);
    const by = { actor: { type: "user", id: user.id }, context } as const;
    await unlink(deps, tx, ownerOf(user), id, by);
    if (!(await hasAnotherWayIn(deps, tx, tenant, user, id)))
      throw new AppError(
        409,
        "last_sign_in_method",
        "You could not sign in any more. Set a password or a passkey first.",
      );
  });
}

/** As an administrator lists them. @throws AppError 404 */
export async function listExternalAccountsOf(
  deps: Deps,
  tenantId: Id<"tenant">,
  userId: string,
): Promise<ExternalAccount[]> {
  const user = await findUser(deps, tenantId, userId);
  return repo.listOfUser(deps.db, { tenantId, userId: user.id });
}

/** An administrator can let the user in another way. @throws AppError 404; 403 for a super_admin's by who is none */
export async function unlinkExternalAccountOf(
  deps: Deps,
  tenantId: Id<"tenant">,
  userId: string,
  id: string,
  by: Administrator,
): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const user = await lockUser(tx, tenantId, userId, by);
    if (!isId("externalAccount", id)) throw noSuchAccount();
    await unlink(deps, tx, { tenantId, userId: user.id }, id, by);
  });
}

async function unlink(
  deps: Deps,
  tx: Executor,
  owner: repo.Owner,
  id: Id<"externalAccount">,
  by: { actor: audit.Actor; context: RequestContext },
): Promise<void> {
  if (!(await removeExternalAccount(tx, owner, id, { ...by, now: deps.clock.now() }))) throw noSuchAccount();
}

async function hasAnotherWayIn(
  deps: Deps,
  tx: Executor,
  tenant: Tenant,
  user: User,
  apartFrom: Id<"externalAccount">,
): Promise<boolean> {
  const ways = await repo.findWaysIn(tx, ownerOf(user), apartFrom);
  if (ways.password || ways.passkey || ways.external) return true;
  const enabled = (kind: "email_code" | "magic_link" | "sms_code") =>
    isSignInProofEnabled(deps, tenant, kind);
  return (
    (ways.email && (enabled("email_code") || enabled("magic_link"))) || (ways.phone && enabled("sms_code"))
  );
}

const noSuchAccount = () => notFound("There is no such external account.");
