import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { sha256 } from "../../lib/crypto.ts";
import { idpMetadata } from "../../protocol/saml/build/metadata.ts";
import { signDocument } from "../../protocol/saml/build/sign.ts";
import type { Tenant } from "../tenants/service.ts";
import { samlCredentials } from "./credentials.ts";
import { identityProviderOf } from "./entity.ts";
import type { SamlClient } from "./model.ts";

export interface MetadataDocument {
  readonly body: string;
  readonly etag: string;
}

/** How long it may be kept: a key is published that long before it signs. */
export const METADATA_SECONDS = 86_400;

const KEPT_SECONDS = 3600;

const cacheOf = (deps: Deps) =>
  deps.caches.named<MetadataDocument>("saml-idp-metadata", ["saml_clients", "signing_keys"], 1000);

/** What an application is to know of us (SAML Metadata §2.4.3), signed. Made anew each hour, so that it never grows old. */
export async function idpMetadataOf(
  deps: Deps,
  tenant: Tenant,
  client: SamlClient,
): Promise<MetadataDocument> {
  const hour = Math.floor(deps.clock.now().getTime() / (KEPT_SECONDS * 1000));
  const provider = identityProviderOf(deps, tenant, client);
  const made = await cacheOf(deps).get(tenant.id, `${client.id}/${provider.entityId}/${hour}`, async () => {
    const { signer, published } = await samlCredentials(deps, tenant.id);
    const description = {
      entityId: provider.entityId,
      validUntil: addSeconds(new Date(hour * KEPT_SECONDS * 1000), METADATA_SECONDS),
      certificates: published,
      wantAuthnRequestsSigned: client.requireSignedRequests,
      ssoUrl: provider.ssoUrl,
      sloUrl: provider.sloUrl,
      nameIdFormat: client.nameIdFormat,
    };
    const id = `_${sha256(JSON.stringify(description)).toString("hex").slice(0, 40)}`;
    const { xml } = signDocument(idpMetadata({ id, ...description }), signer);
    return { body: xml, etag: `"${sha256(xml).toString("base64url").slice(0, 22)}"` };
  });
  if (!made) throw new Error("no metadata was made");
  return made;
}
