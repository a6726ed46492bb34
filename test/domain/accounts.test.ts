import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import {
  accountDeletions,
  auditEvents,
  lockouts,
  outbox,
  passwordCredentials,
  sessions,
  users,
} from "../../src/db/schema/index.ts";
import { createAccount } from "../../src/domain/accounts/registration.ts";
import { signInNative } from "../../src/domain/accounts/sign-in.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { createTenant } from "../../src/domain/tenants/service.ts";
import { isEmailAddress } from "../../src/domain/users/service.ts";
import { addSeconds } from "../../src/lib/clock.ts";
import { AppError } from "../../src/lib/errors.ts";
import { newId } from "../../src/lib/ids.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const password = "SecureP@ssw0rd!";
const account = (username: string, roles: string[] = []) =>
  createAccount(
    server.deps,
    server.tenant,
    { username, email: `${username}@example.com`, password, emailVerified: true, roles },
    systemContext,
  );

const detailsOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => undefined,
    (error: unknown) => (error instanceof AppError ? error.details : error),
  );

describe("roles", () => {
  it("are given by name", async () => {
    expect((await account("administrator.two", ["admin"])).roles).toEqual(["admin"]);
  });

  it("that the tenant does not have are refused, and nothing is made or written down", async () => {
    expect(await detailsOf(account("nobody", ["admin", "king"]))).toEqual([
      { field: "role", message: "Must be a role of this tenant: admin, super_admin." },
    ]);
    expect(await server.deps.db.select().from(users).where(eq(users.username, "nobody"))).toEqual([]);
    const assigned = await server.deps.db
      .select()
      .from(auditEvents)
      .where(eq(auditEvents.type, "role.assigned"));
    expect(JSON.stringify(assigned)).not.toContain("king");
  });
});

describe("a sign-in that is complete", () => {
  const context = { requestId: "req_test", ip: "192.0.2.7", userAgent: "Test/1" };
  const signIn = (identifier: string, given = password) =>
    signInNative(server.deps, server.tenant, { identifier, password: given }, context);

  it("makes the account's count of wrong passwords begin anew", async () => {
    const { id } = await account("forgetful");
    const most = server.tenant.settings.max_failed_login_attempts - 1;
    for (let round = 0; round < 2; round++) {
      for (let wrong = 0; wrong < most; wrong++)
        await expect(signIn("forgetful", "wrong")).rejects.toMatchObject({ status: 401 });
      expect((await signIn("forgetful")).kind).toBe("signed_in");
      const [counted] = await server.deps.db.select().from(lockouts).where(eq(lockouts.key, id));
      expect(counted).toMatchObject({ failures: 0, pending: 0, lockouts: 0, lockedUntil: null });
    }
  });

  it("is one row of the audit trail, and one more where it keeps the account from being deleted", async () => {
    const { id } = await account("undecided");
    const events = async () =>
      (await server.deps.db.select().from(auditEvents).where(eq(auditEvents.actorId, id)))
        .map(({ type, details }) => ({ type, details }))
        .filter(({ type }) => type !== "user.created");
    await signIn("undecided");
    const login = { type: "user.login", details: { method: "password", acr: "urn:gatewright:acr:1fa" } };
    expect(await events()).toEqual([login]);
    const now = server.clock.now();
    await server.deps.db.insert(accountDeletions).values({
      tenantId: server.tenant.id,
      id: newId("accountDeletion"),
      userId: id,
      requestedAt: now,
      dueAt: addSeconds(now, 86_400),
    });
    await signIn("undecided");
    await signIn("undecided");
    expect((await events()).toSorted((a, b) => (a.type < b.type ? -1 : 1))).toEqual([
      { type: "user.deletion_cancelled", details: { by: "sign_in" } },
      login,
      login,
      login,
    ]);
    const [deletion] = await server.deps.db
      .select()
      .from(accountDeletions)
      .where(eq(accountDeletions.userId, id));
    expect(deletion?.cancelledAt).not.toBeNull();
  });
});

