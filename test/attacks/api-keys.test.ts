/** API keys: what they open, and when they open nothing. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { apiKeys, serviceAccounts, users } from "../../src/db/schema/index.ts";
import { stillAdministers } from "../../src/http/scope.ts";
import { isId, newId } from "../../src/lib/ids.ts";
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
  ownKey,
  server,
  signInAgain,
  theirs,
  userRow,
} from "./api-key-fixture.ts";
import { startSecondProcess } from "./mfa-support.ts";
import { bearer, login, register } from "./support.ts";

beforeAll(begin);
afterAll(end);

describe("an API key", () => {
  it("opens what its scope names, and nothing else", async () => {
    const key = await ownKey(admin.username, ["users:read"]);
    expect((await by(key)("GET", "/users")).status).toBe(200);
    for (const [method, path] of [
      ["POST", "/users"],
      ["DELETE", `/users/${newId("user")}`],
      ["GET", "/roles"],
      ["GET", "/stats"],
    ] as const) {
      const refused = await by(key)<{ error: string }>(method, path);
      expect([method, path, refused.status, refused.body.error]).toEqual([
        method,
        path,
        403,
        "insufficient_scope",
      ]);
      expect(refused.headers.get("www-authenticate")).toContain("scope=");
    }
  });

  /** Guard: http/scope.ts: `adminCaller` asks for the scope of every route of the administration. */
  it("opens no route of the administration without a scope for it", async () => {
    const key = await ownKey(admin.username, ["account:read"]);
    const { paths } = (await (await fetch(`${server.url}/docs/json`)).json()) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      /^\/(?:api\/)?v1\//.test(path) ? Object.keys(methods).map((method) => ({ method, path })) : [],
    );
    expect(routes.length).toBeGreaterThan(60);
    for (const { method, path } of routes) {
      const response = await fetch(mine.base + path.replaceAll(/\{\w+\}/g, "x"), {
        method: method.toUpperCase(),
        headers: bearer(key.token),
      });
      expect([method, path, response.status]).toEqual([method, path, 403]);
    }
  });

  it("is stored as a digest alone, and is shown once", async () => {
    const key = await ownKey(admin.username, ["users:read"]);
    const secret = key.token.slice(key.id.length + 1);
    expect(key.token.startsWith(`${key.id}_`)).toBe(true);
    const [dump] = await server.deps.db.$client<{ found: boolean }[]>`
      select exists (select 1 from api_keys k where k::text like ${`%${secret}%`}) as found`;
    expect(dump?.found).toBe(false);
    const { access_token: token } = await login(mine.base, admin.username);
    const listed = await me<{ data: Record<string, unknown>[] }>("GET", "/api-keys", token);
    expect(JSON.stringify(listed.body)).not.toContain(secret);
    expect(listed.body.data.some(({ id }) => id === key.id)).toBe(true);
  });

  /** Guard: findLiveApiKey compares the secret's digest. */
  it("is not opened by its id with another secret", async () => {
    const key = await ownKey(admin.username, ["users:read"]);
    const forged = { token: `${key.id}_${"A".repeat(43)}` };
    expect((await by(forged)("GET", "/users")).status).toBe(401);
  });

  /** Guard: findLiveApiKey looks for it in the tenant of the request. */
  it("of another tenant is nothing: 401, and 404 to revoke", async () => {
    const key = await ownKey(admin.username, ["admin:read"]);
    expect((await by(key, theirs.base)("GET", "/users")).status).toBe(401);
    expect((await by(key, server.url)("GET", "/users")).status).toBe(401);
    const { token } = await newAdministrator(server, theirs);
    const other = caller(theirs.base, token);
    expect((await other("DELETE", `/users/${admin.id}/api-keys/${key.id}`)).status).toBe(404);
    const { account, key: second } = await accountKey([], ["users:read"]);
    expect((await other("GET", `/service-accounts/${account}`)).status).toBe(404);
    expect((await other("GET", `/service-accounts/${account}/api-keys`)).status).toBe(404);
    expect((await other("DELETE", `/service-accounts/${account}/api-keys/${second.id}`)).status).toBe(404);
    expect((await other("DELETE", `/service-accounts/${account}`)).status).toBe(404);
    expect((await by(key)("GET", "/users")).status).toBe(200);
  });

  /** Guard: repo.revokeKey asks for the owner. */
  it("of somebody else is not revoked by its id", async () => {
    const key = await ownKey(admin.username, ["users:read"]);
    const person = await register(mine.base);
    const { access_token: token } = await login(mine.base, person.username);
    expect((await me("DELETE", `/api-keys/${key.id}`, token)).status).toBe(404);
    expect((await asAdmin("DELETE", `/users/${person.id}/api-keys/${key.id}`)).status).toBe(404);
    expect((await by(key)("GET", "/users")).status).toBe(200);
  });

  /** Guard: findLiveApiKey looks at revokedAt, in the database, at each use. */
  it("is over with the next request once it is revoked", async () => {
    const key = await ownKey(admin.username, ["users:read"]);
    expect((await by(key)("GET", "/users")).status).toBe(200);
    expect((await asAdmin("DELETE", `/users/${admin.id}/api-keys/${key.id}`)).status).toBe(204);
    const answer = await by(key)("GET", "/users");
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect((await asAdmin("DELETE", `/users/${admin.id}/api-keys/${key.id}`)).status).toBe(204);
  });

  it("is over in every other process at once, too", async () => {
    const other = await startSecondProcess(server);
    const key = await ownKey(admin.username, ["users:read"]);
    const there = caller(`${other.url}/t/mine`, key.token);
    expect((await there("GET", "/users")).status).toBe(200);
    expect((await asAdmin("DELETE", `/users/${admin.id}/api-keys/${key.id}`)).status).toBe(204);
    expect((await there("GET", "/users")).status).toBe(401);
    await other.stop();
  });

  /** Guard: http/scope.ts `rolesOfNow`, which a stream asks now and then. */
  it("keeps no answer going on that it opened before it was revoked", async () => {
    const key = await ownKey(admin.username, ["audit:read"]);
    const { tenant } = mine;
    const request = new Request(mine.base, { headers: bearer(key.token) });
    const still = () => stillAdministers(server.deps, { tenant, home: tenant, request });
    expect(await still()).toBe(true);
    expect((await asAdmin("DELETE", `/users/${admin.id}/api-keys/${key.id}`)).status).toBe(204);
    expect(await still()).toBe(false);
  });

  /** Guard: findLiveApiKey reads the owner's roles at each use. */
  it("opens no more than its owner may at that moment", async () => {
    const second = await newAdministrator(server, mine);
    const key = await ownKey(second.person.username, ["admin:read", "account:read"]);
    expect((await by(key)("GET", "/users")).status).toBe(200);
    expect((await asAdmin("PUT", `/users/${second.person.id}`, { roles: [] })).status).toBe(200);
    expect((await by(key)("GET", "/users")).status).toBe(403);
    expect((await me("GET", "", key.token)).status).toBe(200);
  });

  /** Guard: findLiveApiKey looks at the owner's `enabled`. */
  it("of who is disabled, or of a service account that is, opens nothing", async () => {
    const second = await newAdministrator(server, mine);
    const key = await ownKey(second.person.username, ["admin:read"]);
    await server.deps.db.update(users).set({ enabled: false }).where(userRow(second.person));
    expect((await by(key)("GET", "/users")).status).toBe(401);
    const { account, key: ofAccount } = await accountKey(["admin"], ["users:read"]);
    expect((await by(ofAccount)("GET", "/users")).status).toBe(200);
    await asAdmin("PUT", `/service-accounts/${account}`, { enabled: false });
    expect((await by(ofAccount)("GET", "/users")).status).toBe(401);
  });

  it("goes with its owner", async () => {
    const { account, key } = await accountKey(["admin"], ["users:read"]);
    expect((await asAdmin("DELETE", `/service-accounts/${account}`)).status).toBe(204);
    expect((await by(key)("GET", "/users")).status).toBe(401);
    if (!isId("serviceAccount", account)) throw new Error("no account");
    expect(await server.deps.db.$count(apiKeys, eq(apiKeys.serviceAccountId, account))).toBe(0);
    expect(await server.deps.db.$count(serviceAccounts, eq(serviceAccounts.id, account))).toBe(0);
  });

  /** Guard: findLiveApiKey compares expiresAt. */
  it("ends when it was said to", async () => {
    const key = await ownKey(admin.username, ["users:read"], { expires_in_days: 1 });
    expect((await by(key)("GET", "/users")).status).toBe(200);
    server.clock.advance(86_400);
    expect((await by(key)("GET", "/users")).status).toBe(401);
    // What follows signs in anew.
    await signInAgain();
  });

  it("is a Bearer token of the profile where it is for the account, and of nothing else there", async () => {
    const person = await register(mine.base);
    const key = await ownKey(person.username, ["account:read"]);
    const profile = await me<{ username: string }>("GET", "", key.token);
    expect([profile.status, profile.body.username]).toEqual([200, person.username]);
    const other = await ownKey(admin.username, ["users:read"]);
    expect((await me("GET", "", other.token)).status).toBe(403);
    const { key: ofAccount } = await accountKey([], ["users:read"]);
    expect((await me("GET", "", ofAccount.token)).status).toBe(403);
  });

  it("notes when it was used, to the minute", async () => {
    const key = await ownKey(admin.username, ["users:read"]);
    const lastUsed = async () => {
      if (!isId("apiKey", key.id)) throw new Error("no key");
      const [row] = await server.deps.db
        .select({ at: apiKeys.lastUsedAt })
        .from(apiKeys)
        .where(eq(apiKeys.id, key.id));
      return row?.at?.getTime();
    };
    await by(key)("GET", "/users");
    const first = await lastUsed();
    expect(first).toBe(server.clock.now().getTime());
    server.clock.advance(30);
    await by(key)("GET", "/users");
    expect(await lastUsed()).toBe(first);
    server.clock.advance(31);
    await by(key)("GET", "/users");
    expect(await lastUsed()).toBe(server.clock.now().getTime());
  });
});
