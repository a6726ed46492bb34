import type { Executor } from "../../db/client.ts";
import { removeAllExternalAccounts } from "../external-accounts/removal.ts";
import { noteRemoved } from "../mfa/enrolment.ts";
import { removeTotpDevices } from "../mfa/totp/service.ts";
import { removeAllPasskeys } from "../passkeys/service.ts";
import { removeAllPhones } from "../phones/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { User } from "../users/service.ts";

/**
 * Forgets every factor, phone number and external account of an account that its address's owner takes over, in the caller's
 * transaction. Until an address is verified, the account may have been made by anybody: a passkey of theirs, or what they are
 * known by elsewhere, would let them in for ever, whatever the password is by then ("classic-federated merge" and its kin, Sudhodanan and Paverd 2022: account pre-hijacking).
 */
export async function forgetFactors(
  executor: Executor,
  user: Pick<User, "id" | "tenantId">,
  context: RequestContext,
  now: Date,
): Promise<void> {
  const apps = await removeTotpDevices(executor, user, undefined);
  const passkeys = await removeAllPasskeys(executor, user);
  const removed = [
    ...apps.map(({ id, name }) => ({ target: { type: "totp_device", id }, method: "totp", name }) as const),
    ...passkeys.map(
      ({ id, name }) => ({ target: { type: "passkey", id }, method: "webauthn", name }) as const,
    ),
  ];
  await noteRemoved(executor, user, removed, { last: true, context, now });
  await removeAllPhones(executor, user, { context, now });
  const owner = { tenantId: user.tenantId, userId: user.id };
  await removeAllExternalAccounts(executor, owner, { actor: { type: "user", id: user.id }, context, now });
}
