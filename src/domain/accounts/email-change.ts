/**
 * Another email address. Whoever has the address has the account (a forgotten password goes there), so a session alone is
 * not enough to change it: the old address has to approve by a link, and the new one to confirm by another. Who has lost
 * the old one needs an administrator (`setEmail`).
 */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { readDerivedToken } from "../../lib/derived-token.ts";
import { conflict, notFound, validationError } from "../../lib/errors.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { enqueue } from "../../queue/outbox.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import { emailKey, findUserById, isEmailAddress, isEmailTaken, type User } from "../users/service.ts";
import { linkExpired } from "./email-verification.ts";
import * as repo from "./repo.ts";

export type { EmailChange } from "./repo.ts";
export { findChange } from "./repo.ts";

/** How long both links work, in seconds. */
export const EMAIL_CHANGE_SECONDS = 24 * 60 * 60;

/** The two consents, by what their links are for. */
export type EmailConsent = "approve" | "confirm";
export const emailChangePurpose = (consent: EmailConsent) => `email_change/${consent}`;

/**
 * Begins a change, in the place of one that was begun before. What the new address is to others is not looked at here: the
 * answer and its time are the same for one that has an account, and the worker writes to it only if it has none.
 * An old address that was never confirmed has nobody behind it who could be asked.
 * @throws AppError 422 for what is no address, or already the user's
 */
export async function requestEmailChange(
  deps: Deps,
  user: User,
  newAddress: string,
  context: RequestContext,
): Promise<repo.EmailChange> {
  const address = newAddress.trim();
  requireOtherAddress(user, address);
  const now = deps.clock.now();
  const { tenantId } = user;
  const id = newId("emailChange");
  return deps.db.transaction(async (tx) => {
    await repo.cancelEmailChanges(tx, tenantId, user.id, now);
    await repo.insertEmailChange(tx, {
      tenantId,
      id,
      userId: user.id,
      oldAddress: user.email,
      oldAsked: user.emailVerified,
      newAddress: address,
      createdAt: now,
      expiresAt: addSeconds(now, EMAIL_CHANGE_SECONDS),
      approvedAt: user.emailVerified ? null : now,
    });
    await recordChange(tx, user, "user.email_change_requested", { actor: userActor(user), context, now });
    const payload = { user_id: user.id, change_id: id };
    if (user.emailVerified) {
      await enqueue(tx, { tenantId, queue: "email", name: "email_change_requested", payload, now });
    }
    await enqueue(tx, { tenantId, queue: "email", name: "confirm_new_email", payload, now });
    const change = await repo.findOpenChange(tx, tenantId, id, now);
    if (!change) throw new Error("a change of address vanished while it was made");
    return change;
  });
}

/** The change that waits for its links, if there is one. */
export function findPendingEmailChange(deps: Deps, user: User): Promise<repo.EmailChange | undefined> {
  return repo.findOpenChangeOfUser(deps.db, user.tenantId, user.id, deps.clock.now());
}

/** @throws AppError 404 when nothing waits */
export async function cancelEmailChange(deps: Deps, user: User, context: RequestContext): Promise<void> {
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    if (!(await repo.cancelEmailChanges(tx, user.tenantId, user.id, now))) {
      throw notFound("There is no change of address to cancel.");
    }
    await recordChange(tx, user, "user.email_change_cancelled", { actor: userActor(user), context, now });
  });
}

/** The change behind a link, if the link would still work. Changes nothing: mail scanners open links too. */
export async function findLinkedEmailChange(
  deps: Deps,
  tenant: Tenant,
  consent: EmailConsent,
  token: string,
): Promise<repo.EmailChange | undefined> {
  const id = readDerivedToken(deps.secrets.links, emailChangePurpose(consent), "emailChange", token);
  const change = id && (await repo.findOpenChange(deps.db, tenant.id, id, deps.clock.now()));
  return change && change[consentColumn[consent]] === null ? change : undefined;
}

const consentColumn = { approve: "approvedAt", confirm: "confirmedAt" } as const;

/**
 * Takes one of the two consents by its link, once; the second one changes the address and tells both.
 * @returns whether the address is changed now
 * @throws AppError 400 `invalid_token`; 409 when somebody else came to have the address meanwhile
 */
