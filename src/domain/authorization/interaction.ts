/**
 * An authorization request while its pages are shown: sealed, and carried by the browser. Nothing is stored for a
 * person who has not signed in yet, several tabs do not get into each other's way, and what the browser carries it can
 * neither read nor change.
 */
import type { Deps } from "../../deps.ts";
import { openText, sealText } from "../../lib/master-keys.ts";
import { OAuthError } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import type { RequestDelivery } from "../../protocol/oauth/authorization-request.ts";
import type { Tenant } from "../tenants/service.ts";

export interface Interaction {
  /** The request's parameters, taken out of whatever they came in. */
  readonly search: string;
  readonly delivery: RequestDelivery;
  /** What it was pushed as (RFC 9126), to be used up by its answer. */
  readonly pushedRequest?: Id<"pushedRequest"> | undefined;
  /** When the request first arrived. A sign-in since then is what prompt=login asks for. */
  readonly requestedAt: Date;
  /** The session that the person chose where prompt=select_account asked which it is to be. */
  readonly selected?: Id<"session"> | undefined;
  /** The session in which the person agreed to this request. */
  readonly agreed?: Id<"session"> | undefined;
}

/** Long enough to register, find the mail and come back; short enough that a copied URL is soon worth nothing. */
const LIFETIME_SECONDS = 2 * 60 * 60;

/** What the browser has to carry in addresses; longer ones are cut off by servers and proxies. */
const MOST_CHARACTERS = 8000;

/** @throws OAuthError invalid_request when the request is longer than a browser can carry it */
export function requireBounded(search: string): string {
  if (search.length <= MOST_CHARACTERS) return search;
  throw new OAuthError("invalid_request", "The authorization request is too long.");
}

export function sealInteraction(deps: Deps, tenant: Tenant, interaction: Interaction): string {
  const { requestedAt, ...rest } = interaction;
  const plaintext = JSON.stringify({ ...rest, requestedAt: requestedAt.getTime() });
  return sealText(deps.secrets.interactions, plaintext, contextOf(tenant.id));
}

/** @returns undefined when it is another tenant's, too old, or not ours */
export function openInteraction(
  deps: Deps,
  tenant: Tenant,
  sealed: string | undefined,
): Interaction | undefined {
  if (!sealed) return undefined;
  const plaintext = openText(deps.secrets.interactions, sealed, contextOf(tenant.id));
  if (!plaintext) return undefined;
  const { requestedAt, ...rest }: Omit<Interaction, "requestedAt"> & { requestedAt: number } =
    JSON.parse(plaintext);
  const age = deps.clock.now().getTime() - requestedAt;
  return age <= LIFETIME_SECONDS * 1000 ? { ...rest, requestedAt: new Date(requestedAt) } : undefined;
}

const contextOf = (tenantId: Id<"tenant">) => `interaction/${tenantId}`;
