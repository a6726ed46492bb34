/** Connections in a tenant's configuration: exported without secrets, imported switched off. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { administratorsToken, caller } from "./support.ts";

let server: TestServer;
let admin: ReturnType<typeof caller>;
let counter = 0;

beforeAll(async () => {
  server = await startTestServer();
  admin = caller(server.url, await administratorsToken(server));
});
afterAll(() => server.stop());

interface Imported {
  connections: { created: { id: string; key: string }[]; skipped: string[] };
  details?: { field: string }[];
}
interface Exported {
  connections: Record<string, unknown>[];
}

const make = async () => {
  const slug = `tenant${++counter}`;
  return (await admin<{ id: string }>("POST", "/organizations", { slug, name: slug })).body.id;
};
const importInto = (id: string, document: unknown, query = "") =>
  admin<Imported>("POST", `/organizations/${id}/import${query}`, document);
const exportOf = async (id: string) => (await admin<Exported>("GET", `/organizations/${id}/export`)).body;

const document = {
  version: 1,
  roles: [{ name: "guest", description: "", permissions: [] }],
  connections: [
    {
      preset: "github",
      key: "github",
      name: "GitHub",
      default_role: "guest",
      domains: ["example.com"],
      config: { client_id: "abc" },
    },
    {
      kind: "ldap",
      key: "directory",
      trust_emails: "own_domains",
      domains: ["corp.example"],
      config: { url: "ldaps://ldap.example.com", bind_dn: "cn=r,dc=x", base_dn: "dc=x" },
    },
  ],
};

describe("connections in a configuration", () => {
  it("are made, switched off, and told again as they are", async () => {
    const [from, to] = [await make(), await make()];
    const { status, body } = await importInto(from, document);
    expect(status).toBe(200);
    expect(body.connections.created.map(({ key }) => key)).toEqual(["github", "directory"]);
    const exported = await exportOf(from);
    expect(exported.connections).toMatchObject([
      {
        preset: "github",
        kind: "oauth2",
        key: "github",
        enabled: false,
        default_role: "guest",
        domains: ["example.com"],
        config: { client_id: "abc", token_endpoint: "https://github.com/login/oauth/access_token" },
      },
      { kind: "ldap", key: "directory", trust_emails: "own_domains", enabled: false },
    ]);
    expect((await importInto(to, exported)).status).toBe(200);
    expect((await exportOf(to)).connections).toEqual(exported.connections);
  });

  it("that are there already are left alone", async () => {
    const id = await make();
    await importInto(id, document);
    const { body } = await importInto(id, document);
    expect(body.connections).toEqual({ created: [], skipped: ["github", "directory"] });
  });

  it("are not made by a dry run, nor by a document that has something wrong", async () => {
    const id = await make();
    expect((await importInto(id, document, "?dry_run=true")).body.connections.created).toHaveLength(2);
    const wrong = { version: 1, connections: [document.connections[1], { kind: "saml", key: "x" }] };
    const { status, body } = await importInto(id, wrong);
    expect(status).toBe(422);
    expect(body.details?.every(({ field }) => field.startsWith("connections.1.config"))).toBe(true);
    expect((await exportOf(id)).connections).toEqual([]);
  });

  it("take no secrets along, in either direction", async () => {
    const id = await make();
    const secrets = { client_secret: "hidden-in-a-document" };
    const [github] = document.connections;
    await importInto(id, { ...document, connections: [{ ...github, enabled: true, secrets }] });
    const [connection] = (await exportOf(id)).connections;
    expect(connection).toMatchObject({ key: "github", enabled: false });
    expect(JSON.stringify(await exportOf(id))).not.toContain("hidden-in-a-document");
  });
});
