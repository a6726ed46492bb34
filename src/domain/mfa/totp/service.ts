/** Authenticator apps: setting one up, and checking its codes. */
import { randomBytes } from "node:crypto";
import type { Executor } from "../../../db/client.ts";
import type { Deps } from "../../../deps.ts";
import { addSeconds } from "../../../lib/clock.ts";
import { AppError, conflict } from "../../../lib/errors.ts";
import { type Id, newId } from "../../../lib/ids.ts";
import { sealWith, unsealWith } from "../../../lib/master-keys.ts";
import { matchTotp, provisioningUri, SECRET_BYTES, secretText } from "../../../protocol/totp/totp.ts";
import type { Tenant } from "../../tenants/service.ts";
import type { User } from "../../users/service.ts";
import { qrCodePngUrl, qrCodeSvg } from "./qr-code.ts";
import * as repo from "./repo.ts";

export type { TotpDevice } from "./repo.ts";

const MAX_DEVICES = 10;
/** Whoever began to set up a device has so long to finish. */
const SETUP_SECONDS = 60 * 60;
const DEFAULT_NAME = "Authenticator app";

/** Where a device is set up: in a session, or in a sign-in that waits for it. */
export type SetupContext = Id<"session"> | Id<"challenge">;

export interface TotpSetup {
  readonly deviceId: Id<"totpDevice">;
  /** Base32, for typing. */
  readonly secret: string;
  readonly provisioningUri: string;
  /** A PNG in a `data:` URL. */
  readonly qrCode: string;
  readonly qrSvg: string;
}

const contextOf = (id: Id<"totpDevice">) => `totp-device/${id}`;
const ownerOf = (user: Pick<User, "id" | "tenantId">): repo.Owner => ({
  tenantId: user.tenantId,
  userId: user.id,
});

export const mfaAlreadyEnabled = (message: string) => new AppError(409, "mfa_already_enabled", message);

/**
 * Begins to set up a device. It counts once `findSetup` was given a code of it. Beginning again gives up what was begun.
 * @param options `name`: without one, the user has to have no device yet; with one, none of that name. `begunBy`: the
 *   session or the pending login in which it is set up
 * @throws AppError 409 `mfa_already_enabled`; 409 when there are too many
 */
export async function beginTotpSetup(
  deps: Deps,
  tenant: Tenant,
  user: User,
  { name, begunBy }: { name: string | undefined; begunBy: SetupContext },
): Promise<TotpSetup> {
  const owner = ownerOf(user);
  const devices = await repo.findConfirmed(deps.db, owner);
  if (name === undefined && devices.length > 0)
    throw mfaAlreadyEnabled("An authenticator app is set up already. To add another one, give it a name.");
  if (devices.some((device) => device.name === name))
    throw mfaAlreadyEnabled("There is an authenticator app of this name already.");
  if (devices.length >= MAX_DEVICES)
    throw conflict(`There are ${MAX_DEVICES} authenticator apps already. Remove one first.`);
  const id = newId("totpDevice");
  const secret = randomBytes(SECRET_BYTES);
  const sealed = sealWith(deps.config.masterKeys, secret, contextOf(id));
  await deps.db.transaction(async (tx) => {
    await repo.deleteUnconfirmed(tx, owner);
    await repo.insertDevice(tx, {
      ...owner,
      id,
      name: name ?? DEFAULT_NAME,
      sealedSecret: sealed.box,
      masterKeyId: sealed.keyId,
      createdAt: deps.clock.now(),
      begunBy,
    });
  });
  return describeSetup(tenant, user, id, secret);
}

/**
 * The device that is being set up, told once more: for a page that is opened again, or whose code was wrong. Only where it
 * was begun: somebody else with the password could leave one behind, whose secret they know, for its owner to finish.
 * @returns undefined when none was begun here, or too long ago
 */
