import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import { auditEvents } from "../../../src/db/schema/index.ts";
import type { SamlConnection } from "../../../src/domain/connections/service.ts";
import { findSamlConnection } from "../../../src/domain/saml-sp/identity-provider.ts";
import { refreshSamlMetadata } from "../../../src/domain/saml-sp/metadata.ts";
import { taskKinds } from "../../../src/domain/tasks/catalogue.ts";
import { OutboundError } from "../../../src/outbound/errors.ts";
import { connectSaml, idp, travel } from "../../support/saml-connection.ts";
import { type Credentials, newCredentials } from "../../support/saml-identity-provider.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
let before: Credentials;
let after: Credentials;
let document: string;
let status: number;
const metadataUrl = "https://idp.example/metadata";

beforeAll(async () => {
  server = await startTestServer({
    outbound: {
      async request(url) {
        if (url !== metadataUrl) throw new OutboundError("unreachable", "no such host");
        return { status, headers: {}, body: new TextEncoder().encode(document) };
      },
    },
  });
  [before, after] = await Promise.all([newCredentials("before"), newCredentials("after")]);
});
beforeEach(() => {
  status = 200;
});
afterAll(() => server?.stop());

const key = ({ certificate }: Credentials, use = ' use="signing"') =>
  `<md:KeyDescriptor${use}><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>${certificate.replaceAll(/-----[^-]+-----|\s/g, "")}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`;
const metadata = (keys: string, { attributes = "", entityId = idp.entityId as string } = {}) =>
  `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entityId}"${attributes}><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">${keys}<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${idp.ssoUrl}"/></md:IDPSSODescriptor></md:EntityDescriptor>`;

const refresh = () => refreshSamlMetadata(server.deps, server.clock.now());
const now = async ({ id }: SamlConnection) => findSamlConnection(server.deps, server.tenant, id);

async function connected(): Promise<SamlConnection> {
  const connection = await connectSaml(server, before, { config: { metadata_url: metadataUrl } });
  return connection;
}
const say = (name: string) => ({ nameId: name, attributes: { email: [`${name}@example.com`] } });

describe("the metadata of an identity provider (SAML Metadata §2.4.3)", () => {
  it("is read by a schedule", () => {
    expect(taskKinds.some(({ kind, builtIn }) => kind === "saml_metadata_refresh" && builtIn)).toBe(true);
  });

  it("teaches the next certificate before it signs, and forgets a former one", async () => {
    const connection = await connected();
    document = metadata(key(before) + key(after));
    expect((await refresh()).changed).toBeGreaterThan(0);
    for (const credentials of [before, after]) {
      const { visit } = await travel(server, connection, credentials, say("rolling"));
      expect(visit.url.pathname).toBe("/account");
    }
    document = metadata(key(after));
    await refresh();
    expect((await travel(server, connection, before, say("rolling"))).visit.status).toBe(400);
    expect((await travel(server, connection, after, say("rolling"))).visit.status).toBe(200);
    const events = await server.deps.db
      .select()
      .from(auditEvents)
      .where(and(eq(auditEvents.type, "connection.updated"), eq(auditEvents.targetId, connection.id)));
    expect(events.map(({ details }) => details)).toEqual([
      { reason: "metadata", certificates: 2 },
      { reason: "metadata", certificates: 1 },
    ]);
    expect((await refresh()).changed).toBe(0);
  });

  it("takes keys without a use, and leaves those for encryption aside", async () => {
    const connection = await connected();
    document = metadata(key(after, "") + key(before, ' use="encryption"'));
    await refresh();
    expect((await now(connection))?.config.certificates).toHaveLength(1);
    expect((await travel(server, connection, after, say("useless"))).visit.status).toBe(200);
  });

  it.each([
    ["another entity's", () => metadata(key(after), { entityId: "https://other.example" })],
    ["over", () => metadata(key(after), { attributes: ' validUntil="2020-01-01T00:00:00Z"' })],
    ["without a certificate", () => metadata("")],
    ["with one that is none", () => metadata(key({ ...after, certificate: "AAAA" }))],
    ["with entities", () => `<!DOCTYPE x [<!ENTITY a "b">]>${metadata(key(after))}`],
    ["no metadata", () => "<html></html>"],
    ["enormous", () => metadata(key(after)) + " ".repeat(1024 * 1024)],
  ])("is not believed when it is %s: what was known stays", async (_, of) => {
    const connection = await connected();
    document = of();
    expect((await refresh()).failed).toBeGreaterThan(0);
    expect((await now(connection))?.config.certificates).toEqual(connection.config.certificates);
  });

  it("is not believed with another status, and hinders no other connection's", async () => {
    await connectSaml(server, before, { config: { metadata_url: "https://gone.example/metadata" } });
    const connection = await connected();
    document = metadata(key(after));
    status = 500;
    await refresh();
    expect((await now(connection))?.config.certificates).toEqual(connection.config.certificates);
    status = 200;
    const counts = await refresh();
    expect(counts.failed).toBe(1);
    expect(counts.changed).toBeGreaterThan(0);
  });

  it("holds as long as it says, and no longer", async () => {
    const connection = await connected();
    const until = new Date(server.clock.now().getTime() + 3_600_000).toISOString();
    document = metadata(key(before), { attributes: ` validUntil="${until}"` });
    await refresh();
    expect((await travel(server, connection, before, say("until"))).visit.status).toBe(200);
    server.clock.advance(3600);
    expect((await travel(server, connection, before, say("until"))).visit.status).toBe(400);
    document = metadata(key(before));
    await refresh();
    expect((await travel(server, connection, before, say("until"))).visit.status).toBe(200);
  });
});
