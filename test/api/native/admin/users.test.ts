/** Users, by the administrators' API. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { bearer, createOtherTenant, login, PASSWORD, register } from "../../../attacks/support.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { administratorsToken, auditOf, caller, newAdministrator } from "./support.ts";

interface User {
  id: string;
  username: string;
  email: string;
  email_verified: boolean;
  given_name: string | null;
  family_name: string | null;
  enabled: boolean;
  roles: string[];
  last_login_at: string | null;
}

let server: TestServer;
let admin: ReturnType<typeof caller>;
beforeAll(async () => {
  server = await startTestServer();
  admin = caller(server.url, await administratorsToken(server));
});
afterAll(() => server.stop());

let counter = 0;
const newcomer = (more: Record<string, unknown> = {}) => {
  const username = `made${++counter}`;
  return { username, email: `${username}@example.com`, password: PASSWORD, ...more };
};
async function make(more: Record<string, unknown> = {}): Promise<User> {
  const { status, body } = await admin<User>("POST", "/users", newcomer(more));
  expect(status).toBe(201);
  return body;
}
const meStatus = async (token: string) =>
  (await fetch(`${server.url}/me`, { headers: bearer(token) })).status;

describe("POST /api/v1/admin/users", () => {
  it("makes a user who can sign in", async () => {
    const user = await make({
      given_name: "Jane",
      family_name: "Doe",
      roles: ["admin"],
      email_verified: true,
    });
    expect(user).toMatchObject({ given_name: "Jane", family_name: "Doe", enabled: true, roles: ["admin"] });
    expect(user).toMatchObject({ email_verified: true, last_login_at: null });
    expect(await meStatus((await login(server.url, user.username)).access_token)).toBe(200);
    const found = await admin<User>("GET", `/users/${user.id}`);
    expect(found.body.last_login_at).not.toBeNull();
  });

  it("takes first_name and last_name, too", async () => {
    expect(await make({ first_name: "Ann", last_name: "Lee" })).toMatchObject({
      given_name: "Ann",
      family_name: "Lee",
    });
  });

  it("makes one who is disabled, and may not sign in", async () => {
    const user = await make({ enabled: false });
    expect(user.enabled).toBe(false);
    await expect(login(server.url, user.username)).rejects.toThrow("no tokens");
  });

  it("answers 409 for a taken username or address", async () => {
    const { username, email } = await make();
    for (const taken of [{ username: username.toUpperCase() }, { email: email.toUpperCase() }])
      expect((await admin("POST", "/users", newcomer(taken))).status).toBe(409);
  });

  it("names each wrong field, and takes none of it", async () => {
    const wrong: [Record<string, unknown>, string][] = [
      [{ username: "a" }, "username"],
      [{ email: "none" }, "email"],
      [{ password: "short" }, "password"],
      [{ picture: "javascript:alert(1)" }, "picture"],
      [{ zoneinfo: "Nowhere" }, "zoneinfo"],
      [{ roles: ["unheard-of"] }, "roles"],
    ];
    for (const [fields, field] of wrong) {
      const user = newcomer(fields);
      const { status, body } = await admin<{ details: { field: string }[] }>("POST", "/users", user);
      expect([field, status, body.details?.map((detail) => detail.field)]).toEqual([field, 422, [field]]);
    }
  });

  it("mails a link to who gets no password", async () => {
    const { email, ...others } = newcomer();
    const { status } = await admin("POST", "/users", { email, username: others.username });
    expect(status).toBe(201);
    const [job] = await server.deps.db.$client`
      select payload from outbox where name = 'reset_password' order by created_at desc limit 1`;
    expect(job).toBeDefined();
  });

  it("writes what was made into the audit trail, and no password", async () => {
    const user = await make({ roles: ["admin"] });
    const events = await auditOf(server, user.id);
    expect(events.map(({ type }) => type).toSorted()).toEqual(["role.assigned", "user.created"]);
    expect(JSON.stringify(events)).not.toContain(PASSWORD);
  });
});

describe("PUT /api/v1/admin/users/{id}", () => {
  it("changes what is given, and leaves the rest", async () => {
    const user = await make({ given_name: "Jane", family_name: "Doe" });
    const changes = { given_name: null, username: `${user.username}x`, locale: "de-AT" };
    const { status, body } = await admin<User>("PUT", `/users/${user.id}`, changes);
    expect(status).toBe(200);
    expect(body).toMatchObject({ ...changes, family_name: "Doe", email: user.email });
    const [, updated] = await auditOf(server, user.id);
    expect(updated).toMatchObject({
      type: "user.updated",
      details: { before: { givenName: "Jane" }, after: { givenName: null, locale: "de-AT" } },
    });
  });

  it("changes the address, which then counts as verified", async () => {
    const user = await make();
    const email = `other${counter}@example.com`;
    const { body } = await admin<User>("PUT", `/users/${user.id}`, { email });
    expect(body).toMatchObject({ email, email_verified: true });
    const taken = await make();
    expect((await admin("PUT", `/users/${user.id}`, { email: taken.email })).status).toBe(409);
    expect((await admin("PUT", `/users/${user.id}`, { email })).status).toBe(200);
  });

  it("signs out who is disabled, at once", async () => {
    const user = await make();
    const { access_token: token } = await login(server.url, user.username);
    expect((await admin<User>("PUT", `/users/${user.id}`, { enabled: false })).body.enabled).toBe(false);
    expect(await meStatus(token)).toBe(401);
    expect((await admin<{ data: unknown[] }>("GET", `/users/${user.id}/sessions`)).body.data).toEqual([]);
    await admin("PUT", `/users/${user.id}`, { enabled: true });
    expect(await meStatus(token)).toBe(401);
    await login(server.url, user.username);
  });

  it("replaces the roles", async () => {
    const user = await make({ roles: ["admin"] });
    const { body } = await admin<User>("PUT", `/users/${user.id}`, { roles: [] });
    expect(body.roles).toEqual([]);
    const types = (await auditOf(server, user.id)).map(({ type }) => type);
    expect(types).toContain("role.unassigned");
    expect((await admin("PUT", `/users/${user.id}`, { roles: ["unheard-of"] })).status).toBe(422);
  });
});

describe("DELETE /api/v1/admin/users/{id}", () => {
  it("removes the user and ends their tokens", async () => {
    const user = await make();
    const { access_token: token } = await login(server.url, user.username);
    expect((await admin("DELETE", `/users/${user.id}`)).status).toBe(204);
    expect(await meStatus(token)).toBe(401);
    expect((await admin("GET", `/users/${user.id}`)).status).toBe(404);
    expect((await admin("DELETE", `/users/${user.id}`)).status).toBe(404);
    const types = (await auditOf(server, user.id)).map(({ type }) => type);
    expect(types).toContain("user.deleted");
  });
});

describe("POST /api/v1/admin/users/{id}/reset-password", () => {
  const other = `N3w-${PASSWORD}`;

  it("sets the password that is given, and signs out", async () => {
    const user = await make();
    const { access_token: token } = await login(server.url, user.username);
    const path = `/users/${user.id}/reset-password`;
    expect((await admin("POST", path, { password: other })).status).toBe(200);
    expect(await meStatus(token)).toBe(401);
    await expect(login(server.url, user.username)).rejects.toThrow("no tokens");
    await login(server.url, user.username, other);
  });

  it("mails a link without one, and signs out", async () => {
    const user = await make();
    const { access_token: token } = await login(server.url, user.username);
    expect((await admin("POST", `/users/${user.id}/reset-password`)).status).toBe(200);
    expect(await meStatus(token)).toBe(401);
    const jobs = await server.deps.db.$client`
      select payload from outbox where name = 'reset_password' and payload->>'user_id' = ${user.id}`;
    expect(jobs.length).toBe(1);
  });

  it("keeps the tenant's policy", async () => {
    const user = await make();
    const { status } = await admin("POST", `/users/${user.id}/reset-password`, { password: "weak" });
    expect(status).toBe(422);
    await login(server.url, user.username);
  });
});

describe("/api/v1/admin/users/{id}/sessions", () => {
  it("are listed, and ended", async () => {
    const user = await make();
    const { access_token: token } = await login(server.url, user.username);
    const { body } = await admin<{ data: { id: string }[] }>("GET", `/users/${user.id}/sessions`);
    expect(body.data.length).toBe(1);
    expect((await admin("DELETE", `/users/${user.id}/sessions`)).status).toBe(204);
    expect(await meStatus(token)).toBe(401);
  });
});

describe("the last administrator", () => {
  it("stays: not removed, disabled or stripped of the role", async () => {
    const other = await createOtherTenant(server, "lonely");
    const { person, token } = await newAdministrator(server, other);
    const call = caller(other.base, token);
    const path = `/users/${person.id}`;
    expect((await call("PUT", path, { enabled: false })).status).toBe(409);
    expect((await call("PUT", path, { roles: [] })).status).toBe(409);
    expect((await call("DELETE", path)).status).toBe(409);
    expect((await call<User>("GET", path)).body).toMatchObject({ enabled: true, roles: ["admin"] });
    const second = await newAdministrator(server, other);
    expect((await caller(other.base, second.token)("DELETE", path)).status).toBe(204);
  });

  it("does not count when disabled", async () => {
    const other = await createOtherTenant(server, "lonelier");
    const { person, token } = await newAdministrator(server, other);
    const second = await newAdministrator(server, other);
    const call = caller(other.base, token);
    expect((await call("PUT", `/users/${second.person.id}`, { enabled: false })).status).toBe(200);
    expect((await call("DELETE", `/users/${person.id}`)).status).toBe(409);
  });
});

describe("GET /api/v1/admin/stats", () => {
  it("counts", async () => {
    const other = await createOtherTenant(server, "counted");
    const { token } = await newAdministrator(server, other);
    await register(other.base);
    const { body } = await caller(other.base, token)<Record<string, unknown>>("GET", "/stats");
    const today = server.clock.now().toISOString().slice(0, 10);
    expect(body).toMatchObject({
      total_users: 2,
      active_sessions: 1,
      recent_users: 2,
      total_organizations: 1,
      total_clients: 1,
      total_roles: 2,
      total_groups: 0,
      role_counts: [
        { role: "admin", count: 1 },
        { role: "super_admin", count: 0 },
      ],
    });
    const counts = body["login_counts"] as { day: string; count: number }[];
    expect(counts.length).toBe(30);
    expect(counts.at(-1)).toEqual({ day: today, count: 1 });
    expect(body["recent_events"]).toBeGreaterThan(2);
  });
});
