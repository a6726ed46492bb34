/** Provisioning as a way to more than provisioning (CWE-269, CWE-915): roles, other people's accounts, passwords. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { userEmails, userRoles, users } from "../../src/db/schema/index.ts";
import { setGroupRoles } from "../../src/domain/group-roles/service.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { assignRoles } from "../../src/domain/roles/service.ts";
import { findUserById } from "../../src/domain/users/service.ts";
import { type Id, isId } from "../../src/lib/ids.ts";
import { addOrganization, type ScimClient, scimClient } from "../conformance/scim/support.ts";
import { administrator, postJson, startTestServer, type TestServer } from "../support/server.ts";
import { login, PASSWORD, type Person, register } from "./support.ts";

let server: TestServer;
let scim: ScimClient;
let ofOne: ScimClient;
/** Administers this tenant, and no other. */
let byAdmin: ScimClient;
let bySuperAdmin: ScimClient;
let admin: Person;

const by = { actor: { type: "system" }, context: systemContext } as const;
const userId = (id: string): Id<"user"> => {
  if (!isId("user", id)) throw new Error("not a user's id");
  return id;
};

beforeAll(async () => {
  server = await startTestServer();
  scim = await scimClient(server);
  ofOne = await scimClient(server, { organization: await addOrganization(server, "one") });
  admin = await register(server.url);
  const now = server.clock.now();
  const tenantId = server.tenant.id;
  await assignRoles(server.deps.db, { tenantId, userId: userId(admin.id), roles: ["admin"], now, ...by });
  byAdmin = await scimClient(server, { token: (await login(server.url, admin.username)).access_token });
  const superAdmin = await login(server.url, administrator.email, administrator.password);
  bySuperAdmin = await scimClient(server, { token: superAdmin.access_token });
});
afterAll(() => server.stop());

let counter = 0;
async function make(client: ScimClient, more: Record<string, unknown> = {}) {
  const userName = `e${++counter}`;
  const { status, body } = await client.post("/Users", {
    userName,
    emails: [{ value: `${userName}@example.com` }],
    ...more,
  });
  expect(status).toBe(201);
  return body;
}

const rolesOf = async (id: string) =>
  (await findUserById(server.deps, server.tenant.id, userId(id)))?.roles ?? [];

const idOf = async (client: ScimClient, address: string) => {
  const { body } = await client.get(`/Users?filter=${encodeURIComponent(`emails eq "${address}"`)}`);
  return body.Resources?.[0]?.id ?? "";
};

describe("mass assignment", () => {
  /** Guard: protocol/scim/resource.ts leaves out what is readOnly; ids are made here; `roles` are only words. */
  it("sets no id, no group, no meta and no role", async () => {
    const own = {
      id: "user_00000000000000000000000000",
      groups: [{ value: "group_00000000000000000000000000" }],
      meta: { created: "2000-01-01T00:00:00Z" },
      roles: [{ value: "super_admin" }],
      tenantId: "x",
      is_admin: true,
      __proto__: { roles: ["admin"] },
    };
    const user = await make(scim, own);
    expect(user.id).not.toBe(own.id);
    expect(user.meta.created).not.toContain("2000");
    expect(user.groups).toBeUndefined();
    const answers = [
      await scim.patch(`/Users/${user.id}`, [
        { op: "add", path: "roles", value: [{ value: "admin", primary: true }] },
        { op: "add", value: { id: own.id, groups: own.groups } },
      ]),
      await scim.patch(`/Users/${user.id}`, [{ op: "replace", path: "id", value: own.id }]),
      await scim.patch(`/Users/${user.id}`, [{ op: "add", path: "groups", value: own.groups }]),
      await scim.put(`/Users/${user.id}`, { userName: user.userName, ...own }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 400, 200]);
    expect((await scim.get(`/Users/${user.id}`)).body.id).toBe(user.id);
    expect(await rolesOf(user.id)).toEqual([]);
    const rows = await server.deps.db
      .select()
      .from(userRoles)
      .where(eq(userRoles.userId, userId(user.id)));
    expect(rows).toEqual([]);
  });
});

