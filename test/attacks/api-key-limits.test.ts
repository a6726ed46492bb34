/** What nobody gets by an API key, and who makes which. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import { roles, userRoles } from "../../src/db/schema/index.ts";
import { caller, newAdministrator } from "../api/native/admin/support.ts";
import {
  accountKey,
  admin,
  asAdmin,
  begin,
  by,
  end,
  me,
  mine,
  next,
  ownKey,
  server,
  signInAgain,
  type Key,
} from "./api-key-fixture.ts";
import { bearer, login, PASSWORD, register } from "./support.ts";

beforeAll(begin);
afterAll(end);

describe("by an API key nobody", () => {
  let all: Key;
  beforeAll(async () => {
    all = await ownKey(admin.username, ["admin:read", "admin:write", "account:read"]);
  });

  /** Guard: api-keys/scopes.ts `forPeople`. */
  it("makes credentials, resets passwords or signs in as a user", async () => {
    const person = await register(mine.base);
    const { account } = await accountKey([], ["users:read"]);
    const attempts = [
      [`/service-accounts/${account}/api-keys`, { name: "x", scopes: ["users:read"] }],
      ["/scim-tokens", { name: "x" }],
      ["/initial-access-tokens", {}],
      [`/users/${person.id}/reset-password`, { password: `N3w-${PASSWORD}` }],
    ] as const;
    for (const [path, body] of attempts)
      expect([path, (await by(all)("POST", path, body)).status]).toEqual([path, 403]);
  });

  /** Guard: the routes under /me take access tokens alone, but for GET /me. */
  it("makes keys of their own, or changes password, address, factors or profile", async () => {
    const attempts: [string, string, unknown?][] = [
      ["POST", "/me/api-keys", { name: "x", scopes: ["account:read"] }],
      ["GET", "/me/api-keys"],
      ["POST", "/me/password", { new_password: `N3w-${PASSWORD}`, current_password: PASSWORD }],
      ["POST", "/me/email", { email: "x@example.com" }],
      ["PATCH", "/me", { given_name: "X" }],
      ["DELETE", "/me"],
      ["GET", "/me/sessions"],
      ["POST", "/mfa/totp/enroll", {}],
      ["GET", "/oauth/userinfo"],
      ["GET", "/scim/v2/Users"],
    ];
    for (const [method, path, body] of attempts) {
      const response = await fetch(mine.base + path, {
        method,
        headers: { "content-type": "application/json", ...bearer(all.token) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      expect([path, response.status]).toEqual([path, 401]);
    }
  });

  /** Guard: administrators/service.ts `beyond`: for keys, admin too. */
  it("makes administrators, or takes one over", async () => {
    const person = await register(mine.base);
    const second = await newAdministrator(server, mine);
    const use = by(all);
    const username = `new${next()}`;
    const user = { username, email: `${username}@example.com`, password: PASSWORD };
    expect((await use("POST", "/users", { ...user, roles: ["admin"] })).status).toBe(403);
    expect((await use("PUT", `/users/${person.id}`, { roles: ["admin"] })).status).toBe(403);
    expect((await use("PUT", `/users/${second.person.id}`, { enabled: false })).status).toBe(403);
    expect((await use("DELETE", `/users/${second.person.id}`)).status).toBe(403);
    expect((await use("POST", "/service-accounts", { name: "x", roles: ["admin"] })).status).toBe(403);
    const group = await asAdmin<{ id: string }>("POST", "/groups", { name: `G${next()}` });
    expect((await use("PUT", `/groups/${group.body.id}/roles`, { roles: ["admin"] })).status).toBe(403);
    expect((await asAdmin("PUT", `/groups/${group.body.id}/roles`, { roles: ["admin"] })).status).toBe(200);
    const join = `/groups/${group.body.id}/members/${person.id}`;
    expect((await use("PUT", join)).status).toBe(403);
    const holders = await server.deps.db
      .select({ id: userRoles.userId })
      .from(userRoles)
      .innerJoin(roles, eq(roles.id, userRoles.roleId))
      .where(and(eq(userRoles.tenantId, mine.tenant.id), eq(roles.name, "admin")));
    expect(holders.some(({ id }) => id === person.id)).toBe(false);
  });

  /** Guard: user-administration/service.ts `changeUser`: a new address opens an account by its reset link. */
  it("changes the address of a user", async () => {
    const person = await register(mine.base);
    expect((await by(all)("PUT", `/users/${person.id}`, { email: "taken@example.com" })).status).toBe(403);
    expect((await by(all)("PUT", `/users/${person.id}`, { given_name: "Jane" })).status).toBe(200);
  });

  it("administers another tenant than their own, unless they administer all", async () => {
    const response = await fetch(`${server.url}/t/mine/api/v1/admin/users`, {
      headers: { ...bearer(all.token), "x-org-context": "theirs" },
    });
    expect(response.status).toBe(403);
  });
});

describe("making a key", () => {
  it("needs a proof of lately", async () => {
    const settings = { access_token_lifetime: 3600 };
    expect((await asAdmin("PUT", `/organizations/${mine.tenant.id}/settings`, settings)).status).toBe(200);
    const { access_token: token } = await login(mine.base, admin.username);
    const account = await caller(mine.base, token)<{ id: string }>("POST", "/service-accounts", {
      name: `A${next()}`,
    });
    server.clock.advance(15 * 60 + 1);
    const body = { name: "x", scopes: ["account:read"] };
    const refused = await me<{ error: string }>("POST", "/api-keys", token, body);
    expect([refused.status, refused.body.error]).toEqual([401, "insufficient_user_authentication"]);
    const path = `/service-accounts/${account.body.id}/api-keys`;
    const stale = await caller(mine.base, token)<{ error: string }>("POST", path, {
      name: "x",
      scopes: ["users:read"],
    });
    expect([stale.status, stale.body.error]).toEqual([401, "insufficient_user_authentication"]);
    await signInAgain();
  });

  /** Guard: offeredScopes. */
  it("for the administration is for who administers", async () => {
    const person = await register(mine.base);
    const { access_token: token } = await login(mine.base, person.username);
    const refused = await me<{ details: { field: string }[] }>("POST", "/api-keys", token, {
      name: "x",
      scopes: ["users:read"],
    });
    expect([refused.status, refused.body.details.map(({ field }) => field)]).toEqual([422, ["scopes"]]);
  });

  it.each([
    [{ scopes: ["unheard-of"] }, "scopes"],
    [{ scopes: [] }, "scopes"],
    [{ name: "\u0007" }, "name"],
    [{ expires_in_days: 0 }, "expires_in_days"],
    [{ expires_in_days: 366 }, "expires_in_days"],
    [{ expires_in_days: null }, "expires_in_days"],
  ])("is refused with %p", async (changes, field) => {
    const { access_token: token } = await login(mine.base, admin.username);
    const refused = await me<{ details: { field: string }[] }>("POST", "/api-keys", token, {
      name: "x",
      scopes: ["account:read"],
      ...changes,
    });
    expect([refused.status, refused.body.details.map((one) => one.field)]).toEqual([422, [field]]);
  });

  it("without an end is for service accounts, where the tenant allows that", async () => {
    const { account } = await accountKey([], ["users:read"]);
    const path = `/service-accounts/${account}/api-keys`;
    const body = { name: "x", scopes: ["users:read"], expires_in_days: null };
    expect((await asAdmin("POST", path, body)).status).toBe(422);
    const settings = { api_keys_without_expiry: true, api_key_max_days: 30 };
    expect((await asAdmin("PUT", `/organizations/${mine.tenant.id}/settings`, settings)).status).toBe(200);
    expect((await asAdmin<Key>("POST", path, body)).body.expires_at).toBeNull();
    expect((await asAdmin("POST", path, { ...body, expires_in_days: 31 })).status).toBe(422);
    const unsaid = await asAdmin<Key>("POST", path, { name: "x", scopes: ["users:read"] });
    const days = (Date.parse(unsaid.body.expires_at ?? "") - server.clock.now().getTime()) / 86_400_000;
    expect(Math.round(days)).toBe(30);
  });
});
