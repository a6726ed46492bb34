/** The examples of RFC 7643 §8 and RFC 7644 §3, with ids that this server gave in the place of theirs. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { join } from "node:path";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { addOrganization, type Resource, type ScimClient, scimClient } from "./support.ts";

const ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

let server: TestServer;
let scim: ScimClient;
beforeAll(async () => {
  server = await startTestServer();
  scim = await scimClient(server);
});
afterAll(() => server.stop());

const make = async (userName: string): Promise<Resource> => (await scim.post("/Users", { userName })).body;

describe("RFC 7643 §8.3, an enterprise user", () => {
  it("is created from its text and read back as it was written", async () => {
    const text = await Bun.file(join(import.meta.dir, "payloads/rfc/enterprise-user.json")).text();
    const { status, body } = await scim.send("POST", "/Users", text);
    expect(status).toBe(201);
    const { id, meta, groups, password, ...written } = JSON.parse(text);
    // What is readOnly in the schema is the server's to say (RFC 7644 §3.3), what is never returned stays here.
    const manager = { value: written[ENTERPRISE].manager.value, $ref: written[ENTERPRISE].manager.$ref };
    expect(body).toEqual({
      ...written,
      [ENTERPRISE]: { ...written[ENTERPRISE], manager },
      id: expect.stringMatching(/^user_/),
      meta: expect.objectContaining({ resourceType: "User", version: expect.stringMatching(/^W\/"/) }),
    });
    expect(body.meta.location).not.toBe(meta.location);
    expect([body.id === id, body.groups === groups, JSON.stringify(body).includes(password)]).toEqual([
      false,
      false,
      false,
    ]);
    expect((await scim.get(`/Users/${body.id}`)).body).toEqual(body);
  });
});

describe("RFC 7643 §5 to §7, what the server says of itself", () => {
  it("is complete: each schema of each type of resource is there, by itself too", async () => {
    const types = await scim.get("/ResourceTypes");
    expect(types.body.Resources?.map(({ id }) => id)).toEqual(["User", "Group"]);
    for (const type of types.body.Resources ?? []) {
      const one = await scim.get(`/ResourceTypes/${type.id}`);
      expect(one.body).toEqual(type);
      const extensions = (type["schemaExtensions"] as { schema: string }[]).map(({ schema }) => schema);
      for (const schema of [String(type["schema"]), ...extensions]) {
        const { status, body } = await scim.get(`/Schemas/${schema}`);
        expect([schema, status, body.id]).toEqual([schema, 200, schema]);
        expect(body.meta.location).toEndWith(`/Schemas/${schema}`);
      }
    }
    const listed = await scim.get("/Schemas");
    expect(listed.body).toMatchObject({ totalResults: 3, itemsPerPage: 3, startIndex: 1 });
    const config = await scim.get("/ServiceProviderConfig");
    for (const feature of ["patch", "bulk", "filter", "changePassword", "sort", "etag"])
      expect(config.body[feature]).toMatchObject({ supported: true });
  });

  it("takes no filter (RFC 7644 §4)", async () => {
    expect((await scim.get('/Schemas?filter=id%20eq%20"x"')).status).toBe(403);
  });
});

describe("RFC 7644 §3.4.3, a search by POST", () => {
  it("answers as a list, at the root over all types", async () => {
    await make("smith-1");
    await scim.post("/Groups", { displayName: "Smith Family" });
    const { body } = await scim.post("/.search", {
      schemas: ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
      attributes: ["displayName", "userName"],
      filter: 'displayName sw "smith"',
      startIndex: 1,
      count: 10,
    });
    expect(body).toMatchObject({ totalResults: 1, itemsPerPage: 1, startIndex: 1 });
    expect(Object.keys(body.Resources?.[0] ?? {}).toSorted()).toEqual(["displayName", "id", "schemas"]);
  });
});

describe("RFC 7644 §3.5.2, the examples about a group", () => {
  it("add, remove, and remove and add in one request", async () => {
    const [babs, james] = [await make("Babs Jensen"), await make("James Smith")];
    const { body: group } = await scim.post("/Groups", { displayName: "Tour Guides" });
    const path = `/Groups/${group.id}`;
    const members = async () => (await scim.get(path)).body.members?.map(({ value }) => value) ?? [];
    const member = ({ id, userName }: Resource) => ({
      display: userName,
      $ref: `https://example.com/v2/Users/${id}`,
      value: id,
    });
    await scim.patch(path, [{ op: "add", path: "members", value: [member(babs)] }]);
    expect(await members()).toEqual([babs.id]);
    await scim.patch(path, [{ op: "remove", path: `members[value eq "${babs.id}"]` }]);
    expect(await members()).toEqual([]);
    await scim.patch(path, [{ op: "add", path: "members", value: [member(babs)] }]);
    await scim.patch(path, [
      { op: "remove", path: `members[value eq "${babs.id}"]` },
      { op: "add", path: "members", value: [member(james)] },
    ]);
    expect(await members()).toEqual([james.id]);
    await scim.patch(path, [{ op: "replace", path: "members", value: [member(babs), member(james)] }]);
    expect((await members()).toSorted()).toEqual([babs.id, james.id].toSorted());
    await scim.patch(path, [{ op: "remove", path: "members" }]);
    expect(await members()).toEqual([]);
  });

  it("is read in pages of its members, where that is asked for", async () => {
    const made = await Promise.all(["pg-1", "pg-2", "pg-3"].map(make));
    const members = made.map(({ id }) => ({ value: id }));
    const { body: group } = await scim.post("/Groups", { displayName: "Paged", members });
    const page = async (query: string) =>
      (await scim.get(`/Groups/${group.id}${query}`)).body.members?.map(({ value }) => value) ?? [];
    const pages = [await page("?startIndex=1&count=2"), await page("?startIndex=3&count=2")];
    expect(pages.map(({ length }) => length)).toEqual([2, 1]);
    expect(pages.flat().toSorted()).toEqual(members.map(({ value }) => value).toSorted());
    expect((await page("")).length).toBe(3);
    expect((await scim.get(`/Groups/${group.id}?count=x`)).status).toBe(400);
  });

  it("is all or nothing", async () => {
    const babs = await make("Babs 2");
    const { body: group } = await scim.post("/Groups", { displayName: "Whole" });
    const { status } = await scim.patch(`/Groups/${group.id}`, [
      { op: "replace", path: "displayName", value: "Half" },
      { op: "add", path: "members", value: [{ value: babs.id }] },
      { op: "add", path: "members", value: [{ value: "2819c223-7f76-453a-919d-413861904646" }] },
    ]);
    expect(status).toBe(400);
    expect((await scim.get(`/Groups/${group.id}`)).body).toEqual({ ...group });
  });
});

describe("RFC 7644 §3.7, bulk requests", () => {
  it("§3.7.1: two groups that are members of each other", async () => {
    const group = (displayName: string, bulkId: string, other: string) => ({
      method: "POST",
      path: "/Groups",
      bulkId,
      data: {
        schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        displayName,
        members: [{ type: "Group", value: `bulkId:${other}` }],
      },
    });
    const { body } = await scim.post("/Bulk", {
      schemas: [BULK],
      Operations: [group("Group A", "qwerty", "ytrewq"), group("Group B", "ytrewq", "qwerty")],
    });
    expect(body.Operations?.map(({ status, bulkId }) => [status, bulkId])).toEqual([
      ["201", "qwerty"],
      ["201", "ytrewq"],
    ]);
    const [a, b] = (body.Operations ?? []).map(({ location }) => location?.split("/").at(-1) ?? "");
    const members = async (id = "") =>
      (await scim.get(`/Groups/${id}`)).body.members?.map(({ value }) => value);
    expect([await members(a), await members(b)]).toEqual([[b ?? ""], [a ?? ""]]);
    const version = body.Operations?.[1]?.version;
    expect((await scim.get(`/Groups/${b}`)).body.meta.version).toBe(version ?? "");
  });

  it("§3.7.2: a new user as the member of a new group, and a manager by bulkId", async () => {
    const { body } = await scim.post("/Bulk", {
      schemas: [BULK],
      Operations: [
        { method: "POST", path: "/Users", bulkId: "qwerty", data: { userName: "Alice" } },
        {
          method: "POST",
          path: "/Groups",
          bulkId: "ytrewq",
          data: { displayName: "Tour Guides", members: [{ type: "User", value: "bulkId:qwerty" }] },
        },
        {
          method: "POST",
          path: "/Users",
          bulkId: "asdf",
          data: {
            userName: "Bob",
            [ENTERPRISE]: { employeeNumber: "11250", manager: { value: "bulkId:qwerty" } },
          },
        },
      ],
    });
    const ids = body.Operations?.map(({ location }) => location?.split("/").at(-1) ?? "") ?? [];
    const bob = (await scim.get(`/Users/${ids[2]}`)).body;
    expect(bob[ENTERPRISE]).toMatchObject({ manager: { value: ids[0] } });
    expect((await scim.get(`/Users/${ids[0]}`)).body.groups).toMatchObject([{ value: ids[1] }]);
  });

  it("§3.7.3: stops after as many errors as failOnErrors says, and says what went wrong", async () => {
    const post = (bulkId: string, data: object) => ({ method: "POST", path: "/Users", bulkId, data });
    const { body } = await scim.post("/Bulk", {
      schemas: [BULK],
      failOnErrors: 1,
      Operations: [
        post("1", { userName: "carol" }),
        post("2", { userName: "Carol" }),
        post("3", { userName: "dave" }),
      ],
    });
    expect(body.Operations?.map(({ status }) => status)).toEqual(["201", "409"]);
    expect(body.Operations?.[1]?.response).toMatchObject({ scimType: "uniqueness", status: "409" });
  });

  it("creates, replaces, changes and deletes, by versions too", async () => {
    const [one, two, three] = [await make("b-1"), await make("b-2"), await make("b-3")];
    const { body } = await scim.post("/Bulk", {
      schemas: [BULK],
      Operations: [
        {
          method: "PUT",
          path: `/Users/${one.id}`,
          version: one.meta.version,
          data: { userName: "b-1", title: "T" },
        },
        { method: "PATCH", path: `/Users/${two.id}`, version: 'W/"none"', data: { Operations: [] } },
        {
          method: "PATCH",
          path: `/Users/${two.id}`,
          version: 'W/"none"',
          data: { Operations: [{ op: "add", path: "title", value: "T" }] },
        },
        { method: "DELETE", path: `/Users/${three.id}`, version: three.meta.version },
      ],
    });
    expect(body.Operations?.map(({ status }) => status)).toEqual(["200", "400", "412", "204"]);
    expect((await scim.get(`/Users/${one.id}`)).body["title"]).toBe("T");
    expect((await scim.get(`/Users/${three.id}`)).status).toBe(404);
  });
});

describe("RFC 7644 §3.14, versions", () => {
  it("answers 304 to whoever has it already, and 412 to whoever has an older one", async () => {
    const { id, meta } = await make("versioned");
    const unchanged = await scim.get(`/Users/${id}`, { "if-none-match": meta.version });
    expect([unchanged.status, unchanged.headers.get("etag")]).toEqual([304, meta.version]);
    const title = [{ op: "add", path: "title", value: "T" }];
    expect((await scim.patch(`/Users/${id}`, title, { "if-match": meta.version })).status).toBe(200);
    expect((await scim.patch(`/Users/${id}`, title, { "if-match": meta.version })).status).toBe(412);
    expect((await scim.get(`/Users/${id}`, { "if-none-match": meta.version })).status).toBe(200);
  });
});

describe("a tenant that nests no groups", () => {
  it("refuses groups as members", async () => {
    await server.configure({ scim_nested_groups: false });
    const { body: inner } = await scim.post("/Groups", { displayName: "Inner" });
    const outer = await scim.post("/Groups", { displayName: "Outer", members: [{ value: inner.id }] });
    expect([outer.status, outer.body.scimType]).toEqual([400, "invalidValue"]);
    await server.configure({ scim_nested_groups: true });
  });
});

describe("a userName that looks like an address", () => {
  it("signs in, whoever's address it is not; and an address is its owner's first", async () => {
    const own = await scimClient(server, { organization: await addOrganization(server, "upn") });
    const password = "C0rrect-Horse!";
    const person = { userName: "Grace@Corp.example", password, emails: [{ value: "grace@mail.example" }] };
    expect((await own.post("/Users", person)).status).toBe(201);
    const signIn = async (identifier: string, secret = password) =>
      (
        await fetch(`${server.url}/login`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ identifier, password: secret }),
        })
      ).status;
    expect(await signIn("grace@corp.example")).toBe(200);
    expect(await signIn("grace@mail.example")).toBe(200);
    // Somebody else is called by Grace's address: it stays hers.
    const other = { userName: "grace@mail.example", password: "0ther-Horse!!" };
    expect((await own.post("/Users", other)).status).toBe(201);
    expect(await signIn("grace@mail.example")).toBe(200);
    expect(await signIn("grace@mail.example", other.password)).toBe(401);
  });

  it("signs in without having any address", async () => {
    const person = { userName: "no-address", password: "C0rrect-Horse!" };
    expect((await scim.post("/Users", person)).status).toBe(201);
    const login = await fetch(`${server.url}/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ identifier: person.userName, password: person.password }),
    });
    expect(login.status).toBe(200);
    const { access_token: token }: { access_token: string } = await login.json();
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${server.url}/me`, { headers })).status).toBe(200);
  });
});
