/** Proving possession of a passkey: as a second factor, to step up, or to sign in with nothing else. */
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import {
  type Assertion,
  amrOfAssertion,
  authenticationOptions,
  type AuthenticationResponseJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  verifyAssertion,
} from "../../protocol/webauthn/authentication.ts";
import { WebAuthnProblem } from "../../protocol/webauthn/client-data.ts";
import * as audit from "../audit/service.ts";
import type { FactorProver, ProvenFactor } from "../mfa/second-factor.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import { consumeCeremony, openCeremony, relyingParty } from "./ceremonies.ts";
import * as repo from "./repo.ts";

export type { AuthenticationResponseJSON, PublicKeyCredentialRequestOptionsJSON };

/** What an assertion is good for: a response to one challenge is no answer to another. */
export type AssertionPurpose = "sign_in" | Id<"challenge"> | Id<"session">;

/**
 * Begins an assertion: what a browser's `navigator.credentials.get` is given.
 * @param user undefined for a sign-in without a name, by whatever passkey the authenticator finds
 */
export async function beginAssertion(
  deps: Deps,
  tenant: Tenant,
  user: User | undefined,
  purpose: AssertionPurpose,
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const challenge = await openCeremony(deps, tenant, {
    kind: "passkey_assertion",
    userId: user?.id ?? null,
    data: { purpose },
  });
  const { webauthn_user_verification: policy } = tenant.settings;
  return authenticationOptions({
    relyingParty: relyingParty(deps, tenant),
    challenge,
    // Alone it should be two factors.
    userVerification: user === undefined && policy === "discouraged" ? "preferred" : policy,
    allowed: user ? await repo.listByOwner(deps.db, { tenantId: user.tenantId, userId: user.id }) : [],
  });
}

/** A passkey that somebody holds. */
export interface ProvenPasskey {
  readonly passkey: repo.Passkey;
  readonly assertion: Assertion;
}

/** Why an assertion was not accepted. `owner`: whose passkey it would have been. */
export class AssertionRefused extends Error {
  override readonly name = "AssertionRefused";

  constructor(
    readonly reason: string,
    options: { cause?: unknown } = {},
  ) {
    super(reason, options);
  }
}

/** The stored passkey that a response speaks of; its word is not yet proved. */
export async function findClaimedPasskey(
  deps: Deps,
  tenant: Tenant,
  response: AuthenticationResponseJSON,
): Promise<repo.Passkey | undefined> {
  return repo.findByCredentialId(deps.db, tenant.id, Buffer.from(response.id, "base64url"));
}

/**
 * Verifies a response for one purpose; its challenge is used up by it, whatever comes of it.
 * @throws AssertionRefused
 */
export async function checkAssertion(
  deps: Deps,
  tenant: Tenant,
  passkey: repo.Passkey | undefined,
  response: AuthenticationResponseJSON,
  expected: { purpose: AssertionPurpose; userId: Id<"user"> | undefined },
): Promise<ProvenPasskey> {
  const ceremony = await consumeCeremony(deps, tenant, "passkey_assertion", response.response.clientDataJSON);
  if (!ceremony || ceremony.challenge.data["purpose"] !== expected.purpose)
    throw new AssertionRefused("challenge");
  if (!passkey) throw new AssertionRefused("unknown_credential");
  if (expected.userId !== undefined && passkey.userId !== expected.userId)
    throw new AssertionRefused("credential_of_another_user");
  try {
    const assertion = await verifyAssertion(
      response,
      { ...passkey, userHandle: passkey.userId },
      {
        relyingParty: relyingParty(deps, tenant),
        challenge: ceremony.token,
        userVerification: tenant.settings.webauthn_user_verification,
        userHandleRequired: expected.userId === undefined,
      },
    );
    return { passkey, assertion };
  } catch (cause) {
    if (cause instanceof WebAuthnProblem) throw new AssertionRefused("not_verified", { cause });
    throw cause;
  }
}

/** A passkey that was proved, as a factor that is used up by its counter. */
export function provenPasskey(
  deps: Deps,
  { passkey, assertion }: ProvenPasskey,
  context: RequestContext,
): ProvenFactor {
  const { id, tenantId, userId, backupEligible } = passkey;
  const { signCount, backedUp, userVerified } = assertion;
  return {
    method: "webauthn",
    amr: amrOfAssertion({ userVerified, backupEligible }),
    redeem: (executor) =>
      repo.noteUse(executor, { tenantId, userId }, { id, signCount, backedUp, now: deps.clock.now() }),
    lost: () =>
      audit.record(deps.db, {
        tenantId,
        type: "mfa.counter_regressed",
        actor: { type: "anonymous" },
        target: { type: "passkey", id },
        details: { user_id: userId, stored: passkey.signCount, received: signCount },
        context,
        now: deps.clock.now(),
      }),
  };
}

/** A passkey as the answer to a request for a second factor of this user. */
export function passkeyProver(
  response: AuthenticationResponseJSON,
  purpose: AssertionPurpose,
  context: RequestContext,
): FactorProver {
  return {
    method: "webauthn",
    async prove(deps, tenant, user) {
      const claimed = await findClaimedPasskey(deps, tenant, response);
      try {
        const proven = await checkAssertion(deps, tenant, claimed, response, { purpose, userId: user.id });
        return provenPasskey(deps, proven, context);
      } catch (error) {
        if (error instanceof AssertionRefused) return undefined;
        throw error;
      }
    },
  };
}
