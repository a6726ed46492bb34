/** What a signed-in person does with the code that a device shows (RFC 8628 §3.3). */
import type { Deps } from "../../deps.ts";
import { approveDevice, denyDevice, findDeviceAuthorization, type PendingDevice } from "../device/service.ts";
import { grantConsent } from "../grants/service.ts";
import { beginAttempt } from "../protection/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Session } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";

export interface DeviceVisit {
  readonly tenant: Tenant;
  readonly session: Session;
  readonly context: RequestContext;
}

export type DeviceLookup =
  | { readonly kind: "found"; readonly device: PendingDevice }
  | { readonly kind: "unknown_code" | "too_many_attempts" };

/**
 * The device that a code is shown on. A code is short, so guesses are counted, for the person and for the address
 * (RFC 8628 §5.1), and beside the attempts to sign in: who mistypes codes is not to be locked out of their account.
 * @param userCode as somebody typed it
 * @throws AppError 429 when too many attempts failed from this address
 */
export async function lookUpDevice(
  deps: Deps,
  { tenant, session, context }: DeviceVisit,
  userCode: string,
): Promise<DeviceLookup> {
  const attempt = await beginAttempt(deps, tenant, {
    user: undefined,
    identifier: `user_code/${session.user.id}`,
    context,
    method: "user_code",
  });
  if (!attempt.admitted) return { kind: "too_many_attempts" };
  const device = await findDeviceAuthorization(deps, tenant, userCode);
  if (device) {
    await attempt.passed();
    return { kind: "found", device };
  }
  await attempt.failed();
  return { kind: "unknown_code" };
}

/**
 * Lets the device in, or keeps it out.
 * @returns false when somebody answered meanwhile, or the code has expired
 */
export async function answerDevice(
  deps: Deps,
  { tenant, session, context }: DeviceVisit,
  device: PendingDevice,
  allowed: boolean,
): Promise<boolean> {
  const answer = { tenant, device, session, context };
  if (!allowed) return denyDevice(deps, answer);
  if (!(await approveDevice(deps, answer))) return false;
  const { client, scope: scopes, resources } = device;
  // So that it stands among what the person let in, and can be taken back there.
  if (!client.firstParty)
    await grantConsent(deps, { user: session.user, client, scopes, resources, context });
  return true;
}
