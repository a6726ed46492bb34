/**
 * An authorization request while its pages are shown: sealed, and carried by the browser. Nothing is stored for a
 * person who has not signed in yet, several tabs do not get into each other's way, and what the browser carries it can
 * neither read nor change.
 */
import type { Deps } from "../../deps.ts";
import { seal, unseal } from "../../lib/crypto.ts";
import type { Id } from "../../lib/ids.ts";
import type { Tenant } from "../tenants/service.ts";

export interface Interaction {
  /** The request's parameters as they came. */
  readonly search: string;
  /** When the request first arrived. A sign-in since then is what prompt=login asks for. */
  readonly requestedAt: Date;
}

/** Long enough to register, find the mail and come back; short enough that a copied URL is soon worth nothing. */
const LIFETIME_SECONDS = 2 * 60 * 60;

export function sealInteraction(deps: Deps, tenant: Tenant, interaction: Interaction): string {
  const plaintext = JSON.stringify([interaction.requestedAt.getTime(), interaction.search]);
  return seal(deps.secrets.interactions, plaintext, contextOf(tenant.id)).toString("base64url");
}

/** @returns undefined when it is another tenant's, too old, or not ours */
export function openInteraction(
  deps: Deps,
  tenant: Tenant,
  sealed: string | undefined,
): Interaction | undefined {
  if (!sealed) return undefined;
  const plaintext = unseal(deps.secrets.interactions, Buffer.from(sealed, "base64url"), contextOf(tenant.id));
  if (!plaintext) return undefined;
  const [requestedAt, search]: [number, string] = JSON.parse(plaintext.toString());
  const age = deps.clock.now().getTime() - requestedAt;
  return age <= LIFETIME_SECONDS * 1000 ? { search, requestedAt: new Date(requestedAt) } : undefined;
}

const contextOf = (tenantId: Id<"tenant">) => `interaction/${tenantId}`;
