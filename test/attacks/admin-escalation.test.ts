/** Administration as a way to more than was given (CWE-269, CWE-639, CWE-915): upwards, sideways, and by what a body holds. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import { groupGroups, groupRoles, groups, groupUsers, roles, users } from "../../src/db/schema/index.ts";
import { type Id, isId, newId } from "../../src/lib/ids.ts";
import { administratorsToken, caller, giveRole, newAdministrator } from "../api/native/admin/support.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { createOtherTenant, login, type OtherTenant, PASSWORD, type Person, register } from "./support.ts";

interface User {
  id: string;
  roles: string[];
  email: string;
  enabled: boolean;
  org_id: string;
}

let server: TestServer;
let other: OtherTenant;
let superAdmin: ReturnType<typeof caller>;
/** Administers the default tenant, and no other. */
let admin: ReturnType<typeof caller>;
let adminToken: string;
let boss: Person;

beforeAll(async () => {
  server = await startTestServer();
  other = await createOtherTenant(server, "other");
  superAdmin = caller(server.url, await administratorsToken(server));
  adminToken = (await newAdministrator(server, { tenant: server.tenant, base: server.url })).token;
  admin = caller(server.url, adminToken);
  boss = await register(server.url);
  await giveRole(server, server.tenant, boss, "super_admin");
});
afterAll(() => server.stop());

const get = async (id: string) => (await superAdmin<User>("GET", `/users/${id}`)).body;

let counter = 0;
/** A group that makes its members super_admin, by the group that it is in. */
async function appointingGroup(): Promise<Id<"group">> {
  const { db } = server.deps;
  const tenantId = server.tenant.id;
  const createdAt = server.clock.now();
  const [role] = await db
    .select({ id: roles.id })
    .from(roles)
    .where(and(eq(roles.tenantId, tenantId), eq(roles.name, "super_admin")));
  if (!role) throw new Error("no such role");
  const [groupId, memberId] = [newId("group"), newId("group")];
  for (const id of [groupId, memberId]) {
    const displayName = `Bosses ${++counter}`;
    await db.insert(groups).values({ tenantId, id, displayName, createdAt, updatedAt: createdAt });
  }
  await db.insert(groupRoles).values({ tenantId, groupId, roleId: role.id, createdAt });
  await db.insert(groupGroups).values({ tenantId, groupId, memberId, createdAt });
  return memberId;
}