export async function resumeTotpSetup(
  deps: Deps,
  tenant: Tenant,
  user: User,
  begunBy: SetupContext,
): Promise<TotpSetup | undefined> {
  const device = await repo.findUnconfirmed(deps.db, ownerOf(user), undefined);
  if (device?.begunBy !== begunBy || addSeconds(device.createdAt, SETUP_SECONDS) <= deps.clock.now())
    return undefined;
  return describeSetup(tenant, user, device.id, secretOf(deps, device));
}

function describeSetup(tenant: Tenant, user: User, id: Id<"totpDevice">, secret: Buffer): TotpSetup {
  const uri = provisioningUri(secret, tenant.name, user.email ?? user.username);
  return {
    deviceId: id,
    secret: secretText(secret),
    provisioningUri: uri,
    qrCode: qrCodePngUrl(uri),
    qrSvg: qrCodeSvg(uri),
  };
}

/** A device whose first code was right. */
export interface ProvenSetup {
  readonly id: Id<"totpDevice">;
  readonly name: string;
  /** Makes it count, in the caller's transaction. False when it does already, or is gone. */
  confirm(executor: Executor): Promise<boolean>;
}

/**
 * The device that is being set up, if this is a code of it. Wrong ones are not counted against the account: the secret was
 * shown to whoever tries, so there is nothing to guess.
 */
export async function findSetup(
  deps: Deps,
  user: User,
  code: string,
  id: Id<"totpDevice"> | undefined,
): Promise<ProvenSetup | undefined> {
  const owner = ownerOf(user);
  const now = deps.clock.now();
  const device = await repo.findUnconfirmed(deps.db, owner, id);
  if (!device || addSeconds(device.createdAt, SETUP_SECONDS) <= now) return undefined;
  const step = matchTotp(secretOf(deps, device), code, now);
  if (step === undefined) return undefined;
  return {
    id: device.id,
    name: device.name,
    confirm: (executor) => repo.confirm(executor, owner, { id: device.id, step, now }),
  };
}

function secretOf(deps: Deps, device: repo.TotpDevice): Buffer {
  const sealed = { keyId: device.masterKeyId, box: device.sealedSecret };
  return unsealWith(deps.config.masterKeys, sealed, contextOf(device.id));
}

/**
 * The device that this is a current code of.
 * @returns what takes the code's time step, in the transaction that it is used for: false when it was taken before
 */
export async function findTotpCode(
  deps: Deps,
  user: User,
  code: string,
): Promise<{ id: Id<"totpDevice">; take: (executor: Executor) => Promise<boolean> } | undefined> {
  const owner = ownerOf(user);
  const now = deps.clock.now();
  for (const device of await repo.findConfirmed(deps.db, owner)) {
    const step = matchTotp(secretOf(deps, device), code, now);
    if (step === undefined) continue;
    const { id } = device;
    return { id, take: (executor) => repo.takeStep(executor, owner, { id, step, now }) };
  }
  return undefined;
}

/** Devices whose codes count, oldest first. */
export const listTotpDevices = (deps: Deps, user: User) => repo.findConfirmed(deps.db, ownerOf(user));

/** In the caller's transaction. @returns whether there is such a device */
export const renameTotpDevice = (executor: Executor, user: User, id: Id<"totpDevice">, name: string) =>
  repo.rename(executor, ownerOf(user), id, name);

/** Removes a device, or all of them, in the caller's transaction. @returns what was removed */
export const removeTotpDevices = (
  executor: Executor,
  user: Pick<User, "id" | "tenantId">,
  id: Id<"totpDevice"> | undefined,
) => repo.deleteConfirmed(executor, ownerOf(user), id);

/** Seals up to `limit` secrets under the first master key. @returns how many it was */
export async function resealTotpSecrets(deps: Deps, limit: number): Promise<number> {
  const { masterKeys } = deps.config;
  const devices = await repo.findSealedOtherwise(deps.db, masterKeys[0].id, limit);
  for (const device of devices) {
    const sealed = sealWith(masterKeys, secretOf(deps, device), contextOf(device.id));
    await repo.replaceSeal(deps.db, device, sealed);
  }
  return devices.length;
}
