/** Phone numbers of users. That one belongs to a user is proved elsewhere, by a code. */
import type { Executor } from "../../db/client.ts";
import { violatesUnique } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { conflict, notFound, validationError } from "../../lib/errors.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { enqueue } from "../../queue/outbox.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { User } from "../users/service.ts";
import { normalizePhone } from "./model.ts";
import * as repo from "./repo.ts";

export { maskPhone, normalizePhone } from "./model.ts";
export { findOwnerOfNumber, findPhone, findVerifiedPhone, type Phone } from "./repo.ts";

const ownerOf = (user: Pick<User, "id" | "tenantId">) => ({ tenantId: user.tenantId, userId: user.id });

export function listPhones(deps: Deps, user: User): Promise<repo.Phone[]> {
  return repo.listPhones(deps.db, ownerOf(user));
}

/** Nobody has so many, and each costs a text message to verify. */
const MOST_PHONES = 5;

/**
 * Notes a number that has yet to be verified; one that is noted already stays as it is.
 * @throws AppError 422 for what is no number, 409 when there are too many
 */
export async function notePhone(
  deps: Deps,
  user: User,
  number: string,
  context: RequestContext,
): Promise<repo.Phone> {
  const normalized = await normalizePhone(number);
  if (!normalized) {
    throw validationError([
      { field: "number", message: "Must be a phone number with its country's code, such as +49 30 123456." },
    ]);
  }
  const phones = await listPhones(deps, user);
  if (phones.length >= MOST_PHONES && phones.every((phone) => phone.number !== normalized)) {
    throw conflict("There are too many phone numbers. Please remove one first.");
  }
  const now = deps.clock.now();
  const id = newId("phone");
  const isPrimary = phones.length === 0;
  return deps.db.transaction(async (tx) => {
    const phone = { ...ownerOf(user), id, number: normalized, isPrimary, createdAt: now };
    const stored = await repo.upsertPhone(tx, phone);
    if (stored.id === id) await record(tx, user, "user.phone_added", id, { context, now });
    return stored;
  });
}

/**
 * The number is the user's from now on, and nobody else's, in the caller's transaction.
 * @throws AppError 409 when somebody else has verified it
 */
export async function markPhoneVerified(
  executor: Executor,
  user: User,
  phone: repo.Phone,
  by: { context: RequestContext; now: Date },
): Promise<void> {
  try {
    if (!(await repo.markVerified(executor, phone, by.now))) return;
  } catch (error) {
    if (violatesUnique(error, "user_phones_verified")) {
      throw conflict("This number belongs to another account. Please use another one.");
    }
    throw error;
  }
  await record(executor, user, "user.phone_verified", phone.id, by);
  // It is a way in from now on: its owner is to know, even who did not add it.
  await enqueue(executor, {
    tenantId: user.tenantId,
    queue: "email",
    name: "factor_added",
    payload: { user_id: user.id, method: "sms_code", name: `… ${phone.number.slice(-4)}` },
    now: by.now,
  });
}

/** @throws AppError 404, for another person's as for none */
export async function removePhone(
  deps: Deps,
  user: User,
  id: Id<"phone">,
  context: RequestContext,
): Promise<void> {
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    if (!(await repo.deletePhone(tx, ownerOf(user), id))) throw notFound("There is no such phone number.");
    await record(tx, user, "user.phone_removed", id, { context, now });
  });
}

/** Removes all of a user's numbers, in the caller's transaction. */
export async function removeAllPhones(
  executor: Executor,
  user: Pick<User, "id" | "tenantId">,
  by: { context: RequestContext; now: Date },
): Promise<void> {
  for (const id of await repo.deleteAll(executor, ownerOf(user)))
    await record(executor, user, "user.phone_removed", id, by);
}

async function record(
  executor: Executor,
  user: Pick<User, "id" | "tenantId">,
  type: "user.phone_added" | "user.phone_verified" | "user.phone_removed",
  phoneId: Id<"phone">,
  by: { context: RequestContext; now: Date },
): Promise<void> {
  await audit.record(executor, {
    tenantId: user.tenantId,
    type,
    actor: { type: "user", id: user.id },
    target: { type: "user", id: user.id },
    details: { phone_id: phoneId },
    ...by,
  });
}
