/** /v1/organizations/{org_id}/scim: tokens and attribute mappings. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { users } from "../../../src/db/schema/index.ts";
import type { Organization } from "../../../src/domain/organizations/service.ts";
import { isId } from "../../../src/lib/ids.ts";
import { createOtherTenant, login, register } from "../../attacks/support.ts";
import { addOrganization, type ScimClient, scimClient } from "../../conformance/scim/support.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { administratorsToken } from "../native/admin/support.ts";

interface Body {
  id: string;
  plaintext?: string;
  revoked_at: number | null;
  data?: Body[];
  mapping?: Record<string, string>;
  details?: { field: string }[];
  [name: string]: unknown;
}

let server: TestServer;
let token: string;
let organization: Organization;

beforeAll(async () => {
  server = await startTestServer();
  token = await administratorsToken(server);
  organization = await addOrganization(server, "acme");
});
afterAll(() => server.stop());

async function call(
  method: string,
  path: string,
  body?: unknown,
  { id = organization.id, as = token }: { id?: string; as?: string } = {},
) {
  const response = await fetch(`${server.url}/v1/organizations/${id}/scim${path}`, {
    method,
    headers: { "content-type": "application/json", authorization: `Bearer ${as}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer: Body = await response.json();
  return { status: response.status, body: answer, headers: response.headers };
}

describe("the endpoint", () => {
  it("is the tenant's own address", async () => {
    const { status, body } = await call("GET", "/endpoint");
    expect(status).toBe(200);
    expect(body["endpoint_url"]).toBe(`${server.url}/scim/v2`);
  });
});

describe("SCIM tokens", () => {
  it("are issued, shown once, used, listed and revoked", async () => {
    const made = await call("POST", "/tokens", { name: "Okta" });
    expect(made.status).toBe(201);
    expect(made.headers.get("cache-control")).toBe("no-store");
    const { plaintext = "", id } = made.body;
    expect(made.body).toMatchObject({
      object: "scim_token",
      organization_id: organization.id,
      name: "Okta",
      created_at: server.clock.now().getTime(),
      last_used_at: null,
      revoked_at: null,
      expires_at: null,
    });
    const scim = await scimClient(server, { token: plaintext });
    expect((await scim.get("/Users")).status).toBe(200);
    const listed = await call("GET", "/tokens");
    expect(JSON.stringify(listed.body)).not.toContain(plaintext.slice(-20));
    expect(listed.body.data?.find((one) => one.id === id)).toMatchObject({
      last_used_at: server.clock.now().getTime(),
    });

    expect((await call("POST", `/tokens/${id}/revoke`)).body.revoked_at).toBe(server.clock.now().getTime());
    expect((await scim.get("/Users")).status).toBe(401);
    server.clock.advance(5);
    // Telling it twice changes nothing.
    expect((await call("POST", `/tokens/${id}/revoke`)).body.revoked_at).toBe(
      server.clock.now().getTime() - 5000,
    );
    expect((await call("GET", "/tokens")).body.data?.map((one) => one.id)).toContain(id);
  });

  it("expire when they are told to, and not before they are made", async () => {
    const at = server.clock.now().getTime();
    expect((await call("POST", "/tokens", { name: "x", expires_at: at })).status).toBe(422);
    const { body } = await call("POST", "/tokens", { name: "x", expires_at: at + 60_000 });
    const scim = await scimClient(server, { token: body.plaintext ?? "" });
    expect((await scim.get("/Users")).status).toBe(200);
    server.clock.advance(60);
    expect((await scim.get("/Users")).status).toBe(401);
  });

  it("are one organization's: with another's id, or another tenant's, there is nothing", async () => {
    const { body } = await call("POST", "/tokens", { name: "Mine" });
    const second = await addOrganization(server, "second");
    const other = await createOtherTenant(server, "other");
    const foreign = await addOrganization(server, "foreign", other.tenant);
    expect((await call("POST", `/tokens/${body.id}/revoke`, undefined, { id: second.id })).status).toBe(404);
    for (const id of [foreign.id, "org_x", "00000000000000000000000000"])
      for (const [method, path, sent] of [
        ["GET", "/endpoint"],
        ["GET", "/tokens"],
        ["POST", "/tokens", { name: "x" }],
        ["POST", `/tokens/${body.id}/revoke`],
        ["GET", "/attribute-mappings"],
        ["PUT", "/attribute-mappings", { mapping: {} }],
      ] as const)
        expect([path, (await call(method, path, sent, { id })).status]).toEqual([path, 404]);
  });

  it("are an administrator's business", async () => {
    const person = await register(server.url);
    const { access_token: as } = await login(server.url, person.username);
    expect((await call("GET", "/tokens", undefined, { as })).status).toBe(403);
    expect((await call("POST", "/tokens", { name: "x" }, { as: "none" })).status).toBe(401);
  });
});

describe("attribute mappings", () => {
  const defaults = {
    "name.givenName": "first_name",
    "name.familyName": "last_name",
    locale: "locale",
    timezone: "timezone",
  };
  const department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
  const profileOf = async (id: string) => {
    if (!isId("user", id)) throw new Error("not a user's id");
    const [row] = await server.deps.db.select().from(users).where(eq(users.id, id));
    return [row?.givenName, row?.familyName, row?.locale, row?.zoneinfo];
  };

  it("are the defaults until they are replaced, and again when they are empty", async () => {
    const read = async () => (await call("GET", "/attribute-mappings")).body;
    expect(await read()).toMatchObject({ organization_id: organization.id, mapping: defaults });
    const mapping = { displayName: "first_name" };
    expect((await call("PUT", "/attribute-mappings", { mapping })).body.mapping).toEqual(mapping);
    expect((await read()).mapping).toEqual(mapping);
    expect((await call("PUT", "/attribute-mappings", { mapping: {} })).body.mapping).toEqual(defaults);
    expect((await read()).mapping).toEqual(defaults);
  });

  it("fill profiles, and leave what SCIM reads, finds and sorts as it was written", async () => {
    const scim: ScimClient = await scimClient(server, { organization });
    await call("PUT", "/attribute-mappings", {
      mapping: {
        displayName: "first_name",
        [department]: "last_name",
        'emails[type eq "home"].value': "locale",
      },
    });
    const person = {
      userName: "mapped",
      name: { givenName: "Given", familyName: "Family", middleName: "M" },
      displayName: "Shown",
      locale: "de-DE",
      timezone: "Europe/Berlin",
      emails: [
        { value: "m@work.example", type: "work", primary: true },
        { value: "m@home.example", type: "home" },
      ],
      "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { department: "Engines" },
    };
    const made = await scim.post("/Users", person);
    expect(made.body).toMatchObject(person);
    const { id } = made.body;
    expect((await scim.get(`/Users/${id}`)).body).toEqual(made.body);
    expect(await profileOf(id)).toEqual(["Shown", "Engines", "m@home.example", "Europe/Berlin"]);
    const count = async (filter: string) =>
      (await scim.get(`/Users?filter=${encodeURIComponent(filter)}`)).body.totalResults;
    for (const filter of [
      'name.givenName eq "given"',
      'name.familyName sw "Fam"',
      'locale eq "de-DE"',
      'timezone co "berlin"',
      "name pr",
    ])
      expect([filter, await count(filter)]).toEqual([filter, 1]);
    expect(await count('name.givenName eq "Shown" or name.familyName eq "Engines"')).toBe(0);

    const patched = await scim.patch(`/Users/${id}`, [
      { op: "replace", path: "displayName", value: "New" },
      { op: "remove", path: "name.givenName" },
    ]);
    expect(patched.body.name).toEqual({ familyName: "Family", middleName: "M" });
    expect(await profileOf(id)).toEqual(["New", "Engines", "m@home.example", "Europe/Berlin"]);

    await call("PUT", "/attribute-mappings", { mapping: {} });
    const { body: before } = await scim.get(`/Users/${id}`);
    const after = await scim.patch(`/Users/${id}`, [{ op: "replace", path: "title", value: "T" }]);
    expect(after.body).toEqual({ ...before, title: "T", meta: after.body.meta });
    expect(await profileOf(id)).toEqual([null, "Family", "de-DE", "Europe/Berlin"]);
  });

  it("are refused where a path is none, a field is none, or two paths fill one", async () => {
    for (const [mapping, field] of [
      [{ shoeSize: "first_name" }, "mapping.shoeSize"],
      [{ "name.givenName": "email" }, "mapping.name.givenName"],
      [{ active: "first_name" }, "mapping.active"],
      [{ password: "first_name" }, "mapping.password"],
      [{ name: "first_name" }, "mapping.name"],
      [{ title: "locale", nickName: "locale" }, "mapping.nickName"],
      [{ 'emails[type eq "x"': "locale" }, 'mapping.emails[type eq "x"'],
    ] as const) {
      const { status, body } = await call("PUT", "/attribute-mappings", { mapping });
      expect([status, body.details?.map((detail) => detail.field)]).toEqual([422, [field]]);
    }
    expect((await call("PUT", "/attribute-mappings", {})).status).toBe(422);
  });
});
