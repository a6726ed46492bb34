/** AuthnRequests as they arrive: decoded, verified and checked, before anybody is asked anything. */
import type { Deps } from "../../deps.ts";
import { acceptableClasses } from "../../protocol/saml/idp/authn-context.ts";
import {
  type AuthnRefusal,
  type AuthnRequest,
  defaultAcs,
  readAuthnRequest,
  refuseRequest,
} from "../../protocol/saml/idp/authn-request.ts";
import { SamlError } from "../../protocol/saml/errors.ts";
import { nameIdFormats } from "../../protocol/saml/names.ts";
import { readPost } from "../../protocol/saml/post.ts";
import { readRedirect, verifyRedirect } from "../../protocol/saml/redirect.ts";
import { isSigned, refuseMisplacedSignatures, verifySigned } from "../../protocol/saml/signature.ts";
import { parseXml } from "../../protocol/saml/xml.ts";
import type { Tenant } from "../tenants/service.ts";
import { clocksOf, identityProviderOf, signaturePolicyOf } from "./entity.ts";
import type { SamlInteraction } from "./interaction.ts";
import type { SamlClient } from "./model.ts";

/** A request that was accepted, and what can be said against it right away. */
export interface BegunSaml {
  readonly interaction: SamlInteraction;
  readonly refusal: AuthnRefusal | undefined;
}

/**
 * By the redirect binding (SAML Bindings §3.4).
 * @param query as it came: a signature is over the very characters
 * @throws SamlError
 */
export function beginByRedirect(deps: Deps, tenant: Tenant, client: SamlClient, query: string): BegunSaml {
  const message = readRedirect(query);
  if (message.parameter !== "SAMLRequest") throw new SamlError("unexpected_message", "a response");
  const signed = message.signature !== undefined && hasCertificates(client);
  if (signed) verifyRedirect(message, signaturePolicyOf(client));
  else requireNoSignature(client);
  const root = parseXml(message.text);
  // §3.4.4.1: the address is what is signed.
  refuseMisplacedSignatures(root, []);
  return begin(deps, tenant, client, { root, signed, relayState: message.relayState });
}

/**
 * By the POST binding (SAML Bindings §3.5).
 * @param fields of the form
 * @throws SamlError
 */
export function beginByPost(
  deps: Deps,
  tenant: Tenant,
  client: SamlClient,
  fields: URLSearchParams,
): BegunSaml {
  const message = readPost(fields);
  if (message.parameter !== "SAMLRequest") throw new SamlError("unexpected_message", "a response");
  const root = parseXml(message.text);
  refuseMisplacedSignatures(root, [root]);
  const signed = isSigned(root) && hasCertificates(client);
  if (!signed) requireNoSignature(client);
  const verified = signed ? verifySigned(root, signaturePolicyOf(client)) : root;
  return begin(deps, tenant, client, { root: verified, signed, relayState: message.relayState });
}

const hasCertificates = (client: SamlClient) => client.signingCertificates.length > 0;

function requireNoSignature(client: SamlClient): void {
  if (client.requireSignedRequests)
    throw new SamlError("unsigned", "a request that has to be signed and is not");
}

function begin(
  deps: Deps,
  tenant: Tenant,
  client: SamlClient,
  { root, signed, relayState }: { root: Element; signed: boolean; relayState: string | undefined },
): BegunSaml {
  const { ssoUrl } = identityProviderOf(deps, tenant, client);
  const clocks = clocksOf(deps);
  const request = readAuthnRequest(root, client, { ...clocks, signed, destination: ssoUrl });
  const contextClasses = acceptableClasses(request.context);
  return {
    interaction: {
      clientId: client.id,
      inResponseTo: request.id,
      acsUrl: request.acsUrl,
      relayState,
      forceAuthn: request.forceAuthn,
      isPassive: request.isPassive,
      contextClasses: contextClasses ?? [],
      subject: subjectOf(request),
      requestedAt: clocks.now,
    },
    refusal: refuseRequest(request, client) ?? (contextClasses ? undefined : "NoAuthnContext"),
  };
}

/** A transient name is of a session that is over: whoever asks for one again cannot mean it. */
const subjectOf = ({ subject }: AuthnRequest) =>
  subject?.format === nameIdFormats.transient ? undefined : subject?.value;

/** A sign-in that begins here (SAML Profiles §4.1.5). What it brings along is the administrator's, not whoever made the link's. */
export function beginLaunch(deps: Deps, client: SamlClient): SamlInteraction {
  const acs = defaultAcs(client.acsUrls);
  if (!acs) throw new Error("an application without an assertion consumer service");
  return {
    clientId: client.id,
    acsUrl: acs.url,
    relayState: client.defaultRelayState ?? undefined,
    forceAuthn: false,
    isPassive: false,
    contextClasses: [],
    requestedAt: deps.clock.now(),
  };
}