describe("the notice of a new sign-in", () => {
  const noticesOf = async (id: string) =>
    (await server.deps.db.select().from(outbox).where(eq(outbox.name, "new_sign_in"))).filter(
      ({ payload }) => payload["user_id"] === id,
    ).length;

  it("is sent for another browser, also when the sessions before it were cleaned up long ago", async () => {
    const { id } = await account("traveller");
    const signIn = (userAgent: string) =>
      signInNative(
        server.deps,
        server.tenant,
        { identifier: "traveller", password },
        { requestId: "req_test", ip: "192.0.2.1", userAgent },
      );
    await signIn("First/1");
    expect(await noticesOf(id)).toBe(0);
    await signIn("First/1");
    expect(await noticesOf(id)).toBe(0);
    await signIn("Second/1");
    expect(await noticesOf(id)).toBe(1);
    await server.deps.db.delete(sessions).where(eq(sessions.userId, id));
    await signIn("Third/1");
    expect(await noticesOf(id)).toBe(2);
  });
});

describe("email addresses", () => {
  const good = [
    "jane@example.com",
    "a.b+c_d@mail.example.co.uk",
    "jürgen@example.de",
    "o'neil@example.ie",
    "x@xn--bcher-kva.example",
  ];
  const bad = [
    "",
    "jane",
    "jane@localhost",
    "@example.com",
    "jane@",
    "a..b@example.com",
    ".a@example.com",
    "a.@example.com",
    "a@b..c",
    "a@-b.example",
    "a@[127.0.0.1]",
    "a b@example.com",
    "a@b@example.com",
    "a@example.com\r\nBcc: b@example.com",
    `${"x".repeat(65)}@example.com`,
    `a@${"x".repeat(64)}.example`,
  ];

  it.each(good)("%s is one, for pages and API", async (address) => {
    expect(isEmailAddress(address)).toBe(true);
    expect((await postJson(`${server.url}/forgot-password`, { email: address })).status).toBe(200);
  });

  it.each(bad)("%p is none, for pages and API", async (address) => {
    expect(isEmailAddress(address)).toBe(false);
    expect((await postJson(`${server.url}/forgot-password`, { email: address })).status).toBe(422);
  });
});

describe("names", () => {
  it.each(["", "   ", "x".repeat(129), "two\nlines", "a\u0000b"])(
    "of tenants and clients are not %p",
    async (name) => {
      const problem = [{ field: "name", message: "Must be 1 to 128 printable characters." }];
      expect(await detailsOf(createTenant(server.deps, { slug: "named", name }))).toEqual(problem);
      expect(await detailsOf(server.createClient({ name, redirectUris: ["https://app.example/"] }))).toEqual(
        problem,
      );
    },
  );
});

describe("what a tenant has switched off", () => {
  it("has no page either", async () => {
    const page = (path: string) => fetch(server.url + path, { headers: { accept: "text/html" } });
    await server.configure({ self_registration_enabled: false, forgot_password_enabled: false });
    expect([(await page("/signup")).status, (await page("/recover")).status]).toEqual([403, 403]);
    await server.configure({ self_registration_enabled: true, forgot_password_enabled: true });
    expect([(await page("/signup")).status, (await page("/recover")).status]).toEqual([200, 200]);
  });
});

describe("a hash of another cost", () => {
  it("is replaced at the next sign-in, and of several at once none is refused", async () => {
    const { id } = await account("old.timer");
    const weak = await Bun.password.hash(password, { algorithm: "argon2id", memoryCost: 8192, timeCost: 1 });
    const ofUser = eq(passwordCredentials.userId, id);
    await server.deps.db.update(passwordCredentials).set({ hash: weak }).where(ofUser);
    const credentials = { identifier: "old.timer", password };
    const attempts = Array.from({ length: 4 }, () => postJson(`${server.url}/login`, credentials));
    expect((await Promise.all(attempts)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const [credential] = await server.deps.db.select().from(passwordCredentials).where(ofUser);
    expect(credential?.hash).toContain("$m=19456,t=2,");
  });
});
