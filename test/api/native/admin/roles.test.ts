/** Roles, what they allow, and groups that give them; and what tokens tell of it. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { decodeJwt } from "jose";
import { bearer, createApp, login, register, tokenRequest } from "../../../attacks/support.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { administratorsToken, auditOf, caller } from "./support.ts";

interface Role {
  id: string;
  name: string;
  description: string;
  permissions: string[];
  built_in: boolean;
}
interface Group {
  id: string;
  name: string;
  roles: string[];
}
interface List<Item> {
  data: Item[];
}

let server: TestServer;
let admin: ReturnType<typeof caller>;
beforeAll(async () => {
  server = await startTestServer();
  admin = caller(server.url, await administratorsToken(server));
});
afterAll(() => server.stop());

let counter = 0;
async function makeRole(permissions: string[] = []): Promise<Role> {
  const role = { name: `role${++counter}`, description: "A role", permissions };
  const { status, body } = await admin<Role>("POST", "/roles", role);
  expect(status).toBe(201);
  expect(body).toMatchObject({ ...role, permissions: permissions.toSorted() });
  return body;
}
async function makeGroup(): Promise<Group> {
  const { status, body } = await admin<Group>("POST", "/groups", { name: `Group ${++counter}` });
  expect(status).toBe(201);
  return body;
}

describe("roles", () => {
  it("are made, changed and removed", async () => {
    const role = await makeRole(["b", "a"]);
    expect(role.permissions).toEqual(["a", "b"]);
    const changed = await admin<Role>("PUT", `/roles/${role.id}`, {
      name: `${role.name}x`,
      permissions: ["c"],
    });
    expect(changed.body).toMatchObject({ name: `${role.name}x`, description: "", permissions: ["c"] });
    expect((await admin("DELETE", `/roles/${role.id}`)).status).toBe(204);
    expect((await admin("GET", `/roles/${role.id}`)).status).toBe(404);
    const events = await auditOf(server, role.id);
    expect(events.map(({ type }) => type)).toEqual(["role.created", "role.updated", "role.deleted"]);
    expect(events[1]?.details).toMatchObject({
      before: { permissions: ["a", "b"] },
      after: { permissions: ["c"] },
    });
  });

  it("are listed", async () => {
    const { body } = await admin<List<Role>>("GET", "/roles?search=ADMIN&sort=name&order=asc");
    const found = body.data.map(({ name, built_in: builtIn }) => [name, builtIn]);
    expect(found).toEqual([
      ["admin", true],
      ["super_admin", true],
    ]);
  });

  it("have names of their own, and sound ones", async () => {
    const role = await makeRole();
    expect((await admin("POST", "/roles", { name: role.name })).status).toBe(409);
    for (const wrong of [{ name: "two words" }, { name: "x", permissions: ["a b"] }, {}])
      expect((await admin("POST", "/roles", wrong)).status).toBe(422);
  });

  it("that are built in stay, with their names", async () => {
    const { body } = await admin<List<Role>>("GET", "/roles?search=admin");
    for (const { id, name } of body.data) {
      expect((await admin("DELETE", `/roles/${id}`)).status).toBe(409);
      expect((await admin("PUT", `/roles/${id}`, { name: `${name}x` })).status).toBe(409);
      expect((await admin("PUT", `/roles/${id}`, { name, permissions: ["p"] })).status).toBe(200);
      await admin("PUT", `/roles/${id}`, { name, permissions: [] });
    }
  });
});

describe("groups", () => {
  it("are made, renamed, listed and removed", async () => {
    const group = await makeGroup();
    const renamed = await admin<Group>("PUT", `/groups/${group.id}`, { name: "Renamed" });
    expect(renamed.body).toMatchObject({ id: group.id, name: "Renamed", roles: [] });
    const { body } = await admin<List<Group>>("GET", "/groups?search=RENAM");
    expect(body.data.map(({ id }) => id)).toEqual([group.id]);
    expect((await admin("DELETE", `/groups/${group.id}`)).status).toBe(204);
    expect((await admin("GET", `/groups/${group.id}`)).status).toBe(404);
    const events = await auditOf(server, group.id);
    expect(events.map(({ type }) => type)).toEqual(["group.created", "group.updated", "group.deleted"]);
  });

  it("have members, who come and go", async () => {
    const group = await makeGroup();
    const people = [await register(server.url), await register(server.url), await register(server.url)];
    for (const { id } of people)
      expect((await admin("PUT", `/groups/${group.id}/members/${id}`)).status).toBe(204);
    type Page = List<{ username: string }> & { pagination: { next_cursor: string; total: number } };
    const path = `/groups/${group.id}/members?limit=2&order=asc`;
    const first = await admin<Page>("GET", path);
    const second = await admin<Page>("GET", `${path}&cursor=${first.body.pagination.next_cursor}`);
    const found = [...first.body.data, ...second.body.data].map(({ username }) => username);
    expect([found, first.body.pagination.total]).toEqual([people.map((one) => one.username).toSorted(), 3]);
    await admin("DELETE", `/groups/${group.id}/members/${people[0]?.id}`);
    expect((await admin<Page>("GET", path)).body.pagination.total).toBe(2);
    expect((await admin("PUT", `/groups/${group.id}/members/user_x`)).status).toBe(404);
  });
});

describe("effective permissions", () => {
  it("of a user are those of their roles, their groups' too: at /me and in tokens", async () => {
    const [own, ofGroup] = [await makeRole(["a:read", "shared"]), await makeRole(["b:read", "shared"])];
    const person = await register(server.url);
    await admin("PUT", `/users/${person.id}`, { roles: [own.name] });
    const group = await makeGroup();
    await admin("PUT", `/groups/${group.id}/roles`, { roles: [ofGroup.name] });
    await admin("PUT", `/groups/${group.id}/members/${person.id}`);
    const { access_token: token } = await login(server.url, person.username);
    const expected = ["a:read", "b:read", "shared"];
    expect(decodeJwt(token)["permissions"]).toEqual(expected);
    const me = async () =>
      (
        (await (await fetch(`${server.url}/me`, { headers: bearer(token) })).json()) as {
          permissions: string[];
        }
      ).permissions;
    expect(await me()).toEqual(expected);
    await admin("PUT", `/roles/${own.id}`, { name: own.name, permissions: [] });
    expect(await me()).toEqual(["b:read", "shared"]);
    await admin("DELETE", `/roles/${ofGroup.id}`);
    expect(await me()).toEqual([]);
  });

  it("of a client are those of its roles, where it asks for them", async () => {
    const role = await makeRole(["jobs:run"]);
    const scopes = ["jobs", "permissions"];
    const app = await createApp(server, { grantTypes: ["client_credentials"], redirectUris: [], scopes });
    const path = `/clients/${app.client.id}/roles`;
    expect((await admin<Group>("PUT", path, { roles: [role.name] })).body.roles).toEqual([role.name]);
    expect((await admin<Group>("GET", path)).body.roles).toEqual([role.name]);
    const claims = async (scope: string) => {
      const response = await tokenRequest(app, { grant_type: "client_credentials", scope });
      return decodeJwt(((await response.json()) as { access_token: string }).access_token);
    };
    expect(await claims("jobs permissions")).toMatchObject({ roles: [role.name], permissions: ["jobs:run"] });
    expect((await claims("jobs"))["permissions"]).toBeUndefined();
    await admin("PUT", path, { roles: [] });
    expect((await claims("jobs permissions"))["roles"]).toBeUndefined();
  });
});
