import type { Deps } from "../../deps.ts";
import { redirectUrl } from "../../protocol/saml/build/redirect.ts";
import { signDocument } from "../../protocol/saml/build/sign.ts";
import type { Xml } from "../../protocol/saml/build/xml.ts";
import type { Binding } from "../../protocol/saml/names.ts";
import type { MessageParameter } from "../../protocol/saml/redirect.ts";
import { samlCredentials } from "../saml-idp/credentials.ts";
import type { Tenant } from "../tenants/service.ts";

/** A message of ours, as the browser is to carry it: by an address, or by a form. */
export type OutgoingMessage =
  | { readonly kind: "redirect"; readonly location: string }
  | { readonly kind: "post"; readonly action: string; readonly fields: Readonly<Record<string, string>> };

/** Signed by the tenant's RS256 key, unless the identity provider wants it otherwise. */
export async function send(
  deps: Deps,
  tenant: Tenant,
  message: {
    readonly endpoint: string;
    readonly binding: Binding;
    readonly parameter: MessageParameter;
    readonly xml: Xml;
    readonly relayState: string | undefined;
    readonly signed: boolean;
  },
): Promise<OutgoingMessage> {
  const { endpoint, binding, parameter, xml, relayState, signed } = message;
  const signer = signed ? (await samlCredentials(deps, tenant.id)).signer : undefined;
  if (binding === "redirect")
    return { kind: "redirect", location: redirectUrl(endpoint, parameter, xml, { relayState, signer }) };
  const document = signer ? signDocument(xml, signer, { after: "Issuer" }) : xml;
  const encoded = Buffer.from(document.xml).toString("base64");
  const fields = { [parameter]: encoded, ...(relayState === undefined ? {} : { RelayState: relayState }) };
  return { kind: "post", action: endpoint, fields };
}
