/** A server with a connection to a SAML identity provider of the test, and browsers that go there and back. */
import type { SamlConnection } from "../../src/domain/connections/service.ts";
import { findSamlConnection } from "../../src/domain/saml-sp/identity-provider.ts";
import { type ServiceProvider, serviceProviderOf } from "../../src/domain/saml-sp/entity.ts";
import type { NewConnection } from "../../src/domain/connections/administration.ts";
import type { Tenant } from "../../src/domain/tenants/service.ts";
import { createHttpBrowser, type HttpBrowser, type Visit } from "./browser.ts";
import { connect } from "./federation.ts";
import {
  type Credentials,
  partsFor,
  readSent,
  type ResponseParts,
  type Signed,
  signedResponse,
  toBase64,
} from "./saml-identity-provider.ts";
import type { TestServer } from "./server.ts";

export const idp = {
  entityId: "https://idp.example/metadata",
  ssoUrl: "https://idp.example/sso",
  sloUrl: "https://idp.example/slo",
} as const;

type Server = Pick<TestServer, "deps" | "tenant">;

/** @param changes to the connection; of its configuration, member by member */
export async function connectSaml(
  server: Server,
  { certificate }: Pick<Credentials, "certificate">,
  changes: Partial<NewConnection> & { organizationId?: string } = {},
  of: Tenant = server.tenant,
): Promise<SamlConnection> {
  const { config, ...rest } = changes;
  const { id } = await connect(
    server,
    {
      kind: "saml",
      name: "Company",
      trustEmails: "if_verified",
      attributeMapping: { email_verified: "true" },
      ...rest,
      config: {
        idp_entity_id: idp.entityId,
        sso_url: idp.ssoUrl,
        slo_url: idp.sloUrl,
        slo_binding: "redirect",
        certificates: [certificate],
        ...config,
      },
    },
    of,
  );
  const connection = await findSamlConnection(server.deps, of, id);
  if (!connection) throw new Error("no connection was made");
  return connection;
}

export const spOf = (
  server: Server,
  connection: SamlConnection,
  of: Tenant = server.tenant,
): ServiceProvider => serviceProviderOf(server.deps, of, connection);

/** A browser on its way. */
export interface Sent {
  readonly browser: HttpBrowser;
  readonly requestId: string;
  readonly relayState: string;
  readonly location: URL;
}

/** Sends a browser to the identity provider. */
export async function depart(
  server: TestServer,
  sp: ServiceProvider,
  browser: HttpBrowser = createHttpBrowser(server.url),
  query = "",
): Promise<Sent> {
  const visit = await browser.open(`${sp.loginUrl}${query}`);
  if (visit.status !== 0) throw new Error(`not sent anywhere: ${visit.status}`);
  const { id, relayState } = readSent(visit.url.href);
  return { browser, requestId: id, relayState, location: visit.url };
}

export function rightParts(
  server: TestServer,
  sp: ServiceProvider,
  changes: Partial<ResponseParts> = {},
): ResponseParts {
  const { entityId: audience, acsUrl } = sp;
  return partsFor({ now: server.clock.now(), issuer: idp.entityId, audience, acsUrl, ...changes });
}

/** Brings a response back, as another site's form. @returns where the browser comes to in the end */
export function bring(
  sp: Pick<ServiceProvider, "acsUrl">,
  { browser, relayState }: { browser: HttpBrowser; relayState: string | undefined },
  xml: string,
): Promise<Visit> {
  return browser.postFromElsewhere(sp.acsUrl, {
    SAMLResponse: toBase64(xml),
    ...(relayState === undefined ? {} : { RelayState: relayState }),
  });
}

/** There and back. */
export async function travel(
  server: TestServer,
  connection: SamlConnection,
  credentials: Credentials,
  changes: Partial<ResponseParts> & { signed?: Signed; browser?: HttpBrowser } = {},
): Promise<Sent & { visit: Visit; parts: ResponseParts }> {
  const { signed = "both", browser, ...says } = changes;
  const sp = spOf(server, connection);
  const sent = await depart(server, sp, browser);
  const parts = rightParts(server, sp, { inResponseTo: sent.requestId, ...says });
  const visit = await bring(sp, sent, signedResponse(parts, signed, credentials));
  return { ...sent, visit, parts };
}

export const isSignedIn = ({ cookies }: HttpBrowser): boolean =>
  [...cookies.keys()].some((name) => name.startsWith("__Host-gw_session"));
