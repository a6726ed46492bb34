/** Passkeys and security keys of users: making, listing, renaming and removing them. */
import { type Executor, violatesUnique } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { isDisplayName } from "../../lib/display-name.ts";
import { conflict, notFound, validationError } from "../../lib/errors.ts";
import { type Id, isId, newId } from "../../lib/ids.ts";
import { authenticatorName } from "../../protocol/webauthn/authenticator-names.ts";
import { WebAuthnProblem } from "../../protocol/webauthn/client-data.ts";
import {
  type PublicKeyCredentialCreationOptionsJSON,
  type RegisteredCredential,
  registrationOptions,
  type RegistrationResponseJSON,
  verifyRegistration,
} from "../../protocol/webauthn/registration.ts";
import * as audit from "../audit/service.ts";
import { type NewFactor, removeFactors } from "../mfa/enrolment.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import { consumeCeremony, invalidRegistration, openCeremony, relyingParty } from "./ceremonies.ts";
import * as repo from "./repo.ts";

export type { Passkey } from "./repo.ts";
export type { PublicKeyCredentialCreationOptionsJSON, RegistrationResponseJSON };

const MAX_PASSKEYS = 20;

const ownerOf = (user: Pick<User, "id" | "tenantId">): repo.Owner => ({
  tenantId: user.tenantId,
  userId: user.id,
});

/** Oldest first. */
export const listPasskeys = (deps: Deps, user: User) => repo.listByOwner(deps.db, ownerOf(user));

/**
 * Begins to register a passkey: what a browser's `navigator.credentials.create` is given.
 * @throws AppError 409 when there are too many
 */
export async function beginRegistration(
  deps: Deps,
  tenant: Tenant,
  user: User,
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const existing = await listPasskeys(deps, user);
  if (existing.length >= MAX_PASSKEYS)
    throw conflict(`There are ${MAX_PASSKEYS} passkeys already. Remove one first.`);
  const challenge = await openCeremony(deps, tenant, {
    kind: "passkey_registration",
    userId: user.id,
    data: {},
  });
  const name = user.email ?? user.username;
  const fullName = [user.givenName, user.familyName].filter(Boolean).join(" ");
  return registrationOptions({
    relyingParty: relyingParty(deps, tenant),
    relyingPartyName: tenant.name,
    user: { handle: user.id, name, displayName: fullName || name },
    challenge,
    userVerification: tenant.settings.webauthn_user_verification,
    attestation: tenant.settings.webauthn_attestation,
    residentKey: "preferred",
    existing,
  });
}

/**
 * Verifies what the browser answered; the challenge is used up by it. The passkey counts once it is stored.
 * @param name without one, the authenticator's own
 * @throws AppError 400 `invalid_credential`; 422 for a name that cannot be one
 */
export async function finishRegistration(
  deps: Deps,
  tenant: Tenant,
  user: User,
  response: RegistrationResponseJSON,
  name: string | undefined,
): Promise<NewFactor & { passkeyId: Id<"passkey"> }> {
  if (name !== undefined) requireName(name);
  const ceremony = await consumeCeremony(
    deps,
    tenant,
    "passkey_registration",
    response.response.clientDataJSON,
  );
  if (ceremony?.challenge.userId !== user.id) throw invalidRegistration();
  const credential = await verifyNew(deps, tenant, response, ceremony.token);
  return newPasskey(deps, user, credential, name);
}

/** @throws AppError 400 `invalid_credential` */
export async function verifyNew(
  deps: Deps,
  tenant: Tenant,
  response: RegistrationResponseJSON,
  challenge: string,
  userVerification = tenant.settings.webauthn_user_verification,
): Promise<RegisteredCredential> {
  try {
    return await verifyRegistration(response, {
      relyingParty: relyingParty(deps, tenant),
      challenge,
      userVerification,
    });
  } catch (error) {
    if (error instanceof WebAuthnProblem) throw invalidRegistration(error);
    throw error;
  }
}

/** A verified credential as a factor that its user may add. */
export function newPasskey(
  deps: Deps,
  user: User,
  credential: RegisteredCredential,
  name: string | undefined,
): NewFactor & { passkeyId: Id<"passkey"> } {
  const { userVerified, transports, ...record } = credential;
  const id = newId("passkey");
  const called = name ?? authenticatorName(credential.aaguid) ?? "Passkey";
  return {
    passkeyId: id,
    method: "webauthn",
    target: { type: "passkey", id },
    name: called,
    amr: [credential.backupEligible ? "swk" : "hwk", "user"],
    details: { aaguid: credential.aaguid, attestation: credential.attestationFormat, uv: userVerified },
    async store(executor) {
      try {
        await repo.insertPasskey(executor, {
          ...ownerOf(user),
          ...record,
          id,
          name: called,
          transports: [...transports],
          createdAt: deps.clock.now(),
        });
      } catch (error) {
        // §7.1 step 26: a credential belongs to one user.
        if (violatesUnique(error, "passkeys_credential")) throw invalidRegistration(error);
        throw error;
      }
    },
  };
}

/** @throws AppError 404 when it is none of the user's; 422 for a name that cannot be one */
export async function renamePasskey(
  deps: Deps,
  user: User,
  id: string,
  name: string,
  context: RequestContext,
): Promise<repo.Passkey> {
  requireName(name);
  if (!isId("passkey", id)) throw noSuchPasskey();
  return deps.db.transaction(async (tx) => {
    const renamed = await repo.rename(tx, ownerOf(user), id, name);
    if (!renamed) throw noSuchPasskey();
    await audit.record(tx, {
      tenantId: user.tenantId,
      type: "passkey.renamed",
      actor: { type: "user", id: user.id },
      target: { type: "passkey", id },
      context,
      now: deps.clock.now(),
    });
    return renamed;
  });
}

/** @throws AppError 404 when it is none of the user's; 409 when the policy asks for a factor and this is the last */
export async function removePasskey(
  deps: Deps,
  tenant: Tenant,
  user: User,
  id: string,
  context: RequestContext,
): Promise<void> {
  if (!isId("passkey", id)) throw noSuchPasskey();
  const remove = async (executor: Executor) => {
    const gone = await repo.deletePasskey(executor, ownerOf(user), id);
    if (!gone) throw noSuchPasskey();
    return [{ target: { type: "passkey", id } as const, name: gone.name }];
  };
  await removeFactors(deps, tenant, user, "webauthn", remove, context);
}

/** Removes all of a user's passkeys, in the caller's transaction. @returns what was removed */
export const removeAllPasskeys = (executor: Executor, user: Pick<User, "id" | "tenantId">) =>
  repo.deleteAll(executor, { tenantId: user.tenantId, userId: user.id });

const noSuchPasskey = () => notFound("There is no such passkey.");

/** @throws AppError 422 */
export function requireName(name: string): void {
  if (!isDisplayName(name))
    throw validationError([{ field: "name", message: "Must be 1 to 128 printable characters." }]);
}
