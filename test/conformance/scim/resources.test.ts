/** Users and groups over HTTP (RFC 7644 §3). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { type ScimClient, scimClient } from "./support.ts";

let server: TestServer;
let scim: ScimClient;

beforeAll(async () => {
  server = await startTestServer();
  scim = await scimClient(server);
});
afterAll(() => server.stop());

const ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

const person = (userName: string, more: Record<string, unknown> = {}) => ({
  schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
  userName,
  externalId: `ext-${userName}`,
  name: { givenName: "Ada", familyName: "Lovelace", middleName: "King" },
  emails: [{ value: `${userName}@example.com`, type: "work", primary: true }],
  title: "Countess",
  [ENTERPRISE]: { department: "Engines" },
  ...more,
});

describe("a user (RFC 7644 §3.3 to §3.6)", () => {
  it("is created, read, replaced, changed and deleted", async () => {
    const created = await scim.post("/Users", person("ada"));
    expect(created.status).toBe(201);
    expect(created.headers.get("content-type")).toBe("application/scim+json");
    const { id, meta } = created.body;
    expect(created.headers.get("location")).toBe(meta.location);
    expect(created.headers.get("etag")).toBe(meta.version);
    expect(created.body).toMatchObject({ ...person("ada"), active: true });

    expect((await scim.get(`/Users/${id}`)).body).toEqual(created.body);
    const replaced = await scim.put(`/Users/${id}`, person("ada", { title: "Lady" }));
    expect(replaced.body).toMatchObject({ title: "Lady", name: { middleName: "King" } });
    expect(replaced.body.meta.version).not.toBe(meta.version);

    const patched = await scim.patch(`/Users/${id}`, [
      { op: "replace", path: "name.givenName", value: "Augusta" },
      { op: "replace", path: "active", value: "False" },
    ]);
    expect(patched.body).toMatchObject({ name: { givenName: "Augusta" }, active: false });
    expect((await scim.delete(`/Users/${id}`)).status).toBe(204);
    expect((await scim.get(`/Users/${id}`)).status).toBe(404);
  });

  it("is found by filter, sorted and paged", async () => {
    for (const name of ["f1", "f2", "f3"]) await scim.post("/Users", person(name, { userType: "Found" }));
    const search = (query: Record<string, string>) => scim.get(`/Users?${new URLSearchParams(query)}`);
    const names = async (query: Record<string, string>) =>
      (await search(query)).body.Resources?.map(({ userName }) => userName);
    expect(await names({ filter: 'userName eq "F2"' })).toEqual(["f2"]);
    expect(await names({ filter: 'externalId eq "ext-f3"' })).toEqual(["f3"]);
    expect(await names({ filter: 'emails.value eq "F1@example.com"' })).toEqual(["f1"]);
    expect(await names({ filter: 'emails[type eq "work" and value sw "f3"]' })).toEqual(["f3"]);
    const sorted = { filter: 'userType eq "found"', sortBy: "userName", sortOrder: "descending" };
    expect(await names(sorted)).toEqual(["f3", "f2", "f1"]);
    const page = await search({ ...sorted, startIndex: "2", count: "1", attributes: "userName" });
    expect(page.body).toMatchObject({ totalResults: 3, startIndex: 2, itemsPerPage: 1 });
    expect(page.body.Resources?.[0]).not.toHaveProperty("emails");
    const first = await search({ filter: 'userType eq "found"', cursor: "", count: "2" });
    const second = await search({
      filter: 'userType eq "found"',
      cursor: first.body.nextCursor ?? "",
      count: "2",
    });
    expect([first.body.Resources?.length, second.body.Resources?.length]).toEqual([2, 1]);
    expect(second.body.nextCursor).toBeUndefined();
  });
});

describe("a group", () => {
  it("has members, who are added and removed", async () => {
    const [a, b] = await Promise.all(["g-a", "g-b"].map((name) => scim.post("/Users", person(name))));
    const created = await scim.post("/Groups", { displayName: "Team", members: [{ value: a?.body.id }] });
    expect(created.status).toBe(201);
    const { id } = created.body;
    expect(created.body.members?.map(({ value }) => value)).toEqual([a?.body.id ?? ""]);
    await scim.patch(`/Groups/${id}`, [{ op: "add", path: "members", value: [{ value: b?.body.id }] }]);
    await scim.patch(`/Groups/${id}`, [{ op: "remove", path: `members[value eq "${a?.body.id}"]` }]);
    expect((await scim.get(`/Groups/${id}`)).body.members?.map(({ value }) => value)).toEqual([
      b?.body.id ?? "",
    ]);
    expect((await scim.get(`/Users/${b?.body.id}`)).body.groups).toMatchObject([
      { value: id, display: "Team" },
    ]);
    expect((await scim.delete(`/Groups/${id}`)).status).toBe(204);
  });
});

describe("a bulk request (RFC 7644 §3.7)", () => {
  it("makes what refers to each other, in a circle too", async () => {
    const { status, body } = await scim.post("/Bulk", {
      schemas: ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
      Operations: [
        {
          method: "POST",
          path: "/Groups",
          bulkId: "g",
          data: { displayName: "Bulk", members: [{ value: "bulkId:u" }] },
        },
        { method: "POST", path: "/Users", bulkId: "u", data: person("bulk") },
        { method: "POST", path: "/Users", bulkId: "x", data: { displayName: "no name" } },
      ],
    });
    expect(status).toBe(200);
    expect(body.Operations?.map(({ status: each }) => each)).toEqual(["201", "201", "400"]);
    const group = body.Operations?.[0]?.location?.split("/").at(-1);
    expect((await scim.get(`/Groups/${group}`)).body.members?.length).toBe(1);
  });
});
