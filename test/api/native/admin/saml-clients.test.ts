/** GET/POST /api/v1/admin/saml-clients, GET/PUT/DELETE …/{id}, POST …/import and …/{id}/import, and where they are exported. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { selfSignedCertificate } from "../../../../src/domain/keys/certificate.ts";
import { newId } from "../../../../src/lib/ids.ts";
import { pemCertificate } from "../../../../src/protocol/saml/build/sign.ts";
import { createOtherTenant } from "../../../attacks/support.ts";
import { newCredentials } from "../../../support/saml-identity-provider.ts";
import { registerServiceProvider } from "../../../support/saml-service-provider.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { administratorsToken, auditOf, caller, newAdministrator } from "./support.ts";

interface SamlClientBody {
  id: string;
  entity_id: string;
  [member: string]: unknown;
}
interface ErrorBody {
  error: string;
  details?: { field: string; message: string }[];
}

let server: TestServer;
let call: ReturnType<typeof caller>;
let certificate: string;
let made = 0;

beforeAll(async () => {
  server = await startTestServer();
  call = caller(server.url, await administratorsToken(server));
  ({ certificate } = await newCredentials());
});
afterAll(() => server.stop());

const sound = (changes: Record<string, unknown> = {}) => ({
  name: "Expenses",
  entity_id: `https://sp-${(made += 1)}.example/metadata`,
  acs_urls: [{ url: "https://app.example/acs" }],
  ...changes,
});

const create = async (changes: Record<string, unknown> = {}) =>
  (await call<SamlClientBody>("POST", "/saml-clients", sound(changes))).body;

describe("POST /api/v1/admin/saml-clients", () => {
  it("answers the client with what the application has to know of us, and what is not said is safe", async () => {
    const { status, body } = await call<SamlClientBody>("POST", "/saml-clients", sound());
    expect(status).toBe(201);
    expect(body.id).toStartWith("saml_");
    const base = `${server.url}/saml/${body.id}`;
    expect(body).toMatchObject({
      acs_urls: [{ url: "https://app.example/acs", index: 0, is_default: true }],
      name_id_format: "persistent",
      sign_response: true,
      sign_assertion: true,
      encrypt_assertion: false,
      require_signed_requests: false,
      allow_idp_initiated: false,
      identity_provider: {
        entity_id: `${base}/metadata`,
        sso_url: `${base}/sso`,
        slo_url: `${base}/slo`,
        launch_url: `${base}/launch`,
      },
    });
    expect(await auditOf(server, body.id)).toMatchObject([{ type: "saml_client.created" }]);
  });

  it("asks for signed requests of whoever has a certificate", async () => {
    expect(await create({ signing_certificates: [certificate] })).toMatchObject({
      require_signed_requests: true,
      signing_certificates: [certificate],
    });
  });

  it("takes each entityID once", async () => {
    const { entity_id } = await create();
    const again = await call<ErrorBody>("POST", "/saml-clients", sound({ entity_id }));
    expect([again.status, again.body.error]).toEqual([409, "conflict"]);
  });

  it.each([
    ["name", { name: "  " }],
    ["entity_id", { entity_id: "not an id" }],
    ["acs_urls.0.url", { acs_urls: [{ url: "http://app.example/acs" }] }],
    ["acs_urls.0.url", { acs_urls: [{ url: "javascript:alert(1)" }] }],
    ["acs_urls", { acs_urls: [{ url: "https://a.example/" }, { url: "https://a.example/" }] }],
    [
      "acs_urls",
      {
        acs_urls: [
          { url: "https://a.example/", index: 1 },
          { url: "https://b.example/", index: 1 },
        ],
      },
    ],
    ["slo_url", { slo_url: "https://app.example/slo" }],
    ["name_id_template", { name_id_template: "{{ user.id }}" }],
    ["name_id_template", { name_id_format: "unspecified", name_id_template: "{% include 'x' %}" }],
    ["attributes.0.value", { attributes: [{ name: "a", value: "{{ user.email | unknown }}" }] }],
    ["attributes.0.value", { attributes: [{ name: "a", value: "{% for a in (1..9) %}{% endfor %}" }] }],
    ["sign_assertion", { sign_response: false, sign_assertion: false }],
    ["encryption_certificate", { encrypt_assertion: true }],
    ["encryption_certificate", { encryption_certificate: "-----BEGIN CERTIFICATE-----" }],
    ["signing_certificates", { require_signed_requests: true }],
    ["signing_certificates.0", { signing_certificates: ["nothing"] }],
  ])("refuses what is wrong with %s", async (field, changes) => {
    const { status, body } = await call<ErrorBody>("POST", "/saml-clients", sound(changes));
    expect(status).toBe(422);
    expect(body.details?.map((detail) => detail.field)).toContain(field);
  });

  it("refuses a key that can be broken", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const der = await selfSignedCertificate({
      pkcs8: privateKey.export({ format: "der", type: "pkcs8" }),
      name: "weak",
      serial: "01",
      notBefore: new Date("2020-01-01T00:00:00Z"),
      notAfter: new Date("2040-01-01T00:00:00Z"),
    });
    const { body } = await call<ErrorBody>("POST", "/saml-clients", {
      ...sound(),
      signing_certificates: [pemCertificate(der)],
    });
    expect(body.details?.[0]?.field).toBe("signing_certificates.0");
  });
});

describe("GET, PUT and DELETE /api/v1/admin/saml-clients/{id}", () => {
  it("show, replace and remove it", async () => {
    const { id, entity_id } = await create();
    expect((await call("GET", `/saml-clients/${id}`)).body).toMatchObject({ id, enabled: true });
    const changes = sound({ entity_id, name: "Travel", enabled: false });
    expect((await call("PUT", `/saml-clients/${id}`, changes)).body).toMatchObject({ id, name: "Travel" });
    // A cache that kept the old one would still serve it.
    expect((await fetch(`${server.url}/saml/${id}/metadata`)).status).toBe(404);
    expect((await call("DELETE", `/saml-clients/${id}`)).status).toBe(204);
    expect((await call("GET", `/saml-clients/${id}`)).status).toBe(404);
    expect((await auditOf(server, id)).map(({ type }) => type)).toEqual([
      "saml_client.created",
      "saml_client.updated",
      "saml_client.deleted",
    ]);
  });

  it("lists them page by page", async () => {
    const ids = [(await create()).id, (await create()).id];
    const first = await call<{ data: SamlClientBody[]; pagination: { next_cursor: string } }>(
      "GET",
      "/saml-clients?limit=1",
    );
    const second = await call<{ data: SamlClientBody[] }>(
      "GET",
      `/saml-clients?limit=1&cursor=${first.body.pagination.next_cursor}`,
    );
    const seen = [first.body.data[0]?.id, second.body.data[0]?.id];
    expect(new Set(seen).size).toBe(2);
    expect(ids).toContain(seen[0] ?? "");
  });

  it("is another tenant's to nobody else, as one that does not exist", async () => {
    const other = await createOtherTenant(server, "hooli");
    const theirs = caller(other.base, (await newAdministrator(server, other)).token);
    const { id } = await create();
    for (const [method, path, body] of [
      ["GET", "", undefined],
      ["PUT", "", sound()],
      ["POST", "/import", { metadata: "<x/>" }],
      ["DELETE", "", undefined],
    ] as const) {
      for (const one of [id, newId("samlClient"), "client_1"])
        expect((await theirs(method, `/saml-clients/${one}${path}`, body)).status).toBe(404);
    }
    expect((await theirs<{ data: unknown[] }>("GET", "/saml-clients")).body.data).toEqual([]);
    expect((await call("GET", `/saml-clients/${id}`)).status).toBe(200);
  });
});

describe("POST …/import", () => {
  it("reads what a service provider says of itself, and what is said beside it counts more", async () => {
    const sp = await registerServiceProvider(server);
    const own = sp.saml.generateServiceProviderMetadata(
      sp.credentials.certificate,
      sp.credentials.certificate,
    );
    const metadata = `<!-- made by a vendor -->${own.replaceAll(sp.entityId, "https://imported.example")}`;
    const { status, body } = await call<SamlClientBody>("POST", "/saml-clients/import", {
      name: "Imported",
      metadata,
      name_id_format: "transient",
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      name: "Imported",
      entity_id: "https://imported.example",
      acs_urls: [{ url: sp.acsUrl }],
      slo_url: sp.sloUrl,
      name_id_format: "transient",
      signing_certificates: [sp.credentials.certificate],
      encryption_certificate: sp.credentials.certificate,
      require_signed_requests: true,
    });
  });

  it("reads it again for a client that changed its certificate, and leaves what metadata does not say", async () => {
    const sp = await registerServiceProvider(server, { allow_idp_initiated: true, name: "Mine" });
    const { certificate: next } = await newCredentials("next");
    const metadata = sp.saml.generateServiceProviderMetadata(next, next);
    const { body } = await call("POST", `/saml-clients/${sp.client.id}/import`, { metadata });
    expect(body).toMatchObject({
      name: "Mine",
      allow_idp_initiated: true,
      signing_certificates: [next],
      encryption_certificate: next,
    });
  });

  it.each([
    ["nothing", "hello"],
    [
      "an identity provider",
      '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x"/>',
    ],
    ["a DOCTYPE", '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'],
  ])("refuses %s", async (_, metadata) => {
    const { status, body } = await call<ErrorBody>("POST", "/saml-clients/import", { name: "X", metadata });
    expect(status).toBe(422);
    expect(body.details?.[0]?.field).toBe("metadata");
  });
});

describe("the configuration of a tenant", () => {
  it("holds them, and makes those that are missing elsewhere", async () => {
    const { id: there } = (await createOtherTenant(server, "copy")).tenant;
    const { entity_id } = await create({ attributes: [{ name: "mail", value: "{{ user.email }}" }] });
    const exported = await call<{ saml_clients: SamlClientBody[] }>(
      "GET",
      `/organizations/${server.tenant.id}/export`,
    );
    const described = exported.body.saml_clients.find((client) => client.entity_id === entity_id);
    expect(described).toMatchObject({ name: "Expenses", attributes: [{ name: "mail" }] });
    expect(described).not.toContainKey("id");
    const document = { version: 1, saml_clients: exported.body.saml_clients };
    interface Imported {
      saml_clients: { created: { entity_id: string }[]; skipped: string[] };
    }
    const imported = await call<Imported>("POST", `/organizations/${there}/import`, document);
    expect(imported.status).toBe(200);
    expect(imported.body.saml_clients.created.map((client) => client.entity_id)).toContain(entity_id);
    const again = await call<Imported>("POST", `/organizations/${there}/import`, document);
    expect(again.body.saml_clients).toMatchObject({ created: [] });
    expect(again.body.saml_clients.skipped).toContain(entity_id);
    const spoilt = { version: 1, saml_clients: [sound({ acs_urls: [{ url: "http://x.example" }] })] };
    const refused = await call<ErrorBody>("POST", `/organizations/${there}/import`, spoilt);
    expect(refused.body.details?.[0]?.field).toBe("saml_clients.0.acs_urls.0.url");
  });
});
