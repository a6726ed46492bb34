/**
 * An application that people sign in to by SAML: `@node-saml/node-saml`, unmodified. It goes by the real time, and so does a
 * server that it is to talk to: `realTime`.
 */
import { verify } from "node:crypto";
import { type Profile, SAML, type SamlConfig, ValidateInResponseTo } from "@node-saml/node-saml";
import { identityProviderOf } from "../../src/domain/saml-idp/entity.ts";
import {
  createSamlClient,
  type SamlClient,
  type SamlClientRequest,
} from "../../src/domain/saml-idp/service.ts";
import { samlCredentials } from "../../src/domain/saml-idp/credentials.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import type { Tenant } from "../../src/domain/tenants/service.ts";
import { pemCertificate } from "../../src/protocol/saml/build/sign.ts";
import type { HttpBrowser, Visit } from "./browser.ts";
import type { TestClock } from "./clock.ts";
import { type Credentials, NAMESPACES, newCredentials, newId } from "./saml-identity-provider.ts";
import type { TestServer } from "./server.ts";

/** It looks for the hash by a name that Node lists and Bun does not; all else of it is as it comes. */
class ServiceProviderLibrary extends SAML {
  protected override validateSignatureForRedirect(
    octets: Parameters<typeof verify>[1],
    signature: string,
    algorithm: string,
    certificate: string,
  ): boolean {
    if (algorithm !== "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256") return false;
    return verify("sha256", Buffer.from(String(octets)), certificate, Buffer.from(signature, "base64"));
  }
}

/** For tests in which somebody takes part who knows no other. */
export const realTime: TestClock = {
  now: () => new Date(),
  advance() {
    throw new Error("the real time cannot be turned");
  },
};

export interface ServiceProvider {
  readonly client: SamlClient;
  readonly saml: SAML;
  readonly credentials: Credentials;
  readonly entityId: string;
  readonly acsUrl: string;
  readonly sloUrl: string;
  /** Takes the response that a page of ours has the browser post. */
  take(page: Visit): Promise<{ profile: Profile; relayState: string | undefined; xml: string }>;
}

let made = 0;

/** @param at where the application is; nothing listens there, unless the test does */
export async function registerServiceProvider(
  server: Pick<TestServer, "deps" | "tenant">,
  input: Partial<SamlClientRequest> = {},
  options: { saml?: Partial<SamlConfig>; tenant?: Tenant; at?: string } = {},
): Promise<ServiceProvider> {
  const { deps } = server;
  const tenant = options.tenant ?? server.tenant;
  const at = options.at ?? `https://app-${(made += 1)}.example`;
  const [entityId, acsUrl, sloUrl] = [`${at}/metadata`, `${at}/acs`, `${at}/slo`];
  const credentials = await newCredentials("sp");
  const client = await createSamlClient(
    deps,
    tenant.id,
    {
      name: "Expenses",
      entity_id: entityId,
      acs_urls: [{ url: acsUrl }],
      slo_url: sloUrl,
      signing_certificates: [credentials.certificate],
      encryption_certificate: credentials.certificate,
      ...input,
    },
    { actor: { type: "system" }, context: systemContext },
  );
  const provider = identityProviderOf(deps, tenant, client);
  const { signer } = await samlCredentials(deps, tenant.id);
  const privateKey = String(credentials.privateKey.export({ format: "pem", type: "pkcs8" }));
  const saml = new ServiceProviderLibrary({
    entryPoint: provider.ssoUrl,
    logoutUrl: provider.sloUrl,
    logoutCallbackUrl: sloUrl,
    callbackUrl: acsUrl,
    issuer: entityId,
    audience: entityId,
    idpIssuer: provider.entityId,
    idpCert: pemCertificate(signer.certificate),
    privateKey,
    decryptionPvk: privateKey,
    publicCert: credentials.certificate,
    signatureAlgorithm: "sha256",
    digestAlgorithm: "sha256",
    identifierFormat: null,
    disableRequestedAuthnContext: true,
    wantAssertionsSigned: client.signAssertion,
    wantAuthnResponseSigned: client.signResponse,
    validateInResponseTo: ValidateInResponseTo.always,
    // A machine under load may take its time between the two.
    acceptedClockSkewMs: 10 * 60_000,
    ...options.saml,
  });
  return {
    client,
    saml,
    credentials,
    entityId,
    acsUrl,
    sloUrl,
    async take(page) {
      const { action, fields } = postedForm(page);
      if (action !== acsUrl) throw new Error(`the response goes to ${action}`);
      const { profile } = await saml.validatePostResponseAsync({ ...fields });
      if (!profile) throw new Error("a response about nobody");
      const xml = Buffer.from(fields["SAMLResponse"] ?? "", "base64").toString();
      return { profile, relayState: fields["RelayState"], xml };
    },
  };
}

/** The form that posts itself to the application. */
export function postedForm(page: Visit) {
  const [form, ...others] = page.forms;
  if (!form || others.length > 0 || !/^https?:/.test(form.action))
    throw new Error(`${page.url.pathname} (${page.status}) is no page that posts itself elsewhere`);
  return form;
}

/** What the response says without an assertion. */
export function statusOf(page: Visit): string[] {
  const xml = Buffer.from(postedForm(page).fields["SAMLResponse"] ?? "", "base64").toString();
  return [...xml.matchAll(/<samlp:StatusCode Value="[^"]*:([A-Za-z]+)"/g)].map(([, code = ""]) => code);
}

/** Begins a sign-in there as its users do: by the redirect binding. */
export async function beginAt(sp: ServiceProvider, browser: HttpBrowser, relayState = ""): Promise<Visit> {
  return browser.open(await sp.saml.getAuthorizeUrlAsync(relayState, undefined, {}));
}

/** What an AuthnRequest says. All of it can be wrong. */
export interface RequestParts {
  readonly now: Date;
  readonly id: string;
  readonly issuer: string;
  readonly destination: string | undefined;
  /** Further attributes of the request, as they are written. */
  readonly attributes: string;
  /** Further elements, after the Issuer. */
  readonly content: string;
}

export function authnRequestXml(parts: RequestParts): string {
  const destination = parts.destination === undefined ? "" : ` Destination="${parts.destination}"`;
  return `<samlp:AuthnRequest ${NAMESPACES} ID="${parts.id}" Version="2.0" IssueInstant="${parts.now.toISOString()}"${destination}${parts.attributes}><saml:Issuer>${parts.issuer}</saml:Issuer>${parts.content}</samlp:AuthnRequest>`;
}

/** A sound request of this service provider, at this time, by our own hand. */
export const requestOf = (
  sp: ServiceProvider,
  now: Date,
  changes: Partial<RequestParts> = {},
): RequestParts => ({
  now,
  id: newId(),
  issuer: sp.entityId,
  destination: sp.saml.options.entryPoint,
  attributes: "",
  content: "",
  ...changes,
});
