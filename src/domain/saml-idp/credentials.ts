import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import type { SamlSigner } from "../../protocol/saml/build/sign.ts";
import { keyRingOf, signingKeyOf } from "../keys/service.ts";

export interface SamlCredentials {
  /** What messages are signed with now. */
  readonly signer: SamlSigner;
  /** DER, of every key that they may be signed with now or next: what metadata publishes. */
  readonly published: readonly Uint8Array[];
}

/**
 * The tenant's RS256 keys with their certificates. SAML peers know no JWK set: they learn of the next key by our metadata,
 * which holds it from a day before it signs.
 */
export async function samlCredentials(deps: Deps, tenantId: Id<"tenant">): Promise<SamlCredentials> {
  const key = await signingKeyOf(deps, tenantId, "RS256");
  const { certificates } = await keyRingOf(deps, tenantId);
  const certificate = certificates.get(key.kid);
  if (!certificate) throw new Error(`signing key ${key.kid} has no certificate`);
  const others = [...certificates.values()].filter((der) => der !== certificate);
  return { signer: { privateKey: key.privateKey, certificate }, published: [certificate, ...others] };
}