describe("a group's role", () => {
  const group = async (client: ScimClient, displayName: string, roles: string[] = []) => {
    const { body } = await client.post("/Groups", { displayName });
    if (roles.length > 0)
      await setGroupRoles(server.deps, server.tenant.id, body.id, roles, { ...by, superAdmin: true });
    return body;
  };
  const add = (client: ScimClient, groupId: string, member: string) =>
    client.patch(`/Groups/${groupId}`, [{ op: "add", path: "members", value: [{ value: member }] }]);

  /** Guard: roles are given to a group by its id (group_roles), never by its name; scim-groups/repo.ts, `visible`. */
  it("is not had by another group of the same name, nor from another organization", async () => {
    const real = await group(scim, "Administrators", ["admin"]);
    const member = await make(ofOne);
    const same = await ofOne.post("/Groups", {
      displayName: "Administrators",
      members: [{ value: member.id }],
    });
    expect(same.status).toBe(201);
    expect((await add(ofOne, real.id, member.id)).status).toBe(404);
    expect((await add(ofOne, same.body.id, real.id)).status).toBe(400);
    expect(await rolesOf(member.id)).toEqual([]);
  });

  /** Guard: protocol/scim/schemas.ts knows no roles of groups. */
  it("is not set by SCIM", async () => {
    const { id } = await group(scim, "Plain");
    const roles = [{ value: "admin" }];
    await scim.put(`/Groups/${id}`, { displayName: "Plain", roles });
    const patched = await scim.patch(`/Groups/${id}`, [{ op: "add", path: "roles", value: roles }]);
    expect(patched.status).toBe(400);
    await scim.patch(`/Groups/${id}`, [{ op: "add", value: { roles } }]);
    const member = await make(scim);
    await add(scim, id, member.id);
    expect(await rolesOf(member.id)).toEqual([]);
  });

  /** Guard: scim-groups/members/service.ts, requireMayAppoint. */
  it("super_admin is not got by joining, directly or through a group in it, nor by a new group around it", async () => {
    const top = await group(scim, "Top", ["super_admin"]);
    const inner = await group(scim, "Inner");
    expect((await add(bySuperAdmin, top.id, inner.id)).status).toBe(200);
    for (const client of [scim, byAdmin]) {
      const member = await make(scim);
      for (const { id } of [top, inner]) {
        expect((await add(client, id, member.id)).status).toBe(403);
        const members = [{ value: member.id }];
        expect((await client.put(`/Groups/${id}`, { displayName: "x", members })).status).toBe(403);
        expect((await client.patch(`/Groups/${id}`, [{ op: "remove", path: "members" }])).status).toBe(403);
        expect((await client.delete(`/Groups/${id}`)).status).toBe(403);
      }
      expect(await rolesOf(member.id)).toEqual([]);
    }
    const chosen = await make(scim);
    expect((await add(bySuperAdmin, inner.id, chosen.id)).status).toBe(200);
    expect(await rolesOf(chosen.id)).toEqual(["super_admin"]);
  });

  /** Guard: group-roles/service.ts, setGroupRoles. */
  it("super_admin is given only by who is one", async () => {
    const { id } = await group(scim, "Later");
    const set = (superAdmin: boolean) =>
      setGroupRoles(server.deps, server.tenant.id, id, ["super_admin"], { ...by, superAdmin });
    await expect(set(false)).rejects.toMatchObject({ status: 403 });
    expect(await set(true)).toEqual(["super_admin"]);
  });
});

describe("who administers every tenant", () => {
  /** Guard: scim-users/linking/service.ts, requireMayTouch. */
  it("is changed and removed by no SCIM token, nor by an administrator of one tenant", async () => {
    const id = await idOf(scim, administrator.email);
    await server.configure({ scim_link_existing_users: true });
    for (const client of [scim, byAdmin]) {
      const password = "N3w-Passw0rd!";
      const answers = [
        await client.patch(`/Users/${id}`, [{ op: "replace", path: "password", value: password }]),
        await client.patch(`/Users/${id}`, [{ op: "replace", path: "active", value: false }]),
        await client.put(`/Users/${id}`, { userName: "x", emails: [{ value: "thief@example.com" }] }),
        await client.delete(`/Users/${id}`),
      ];
      expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    }
    const adopted = await scim.post("/Users", { userName: "root", emails: [{ value: administrator.email }] });
    expect([409, 403]).toContain(adopted.status);
    await server.configure({ scim_link_existing_users: false });
    await login(server.url, administrator.email, administrator.password);
    const title = [{ op: "replace", path: "title", value: "Root" }];
    expect((await bySuperAdmin.patch(`/Users/${id}`, title)).status).toBe(200);
  });
});