export async function consentToEmailChange(
  deps: Deps,
  tenant: Tenant,
  consent: EmailConsent,
  token: string,
  context: RequestContext,
): Promise<boolean> {
  const id = readDerivedToken(deps.secrets.links, emailChangePurpose(consent), "emailChange", token);
  if (!id) throw linkExpired();
  const now = deps.clock.now();
  return takingAddress(() =>
    deps.db.transaction(async (tx) => {
      const change = await repo.markConsent(tx, tenant.id, id, consentColumn[consent], now);
      if (!change) throw linkExpired();
      if (!change.approvedAt || !change.confirmedAt) return false;
      // Whoever has proved the old address since was not asked: it may be that somebody registered it before them.
      if (!change.oldAsked && (await repo.lockVerifiedEmail(tx, change))) throw linkExpired();
      await repo.markChangeCompleted(tx, tenant.id, id, now);
      await replaceEmail(tx, change, now);
      const actor = { type: "user", id: change.userId } as const;
      await recordChange(tx, { ...change, id: change.userId }, "user.email_changed", { actor, context, now });
      return true;
    }),
  );
}

/**
 * Sets an address without asking the old one: the way out for a person who has lost it, open to administrators alone, who
 * have made sure of the person by other means. Both addresses are told.
 * @throws AppError 404, 409 for an address that somebody has, 422 for what is none
 */
export async function setEmail(
  deps: Deps,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  newAddress: string,
  by: { actor: audit.Actor; context: RequestContext },
): Promise<void> {
  const user = await findUserById(deps, tenantId, userId);
  if (!user) throw notFound("There is no such user.");
  const now = deps.clock.now();
  await takingAddress(() =>
    deps.db.transaction((tx) => replaceAddress(tx, user, newAddress, { ...by, now })),
  );
}

/**
 * The same, in the caller's transaction.
 * @throws AppError 422 for what is no address, or already the user's; the unique index's error for one that is taken
 */
export async function replaceAddress(
  tx: Executor,
  user: Pick<User, "tenantId" | "id" | "email">,
  newAddress: string,
  { now, ...by }: { actor: audit.Actor; context: RequestContext; now: Date },
): Promise<void> {
  const { tenantId, id: userId } = user;
  const address = newAddress.trim();
  requireOtherAddress(user, address);
  const old = { oldAddress: user.email, oldAsked: false };
  const change = { tenantId, id: newId("emailChange"), userId, ...old, newAddress: address };
  await repo.cancelEmailChanges(tx, tenantId, userId, now);
  const expiresAt = addSeconds(now, EMAIL_CHANGE_SECONDS);
  const done = { createdAt: now, expiresAt, approvedAt: now, confirmedAt: now, completedAt: now };
  await repo.insertEmailChange(tx, { ...change, ...done });
  await replaceEmail(tx, change, now);
  await recordChange(tx, user, "user.email_changed", { ...by, now });
}

/** The new address is the primary one from now on, and confirmed. Both are told. */
async function replaceEmail(
  tx: Executor,
  change: Pick<repo.EmailChange, "tenantId" | "id" | "userId" | "oldAddress" | "newAddress">,
  now: Date,
): Promise<void> {
  const { tenantId, userId, newAddress } = change;
  await repo.replacePrimaryEmail(tx, {
    tenantId,
    userId,
    id: newId("email"),
    address: newAddress,
    addressKey: emailKey(newAddress),
    now,
  });
  await repo.updateProfile(tx, tenantId, userId, {}, now);
  for (const to of change.oldAddress === null ? (["new"] as const) : (["old", "new"] as const)) {
    const payload = { user_id: userId, change_id: change.id, to };
    await enqueue(tx, { tenantId, queue: "email", name: "email_changed", payload, now });
  }
}

function requireOtherAddress(user: Pick<User, "email">, address: string): void {
  if (!isEmailAddress(address)) {
    throw validationError([{ field: "email", message: "Must be a valid email address." }]);
  }
  if (user.email !== null && emailKey(user.email) === emailKey(address)) {
    throw validationError([{ field: "email", message: "Is your address already." }]);
  }
}

async function takingAddress<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (isEmailTaken(error))
      throw conflict("This address cannot be used any more. Please choose another one.");
    throw error;
  }
}

const userActor = (user: User) => ({ type: "user", id: user.id }) as const;

async function recordChange(
  tx: Executor,
  user: { tenantId: Id<"tenant">; id: Id<"user"> },
  type: audit.AuditEventType,
  by: { actor: audit.Actor; context: RequestContext; now: Date },
): Promise<void> {
  await audit.record(tx, {
    tenantId: user.tenantId,
    type,
    target: { type: "user", id: user.id },
    ...by,
  });
}
