/** Devices that a user asked to be remembered: for a while they sign in there without a second factor. */
import type { Executor } from "../../../db/client.ts";
import type { Deps } from "../../../deps.ts";
import { notFound } from "../../../lib/errors.ts";
import { type Id, isId, newId } from "../../../lib/ids.ts";
import { matchesHash, newSecretToken, parseSecretToken } from "../../../lib/secret-token.ts";
import { addSeconds } from "../../../lib/clock.ts";
import * as audit from "../../audit/service.ts";
import { lockPasswordVersion } from "../../passwords/service.ts";
import type { RequestContext } from "../../request-context.ts";
import type { User } from "../../users/service.ts";
import * as repo from "./repo.ts";

export type { TrustedDevice } from "./repo.ts";

/** Whose devices: all that is asked of a user here. */
type Holder = Pick<User, "id" | "tenantId">;

const ownerOf = (user: Holder): repo.Owner => ({ tenantId: user.tenantId, userId: user.id });

/** What a device keeps to be recognised by. */
export interface DeviceToken {
  readonly token: string;
  readonly expiresAt: Date;
}

/** Trusts the device that signs in, in the sign-in's transaction. */
export async function trustDevice(
  executor: Executor,
  user: User,
  days: number,
  context: RequestContext,
  now: Date,
): Promise<DeviceToken> {
  const id = newId("trustedDevice");
  const { token, hash } = newSecretToken(id);
  const expiresAt = addSeconds(now, days * 86_400);
  await repo.insertDevice(executor, {
    ...ownerOf(user),
    id,
    hash,
    passwordChangedAt: (await lockPasswordVersion(executor, user.tenantId, user.id)) ?? null,
    ip: context.ip ?? null,
    userAgent: context.userAgent ?? null,
    createdAt: now,
    lastUsedAt: now,
    expiresAt,
  });
  await audit.record(executor, {
    tenantId: user.tenantId,
    type: "device.trusted",
    actor: { type: "user", id: user.id },
    target: { type: "trusted_device", id },
    context,
    now,
  });
  return { token, expiresAt };
}

/** Whether this token is one of the user's, and still holds. */
export async function isTrustedDevice(deps: Deps, user: User, token: string | undefined): Promise<boolean> {
  const parsed = token === undefined ? undefined : parseSecretToken("trustedDevice", token);
  if (!parsed) return false;
  const now = deps.clock.now();
  const device = await repo.findTrusted(deps.db, ownerOf(user), parsed.id, now);
  if (!device || !matchesHash(parsed.secret, device.hash)) return false;
  await repo.touch(deps.db, ownerOf(user), device.id, now);
  return true;
}

export const listTrustedDevices = (deps: Deps, user: User) =>
  repo.listTrusted(deps.db, ownerOf(user), deps.clock.now());

/**
 * Forgets a device, or all of them.
 * @throws AppError 404 when it is none of the user's
 */
export async function forgetTrustedDevices(
  deps: Deps,
  user: User,
  id: string | undefined,
  context: RequestContext,
): Promise<void> {
  if (id !== undefined && !isId("trustedDevice", id)) throw noSuchDevice();
  await deps.db.transaction(async (tx) => {
    const gone = await dropTrustedDevices(tx, user, context, deps.clock.now(), id);
    if (id !== undefined && gone === 0) throw noSuchDevice();
  });
}

const noSuchDevice = () => notFound("There is no such trusted device.");

/** The same in the caller's transaction. @returns how many are gone */
export async function dropTrustedDevices(
  executor: Executor,
  user: Holder,
  context: RequestContext,
  now: Date,
  id?: Id<"trustedDevice">,
): Promise<number> {
  const gone = await repo.deleteDevices(executor, ownerOf(user), id);
  if (gone === 0) return 0;
  await audit.record(executor, {
    tenantId: user.tenantId,
    type: "device.untrusted",
    actor: { type: "user", id: user.id },
    target: id ? { type: "trusted_device", id } : { type: "user", id: user.id },
    details: { devices: gone },
    context,
    now,
  });
  return gone;
}