describe("an account that was not provisioned", () => {
  const verified = (person: Person, verifiedAt: Date | null) =>
    server.deps.db
      .update(userEmails)
      .set({ verifiedAt })
      .where(eq(userEmails.userId, userId(person.id)));
  const password = [{ op: "replace", path: "password", value: "N3w-Passw0rd!" }];
  const claim = (person: Person, more = {}) => ({
    userName: person.username,
    emails: [{ value: person.email }],
    ...more,
  });

  /** Guard: scim-users/linking/service.ts, requireMayChange and requireMayDelete. */
  it("is left alone unless the tenant says otherwise", async () => {
    const person = await register(server.url);
    await verified(person, server.clock.now());
    const path = `/Users/${person.id}`;
    const answers = [
      await scim.post("/Users", claim(person)),
      await scim.put(path, claim(person, { displayName: "Mine" })),
      await scim.patch(path, password),
      await scim.delete(path),
    ];
    expect(answers.map(({ status }) => status)).toEqual([409, 403, 403, 403]);
    await login(server.url, person.username);
  });

  /** Guard: linking/service.ts, findLinkable (emailVerified, emailsVerified). */
  it("is taken over only by an address verified on both sides, and never by an organization", async () => {
    const person = await register(server.url);
    const takeOver = async (client: ScimClient) => {
      const { status } = await client.post("/Users", claim(person));
      return [status, (await client.patch(`/Users/${person.id}`, password)).status];
    };
    await server.configure({ scim_link_existing_users: true });
    await verified(person, null);
    expect(await takeOver(scim)).toEqual([409, 403]);
    await verified(person, server.clock.now());
    expect(await takeOver(ofOne)).toEqual([409, 404]);
    await server.configure({ scim_emails_verified: false });
    expect(await takeOver(scim)).toEqual([409, 403]);
    await server.configure({ scim_emails_verified: true });
    await login(server.url, person.username);
    // Somebody else's name with this address is no one person.
    const other = await register(server.url);
    const mixed = { userName: other.username, emails: [{ value: person.email }] };
    expect((await scim.post("/Users", mixed)).status).toBe(409);

    const { status, body } = await scim.post("/Users", claim(person, { externalId: "dir-1", active: true }));
    expect([status, body.id]).toEqual([201, person.id]);
    expect((await scim.get('/Users?filter=externalId%20eq%20"dir-1"')).body.Resources?.[0]?.id).toBe(
      person.id,
    );
    await server.configure({ scim_link_existing_users: false });
    expect((await scim.patch(`/Users/${person.id}`, password)).status).toBe(200);
    await expect(login(server.url, person.username, PASSWORD)).rejects.toThrow();
  });
});

describe("a password that a directory sets", () => {
  /** Guard: scim-users/service.ts, hashOf. */
  it("is as long as the tenant asks, and is never shown or searched", async () => {
    const user = await make(scim, { password: "1mz050nq" });
    expect(user).not.toHaveProperty("password");
    const short = await scim.patch(`/Users/${user.id}`, [{ op: "replace", path: "password", value: "1mz" }]);
    expect([short.status, short.body.scimType]).toEqual([400, "invalidValue"]);
    expect(short.body.detail).not.toContain("1mz");
    const shown = await scim.get(`/Users/${user.id}?attributes=password,userName`);
    expect(shown.body).not.toHaveProperty("password");
    expect((await scim.get('/Users?filter=password%20sw%20"1"')).status).toBe(400);
    const [row] = await server.deps.db
      .select()
      .from(users)
      .where(eq(users.id, userId(user.id)));
    expect(JSON.stringify(row)).not.toContain("1mz050nq");
    const signedIn = await postJson(`${server.url}/login`, {
      identifier: user.userName,
      password: "1mz050nq",
    });
    expect(signedIn.status).toBe(200);
  });
});
