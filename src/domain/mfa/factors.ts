/** A user's own factors: setting up an authenticator app, removing it, and new backup codes. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { isDisplayName } from "../../lib/display-name.ts";
import { AppError, forbidden, notFound, validationError } from "../../lib/errors.ts";
import { isId } from "../../lib/ids.ts";
import { ACR_2FA, type AuthenticationNeed } from "../../protocol/oidc/acr.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import { FRESH_SECONDS } from "../sessions/fresh.ts";
import type { Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import { createBackupCodes } from "./backup-codes/service.ts";
import { type NewFactor, removeFactors } from "./enrolment.ts";
import type { EnrollableMethod } from "./model.ts";
import { hasSecondFactor, lockFactors, policyOf } from "./policy.ts";
import { findSetup, removeTotpDevices, renameTotpDevice } from "./totp/service.ts";

/**
 * What a user has to have proved before they add or remove a factor: lately who they are, and with a second factor if they
 * have one. A stolen token, or a stolen password, must not be enough to change the locks.
 */
export async function needToChangeFactors(
  deps: Deps,
  tenant: Tenant,
  user: User,
): Promise<AuthenticationNeed> {
  const strong = await hasSecondFactor(deps, policyOf(tenant), user);
  return { maxAgeSeconds: FRESH_SECONDS, acr: strong ? ACR_2FA : undefined };
}

/**
 * The same for a new password. The current one is proof enough of who has no second factor; who has one proves it, or else
 * whoever stole a session and the password would be the only one to know the next.
 * @param typed whether the current password comes with it
 * @returns undefined when nothing more is needed
 */
export async function needToChangePassword(
  deps: Deps,
  tenant: Tenant,
  user: User,
  { typed }: { typed: boolean },
): Promise<AuthenticationNeed | undefined> {
  const need = await needToChangeFactors(deps, tenant, user);
  return typed && need.acr === undefined ? undefined : need;
}

/** @throws AppError 403 when the tenant does not take such a factor */
export function requireAllowed(tenant: Tenant, method: EnrollableMethod): void {
  const { enforcement, methods } = policyOf(tenant);
  // A passkey is also a way to sign in: it is of use where nobody is asked for a second factor.
  const off = enforcement === "off" && method !== "webauthn";
  if (off || !methods.includes(method)) throw forbidden("This second factor cannot be set up here.");
}

export const wrongSetupCode = () =>
  new AppError(
    400,
    "invalid_code",
    "This code is not valid. Please scan the QR code again, or wait for the next.",
  );

/**
 * An authenticator app whose first code was right, as a factor that its user may add.
 * @throws AppError 400 `invalid_code`
 */
export async function finishTotpSetup(
  deps: Deps,
  user: User,
  code: string,
  deviceId: string | undefined,
): Promise<NewFactor> {
  if (deviceId !== undefined && !isId("totpDevice", deviceId)) throw wrongSetupCode();
  const setup = await findSetup(deps, user, code, deviceId);
  if (!setup) throw wrongSetupCode();
  return {
    method: "totp",
    target: { type: "totp_device", id: setup.id },
    name: setup.name,
    amr: ["otp"],
    async store(executor) {
      if (!(await setup.confirm(executor))) throw wrongSetupCode();
    },
  };
}

/**
 * Removes an authenticator app, or all of them.
 * @throws AppError 404 when there is none such; 409 when the policy asks for a factor and none would be left
 */
export async function disableTotp(
  deps: Deps,
  tenant: Tenant,
  user: User,
  deviceId: string | undefined,
  context: RequestContext,
): Promise<void> {
  if (deviceId !== undefined && !isId("totpDevice", deviceId)) throw noSuchDevice();
  const remove = async (executor: Executor) => {
    const removed = await removeTotpDevices(executor, user, deviceId);
    if (removed.length === 0) throw noSuchDevice();
    return removed.map(({ id, name }) => ({ target: { type: "totp_device", id } as const, name }));
  };
  await removeFactors(deps, tenant, user, "totp", remove, context);
}

/** @throws AppError 404 when it is none of the user's; 422 for a name that cannot be one */
export async function renameTotp(
  deps: Deps,
  user: User,
  id: string,
  name: string,
  context: RequestContext,
): Promise<void> {
  if (!isDisplayName(name))
    throw validationError([{ field: "name", message: "Must be 1 to 128 printable characters." }]);
  if (!isId("totpDevice", id)) throw noSuchDevice();
  await deps.db.transaction(async (tx) => {
    if (!(await renameTotpDevice(tx, user, id, name))) throw noSuchDevice();
    await audit.record(tx, {
      tenantId: user.tenantId,
      type: "mfa.device_renamed",
      actor: { type: "user", id: user.id },
      target: { type: "totp_device", id },
      context,
      now: deps.clock.now(),
    });
  });
}

const noSuchDevice = () => notFound("There is no such authenticator app.");

/**
 * New backup codes, for this once; the ones before are good no more.
 * @throws AppError 409 for a user without a factor that they would stand in for
 */
export async function regenerateBackupCodes(
  deps: Deps,
  tenant: Tenant,
  user: User,
  context: RequestContext,
): Promise<string[]> {
  if (!(await hasSecondFactor(deps, policyOf(tenant), user)))
    throw new AppError(
      409,
      "mfa_not_enabled",
      "Backup codes stand in for a second factor. Set one up first.",
    );
  const now = deps.clock.now();
  return deps.db.transaction(async (tx) => {
    await lockFactors(tx, user);
    const codes = await createBackupCodes(deps, tx, { tenantId: user.tenantId, userId: user.id }, now);
    await audit.record(tx, {
      tenantId: user.tenantId,
      type: "mfa.backup_codes_created",
      actor: { type: "user", id: user.id },
      target: { type: "user", id: user.id },
      details: { codes: codes.length },
      context,
      now,
    });
    return codes;
  });
}
