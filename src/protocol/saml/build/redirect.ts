/** The HTTP-Redirect binding, as we send it (SAML Bindings §3.4.4). */
import { sign } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { RSA_SHA256, type SamlSigner } from "./sign.ts";
import type { Xml } from "./xml.ts";

/**
 * The address that carries a message to a peer. The signature is over the query as it is written here, in the order that
 * §3.4.4.1 gives: whoever verifies it takes the octets that came.
 * @param endpoint may have a query of its own, which stays
 * @param options `signer` undefined: unsigned
 */
export function redirectUrl(
  endpoint: string,
  parameter: "SAMLRequest" | "SAMLResponse",
  message: Xml,
  options: { readonly relayState?: string | undefined; readonly signer: SamlSigner | undefined },
): string {
  const { relayState, signer } = options;
  const deflated = deflateRawSync(message.xml).toString("base64");
  const parts = [
    `${parameter}=${encodeURIComponent(deflated)}`,
    ...(relayState === undefined ? [] : [`RelayState=${encodeURIComponent(relayState)}`]),
  ];
  if (signer) {
    parts.push(`SigAlg=${encodeURIComponent(RSA_SHA256)}`);
    const signature = sign("sha256", Buffer.from(parts.join("&")), signer.privateKey).toString("base64");
    parts.push(`Signature=${encodeURIComponent(signature)}`);
  }
  return `${endpoint}${endpoint.includes("?") ? "&" : "?"}${parts.join("&")}`;
}