describe("an administrator of one tenant", () => {
  /** Guard: requireMayAssign (domain/administrators), in createUser, changeUser and replaceRoles of groups. */
  it("makes nobody a super_admin: not a new user, an old one, themselves or a group", async () => {
    const person = await register(server.url);
    const { body: me } = await admin<{ data: User[] }>("GET", "/users?role=admin");
    const group = await admin<{ id: string }>("POST", "/groups", { name: "Friends" });
    const body = { username: "friend", email: "friend@example.com", password: PASSWORD };
    const attempts: [string, string, unknown][] = [
      ["POST", "/users", { ...body, roles: ["super_admin"] }],
      ["PUT", `/users/${person.id}`, { roles: ["super_admin"] }],
      ...me.data
        .filter((user) => !user.roles.includes("super_admin"))
        .map(({ id }): [string, string, unknown] => [
          "PUT",
          `/users/${id}`,
          { roles: ["admin", "super_admin"] },
        ]),
      ["PUT", `/groups/${group.body.id}/roles`, { roles: ["super_admin"] }],
    ];
    expect(attempts.length).toBe(4);
    for (const [method, path, attempt] of attempts)
      expect([method, path, (await admin(method, path, attempt)).status]).toEqual([method, path, 403]);
    expect((await get(person.id)).roles).toEqual([]);
  });

  /** Guard: requireMayAssign in replaceRoles (domain/group-roles): a document is no way around. */
  it("makes nobody a super_admin by an import", async () => {
    const path = `/organizations/${server.tenant.id}/import`;
    const document = { version: 1, groups: [{ name: "Imported", roles: ["super_admin"] }] };
    expect((await admin("POST", path, document)).status).toBe(403);
    const { body } = await superAdmin<{ data: unknown[] }>("GET", "/groups?search=Imported");
    expect(body.data).toEqual([]);
  });

  /** Guard: requireMayAdminister in lockUser (domain/user-administration). A password that one sets opens an account. */
  it("changes no super_admin: nor their address, password, sessions or being there", async () => {
    const before = await get(boss.id);
    const path = `/users/${boss.id}`;
    const attempts: [string, string, unknown?][] = [
      ["PUT", path, { email: "mine@example.com" }],
      ["PUT", path, { enabled: false }],
      ["PUT", path, { roles: [] }],
      ["PUT", path, { username: "somebody" }],
      ["POST", `${path}/reset-password`, { password: `N3w-${PASSWORD}` }],
      ["POST", `${path}/reset-password`],
      ["DELETE", `${path}/sessions`],
      ["DELETE", path],
    ];
    for (const [method, where, body] of attempts)
      expect([method, body, (await admin(method, where, body)).status]).toEqual([method, body, 403]);
    expect(await get(boss.id)).toEqual(before);
    await login(server.url, boss.username);
  });

  /** Guard: the same, through a group: `holdsRole` looks at groups too. */
  it("changes nobody who is one by a group", async () => {
    const { db } = server.deps;
    const groupId = await appointingGroup();
    const person = await register(server.url);
    if (!isId("user", person.id)) throw new Error("no id");
    const member = { groupId, userId: person.id, tenantId: server.tenant.id, createdAt: server.clock.now() };
    await db.insert(groupUsers).values(member);
    expect((await admin("DELETE", `/users/${person.id}`)).status).toBe(403);
  });

  /** Guard: requireMayAppoint in domain/groups: who says who is in such a group says who is a super_admin. */
  it("puts nobody into a group that makes them one, and takes nobody out, nor the group away", async () => {
    const group = await appointingGroup();
    const person = await register(server.url);
    for (const [method, path] of [
      ["PUT", `/groups/${group}/members/${person.id}`],
      ["DELETE", `/groups/${group}/members/${person.id}`],
      ["DELETE", `/groups/${group}`],
    ] as const)
      expect([method, path, (await admin(method, path)).status]).toEqual([method, path, 403]);
    expect((await get(person.id)).roles).toEqual([]);
  });

  /** Guard: requireMayAssign in lockRole (domain/roles): what a super_admin may do is not theirs to say. */
  it("changes nothing about the role itself", async () => {
    const { body } = await admin<{ data: { id: string; name: string }[] }>("GET", "/roles?search=super");
    const [role] = body.data;
    const change = { name: "super_admin", permissions: ["everything"] };
    expect((await admin("PUT", `/roles/${role?.id}`, change)).status).toBe(403);
    expect((await admin("DELETE", `/roles/${role?.id}`)).status).toBe(403);
    const copy = await admin("POST", "/roles", { name: "super_admin" });
    expect(copy.status).toBe(409);
  });

  /** Guard: assignClientRoles (domain/roles): what acts for nobody administers nothing. */
  it("gives no client a role that administers", async () => {
    const { body: client } = await admin<{ id: string }>("POST", "/clients", {
      name: "Robot",
      grant_types: ["client_credentials"],
    });
    for (const role of ["admin", "super_admin"])
      expect((await admin("PUT", `/clients/${client.id}/roles`, { roles: [role] })).status).toBe(422);
  });

  /** Guard: administeredTenant (http/tenant.ts). The answer is the same for a tenant that is there and one that is not. */
  it("chooses no other tenant by X-Org-Context", async () => {
    const answers = [];
    for (const name of [other.tenant.id, other.tenant.slug, "nobody", newId("tenant"), "", "../x"]) {
      const headers = { authorization: `Bearer ${adminToken}`, "x-org-context": name };
      const response = await fetch(`${server.url}/api/v1/admin/users`, { headers });
      const { error, error_description: text } = (await response.json()) as Record<string, string>;
      answers.push([response.status, error, text]);
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]?.slice(0, 2)).toEqual([403, "forbidden"]);
    const headers = { authorization: `Bearer ${adminToken}`, "x-org-context": server.tenant.slug };
    expect((await fetch(`${server.url}/api/v1/admin/users`, { headers })).status).toBe(200);
  });

  /** Guard: mayAdminister in findTenantRecord (domain/tenants/administration.ts), by every route that takes an id. */
  it("reaches no other organization by its id", async () => {
    const path = `/organizations/${other.tenant.id}`;
    const attempts: [string, string, unknown?][] = [
      ["GET", path],
      ["PUT", path, { name: "Mine" }],
      ["DELETE", path],
      ["GET", `${path}/settings`],
      ["PUT", `${path}/settings`, { self_registration_enabled: false }],
      ["GET", `${path}/export`],
      ["POST", `${path}/import`, { version: 1, roles: [{ name: "planted" }] }],
    ];
    for (const [method, where, body] of attempts)
      expect([method, where, (await admin(method, where, body)).status]).toEqual([method, where, 404]);
    const { body } = await superAdmin<{ name: string }>("GET", path);
    expect(body.name).toBe("other");
  });

  /** Guard: addTenant, removeTenant and updateTenant ask for a super_admin. */
  it("makes no tenant, removes not even their own, and claims no host name", async () => {
    expect((await admin("POST", "/organizations", { slug: "new", name: "New" })).status).toBe(403);
    const own = `/organizations/${server.tenant.id}`;
    expect((await admin("DELETE", own)).status).toBe(403);
    expect((await admin("PUT", own, { domains: ["login.bank.example"] })).status).toBe(403);
  });
});

describe("mass assignment", () => {
  /** Guard: the routes pass on the members that they name, and no body as a whole. */
  it("sets no id, tenant, time or hash", async () => {
    const extra = {
      id: newId("user"),
      org_id: other.tenant.id,
      tenantId: other.tenant.id,
      tenant_id: other.tenant.id,
      created_at: "2000-01-01T00:00:00Z",
      createdAt: "2000-01-01T00:00:00Z",
      lastLoginAt: "2000-01-01T00:00:00Z",
      password_hash: "x",
      passwordHash: "x",
      is_admin: true,
      usernameKey: "admin",
      superAdmin: true,
    };
    const body = { username: "massive", email: "massive@example.com", password: PASSWORD, ...extra };
    const made = await admin<User & { created_at: string }>("POST", "/users", body);
    const user = made.body;
    expect(made.status).toBe(201);
    expect(user.id).not.toBe(extra.id);
    await admin("PUT", `/users/${user.id}`, { given_name: "M", ...extra });
    const [row] = await server.deps.db.select().from(users).where(eq(users.username, "massive"));
    expect(row).toMatchObject({ id: row?.id ?? "", tenantId: server.tenant.id, usernameKey: "massive" });
    expect(row?.createdAt.getFullYear()).toBeGreaterThan(2000);
    expect(row?.lastLoginAt).toBeNull();
    expect((await get(user.id)).roles).toEqual([]);
    await login(server.url, "massive");
  });
});
