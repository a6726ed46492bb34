/** An AuthnRequest while the sign-in's pages are shown: sealed, and carried by the browser, as OAuth's requests are. */
import type { Deps } from "../../deps.ts";
import { openText, sealText } from "../../lib/master-keys.ts";
import type { Id } from "../../lib/ids.ts";
import type { Tenant } from "../tenants/service.ts";
import { findSamlClient, type SamlClient } from "./service.ts";

/** What is left of an AuthnRequest after it was checked. */
export interface SamlInteraction {
  readonly clientId: Id<"samlClient">;
  /** The ID of the AuthnRequest; undefined where we began (SAML Profiles §4.1.5). */
  readonly inResponseTo?: string | undefined;
  /** One of the registered ones, as it was chosen when the request was checked. */
  readonly acsUrl: string;
  readonly relayState?: string | undefined;
  readonly forceAuthn: boolean;
  readonly isPassive: boolean;
  /** The authentication context classes that would do, in order of preference; an empty list where each does. */
  readonly contextClasses: readonly string[];
  /** The NameID that the answer has to be about (SAML Core §3.4.1.4). */
  readonly subject?: string | undefined;
  /** When the request first arrived. A sign-in since then is what ForceAuthn asks for. */
  readonly requestedAt: Date;
}

/** As for OAuth's: long enough to register, find the mail and come back. */
export const INTERACTION_SECONDS = 2 * 60 * 60;

/** Tells a SAML interaction from an OAuth one before it is opened. Both are sealed for contexts of their own, besides. */
const PREFIX = "saml.";

export const isSamlInteraction = (sealed: string) => sealed.startsWith(PREFIX);

const contextOf = (tenantId: Id<"tenant">) => `saml-interaction/${tenantId}`;

export function sealSamlInteraction(deps: Deps, tenant: Tenant, interaction: SamlInteraction): string {
  const plaintext = JSON.stringify({ ...interaction, requestedAt: interaction.requestedAt.getTime() });
  return PREFIX + sealText(deps.secrets.interactions, plaintext, contextOf(tenant.id));
}

/**
 * @returns undefined when it is another tenant's, too old or not ours, or when its application is gone or answers elsewhere
 *   by now
 */
export async function readSamlInteraction(
  deps: Deps,
  tenant: Tenant,
  sealed: string,
): Promise<{ interaction: SamlInteraction; client: SamlClient } | undefined> {
  const plaintext = openText(deps.secrets.interactions, sealed.slice(PREFIX.length), contextOf(tenant.id));
  if (!plaintext) return undefined;
  const { requestedAt, ...rest }: Omit<SamlInteraction, "requestedAt"> & { requestedAt: number } =
    JSON.parse(plaintext);
  if (deps.clock.now().getTime() - requestedAt > INTERACTION_SECONDS * 1000) return undefined;
  const client = await findSamlClient(deps, tenant.id, rest.clientId);
  if (!client?.acsUrls.some(({ url }) => url === rest.acsUrl)) return undefined;
  return { interaction: { ...rest, requestedAt: new Date(requestedAt) }, client };
}
