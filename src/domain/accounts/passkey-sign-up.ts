/** Signing up with a passkey and no password. */
import type { Deps } from "../../deps.ts";
import { isId } from "../../lib/ids.ts";
import {
  type PublicKeyCredentialCreationOptionsJSON,
  registrationOptions,
  type RegistrationResponseJSON,
} from "../../protocol/webauthn/registration.ts";
import { requireAllowed } from "../mfa/factors.ts";
import { consumeCeremony, invalidRegistration, openCeremony, relyingParty } from "../passkeys/ceremonies.ts";
import { newPasskey, verifyNew } from "../passkeys/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import { findUserByIdentifier, type User } from "../users/service.ts";
import {
  draft,
  enterNewcomer,
  type Registration,
  requireOpenRegistration,
  usernameTaken,
} from "./registration.ts";

export type PasskeySignUp = Omit<Registration, "password">;

/**
 * Begins to sign somebody up: what a browser's `navigator.credentials.create` is given. The passkey has to be discoverable
 * and to verify its user, since there will be nothing else. The person's details wait with the challenge.
 * @throws AppError 403 when the tenant takes no registrations or no passkeys, 409 for a taken username, 422 for one that
 *   cannot be
 */
export async function beginPasskeySignUp(
  deps: Deps,
  tenant: Tenant,
  input: PasskeySignUp,
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  requireOpenRegistration(tenant);
  requireAllowed(tenant, "webauthn");
  const user = draft(deps, tenant.id, input);
  if (await findUserByIdentifier(deps, tenant.id, input.username)) throw usernameTaken();
  const challenge = await openCeremony(deps, tenant, {
    kind: "passkey_sign_up",
    userId: null,
    data: { user_id: user.id, ...input },
  });
  const fullName = [user.givenName, user.familyName].filter(Boolean).join(" ");
  return registrationOptions({
    relyingParty: relyingParty(deps, tenant),
    relyingPartyName: tenant.name,
    user: { handle: user.id, name: user.email, displayName: fullName || user.username },
    challenge,
    userVerification: "required",
    attestation: tenant.settings.webauthn_attestation,
    residentKey: "required",
    existing: [],
  });
}

/**
 * Makes the account with its passkey, as self-registration does: an address that has an account already is answered as a new
 * one, and its owner is told by mail.
 * @returns the new user, or for a known address what one would have looked like
 * @throws AppError 400 `invalid_credential`; 409 for a username that was taken meanwhile
 */
export async function finishPasskeySignUp(
  deps: Deps,
  tenant: Tenant,
  response: RegistrationResponseJSON,
  context: RequestContext,
): Promise<User> {
  requireOpenRegistration(tenant);
  const { clientDataJSON } = response.response;
  const ceremony = await consumeCeremony(deps, tenant, "passkey_sign_up", clientDataJSON);
  const details = ceremony && readDetails(ceremony.challenge.data);
  if (!details) throw invalidRegistration();
  const credential = await verifyNew(deps, tenant, response, ceremony.token, "required");
  const user = { ...draft(deps, tenant.id, details.input), id: details.userId };
  const passkey = newPasskey(deps, user, credential, undefined);
  await enterNewcomer(deps, user, (tx) => passkey.store(tx), context);
  return user;
}

function readDetails(data: Record<string, unknown>) {
  const { user_id: userId, username, email, givenName, familyName, locale } = data;
  if (!isId("user", userId) || typeof username !== "string" || typeof email !== "string") return undefined;
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const input = {
    username,
    email,
    givenName: text(givenName),
    familyName: text(familyName),
    locale: text(locale),
  };
  return { userId, input };
}
