/** What both WebAuthn ceremonies share: whose site this is, and challenges that only this server makes. */
import type { Deps } from "../../deps.ts";
import { AppError } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import { readClientData } from "../../protocol/webauthn/client-data.ts";
import { type RelyingParty, relyingPartyOf } from "../../protocol/webauthn/relying-party.ts";
import { type Challenge, consumeOneChallenge, openChallenge } from "../challenges/service.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";

export type Ceremony = "passkey_registration" | "passkey_assertion" | "passkey_sign_up";

/** The site is where the tenant is configured to be, whatever host a request came to. */
export function relyingParty(deps: Deps, tenant: Tenant): RelyingParty {
  return relyingPartyOf(issuerOf(tenant, deps.config.publicUrl));
}

/** @returns the challenge that an authenticator is to sign: a token, of which only the digest is stored */
export async function openCeremony(
  deps: Deps,
  tenant: Tenant,
  ceremony: { kind: Ceremony; userId: Id<"user"> | null; data: Record<string, unknown> },
): Promise<string> {
  const { token } = await openChallenge(deps.db, {
    tenantId: tenant.id,
    ...ceremony,
    now: deps.clock.now(),
  });
  return token;
}

/**
 * The challenge that a response was made for, used up by this. It is found by what the authenticator signed: a response to
 * a challenge that its sender made up leads to none.
 */
export async function consumeCeremony(
  deps: Deps,
  tenant: Tenant,
  kind: Ceremony,
  clientDataJson: string,
): Promise<{ token: string; challenge: Challenge } | undefined> {
  const token = readClientData(clientDataJson)?.challenge;
  if (token === undefined) return undefined;
  const challenge = await consumeOneChallenge(deps.db, tenant.id, kind, token, deps.clock.now());
  return challenge && { token, challenge };
}

/** One answer for every registration that cannot be accepted. */
export const invalidRegistration = (cause?: unknown) =>
  new AppError(400, "invalid_credential", "This passkey could not be registered. Please try again.", {
    cause,
  });
