/** gatewright seed, on a real database: what it makes is what registering and signing in would have written. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { and, eq, like } from "drizzle-orm";
import {
  auditEvents,
  passwordCredentials,
  tenants,
  userEmails,
  users,
  userSearch,
} from "../../src/db/schema/index.ts";
import { sealAuditTrails } from "../../src/domain/audit-seals/service.ts";
import { verifyAuditTrail } from "../../src/domain/audit-seals/verification.ts";
import { administratorsToken, caller } from "../api/native/admin/support.ts";
import { scimClient } from "../conformance/scim/support.ts";
import { runCommandLine } from "../support/command-line.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";

const USERS = 300;
const EVENTS = 2000;
let server: TestServer;
let password: string;

const run = (...args: string[]) =>
  runCommandLine(["seed", ...args], {
    NODE_ENV: "test",
    DATABASE_URL: server.config.databaseUrl,
    PUBLIC_URL: server.url,
    GATEWRIGHT_MASTER_KEY: `1:${Buffer.alloc(32, 7).toString("base64")}`,
  });

beforeAll(async () => {
  server = await startTestServer();
  const { code, stdout, stderr } = await run("--users", String(USERS), "--audit-events", String(EVENTS));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain(`${USERS} of ${USERS} users`);
  expect(stdout).toContain(`${EVENTS} of ${EVENTS} audit events`);
  password = /shown this once: (\S+)/.exec(stdout)?.[1] ?? "";
});
afterAll(() => server.stop());

const seeded = like(userEmails.address, "%.example.com");

async function somebody(verified = true) {
  const rows = await server.deps.db
    .select({
      id: users.id,
      username: users.username,
      givenName: users.givenName,
      email: userEmails.address,
      verifiedAt: userEmails.verifiedAt,
    })
    .from(users)
    .innerJoin(userEmails, and(eq(userEmails.tenantId, users.tenantId), eq(userEmails.userId, users.id)))
    .where(and(seeded, eq(users.enabled, true)));
  const found = rows.find(({ verifiedAt }) => (verifiedAt !== null) === verified);
  if (!found) throw new Error("nobody was seeded");
  return found;
}

describe("users that were seeded", () => {
  it("are as many as were asked for, each with an address, a password and what they are searched by", async () => {
    const { db } = server.deps;
    const [row] = await db.$client<{ counted: number; whole: number }[]>`
      select count(*)::int as counted, count(*) filter (where s.email_key = e.address_key and s.created_at = u.created_at
        and s.text like '%' || lower(e.address) || '%' and s.text like '%' || search_form(u.given_name || ' ' || u.family_name) || '%')::int as whole
      from users u join user_emails e on e.tenant_id = u.tenant_id and e.user_id = u.id and e.is_primary
        join password_credentials p on p.tenant_id = u.tenant_id and p.user_id = u.id
        join user_search s on s.tenant_id = u.tenant_id and s.user_id = u.id
      where e.address like '%.example.com'`;
    expect(row).toEqual({ counted: USERS, whole: USERS });
    expect(await db.$count(userSearch)).toBe(await db.$count(users));
    const hashes = await db.selectDistinct({ hash: passwordCredentials.hash }).from(passwordCredentials);
    // The administrator's, and one for all of them.
    expect(hashes).toHaveLength(2);
    expect(hashes.every(({ hash }) => hash.startsWith("$argon2id$v=19$m=19456,t=2,"))).toBe(true);
  });

  it("sign in by name and by address, with the password that was shown", async () => {
    const { username, email } = await somebody();
    for (const identifier of [username, email]) {
      expect((await postJson(`${server.url}/login`, { identifier, password })).status).toBe(200);
      expect((await postJson(`${server.url}/login`, { identifier, password: "not this" })).status).toBe(401);
    }
  });

  it("are listed, searched and filtered", async () => {
    const call = caller(server.url, await administratorsToken(server));
    const get = async (query: string) =>
      (await call<{ data: { username: string }[]; pagination: { total: number } }>("GET", `/users?${query}`))
        .body;
    expect((await get("limit=1")).pagination.total).toBe(USERS + 1);
    const { username, email } = await somebody();
    expect((await get(`search=${encodeURIComponent(email)}`)).data).toMatchObject([{ username }]);
    const employees = (await get("role=employee")).pagination.total;
    expect(employees).toBeGreaterThan(USERS / 5);
    expect(employees).toBeLessThan(USERS);
    expect((await get("enabled=false")).pagination.total).toBeGreaterThan(0);
  });

  it("are found through SCIM", async () => {
    const { username, id } = await somebody();
    const scim = await scimClient(server);
    const { body } = await scim.get(`/Users?filter=${encodeURIComponent(`userName eq "${username}"`)}`);
    expect(body.totalResults).toBe(1);
    expect(body.Resources?.[0]).toMatchObject({ id, userName: username });
  });

  it("are more only when told to add some, who are others", async () => {
    const refused = await run("--users", "10");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("--add");
    expect(await server.deps.db.$count(userEmails, seeded)).toBe(USERS);
    expect((await run("--users", "10", "--add")).code).toBe(0);
    expect(await server.deps.db.$count(userEmails, seeded)).toBe(USERS + 10);
  });
});

describe("audit events that were seeded", () => {
  it("lie in the partitions of their months, and are sealed like others", async () => {
    const { db } = server.deps;
    const rows = await db.$client<{ partition: string; month: string; events: number }[]>`
      select tableoid::regclass::text as partition, to_char(created_at at time zone 'UTC', '"audit_events_"YYYY_MM') as month,
        count(*)::int as events
      from audit_events group by 1, 2`;
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter(({ partition, month }) => partition !== month)).toEqual([]);
    const total = rows.reduce((sum, { events }) => sum + events, 0);
    expect(await sealAuditTrails(server.deps)).toMatchObject({ events: total, failed: 0 });
    const verified = await verifyAuditTrail(server.deps, server.tenant.id);
    expect(verified).toMatchObject({ events: total, bad: undefined });
  });

  it("tell of users that there are", async () => {
    const call = caller(server.url, await administratorsToken(server));
    const [event] = await server.deps.db
      .select()
      .from(auditEvents)
      .where(and(eq(auditEvents.type, "user.login"), like(auditEvents.requestId, "req_%")))
      .limit(1);
    expect((await call("GET", `/users/${event?.actorId}`)).status).toBe(200);
    const found = await call<{ data: { id: string }[] }>("GET", `/audit-events?user_id=${event?.actorId}`);
    expect(found.body.data.map(({ id }) => id)).toContain(event?.id ?? "");
  });
});

describe("gatewright seed", () => {
  it("spreads users over tenants, which it makes", async () => {
    expect((await run("--users", "31", "--tenants", "3", "--add")).code).toBe(0);
    const { db } = server.deps;
    const rows = await db.select().from(tenants).where(like(tenants.slug, "seed-%"));
    expect(rows.map(({ slug }) => slug).toSorted()).toEqual(["seed-2", "seed-3"]);
    for (const { id } of rows) expect([10, 11]).toContain(await db.$count(users, eq(users.tenantId, id)));
  });

  it.each([
    [["--users", "-1"], "--users must be"],
    [["--users", "many"], "--users must be"],
    [["--users", "1", "--tenants", "0"], "--tenants must be"],
    [[], "say how many"],
  ])("refuses %j", async (args, problem) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(1);
    expect(stderr).toContain(problem);
  });

  it("refuses production, unless told that it is meant", async () => {
    const { code, stderr } = await runCommandLine(["seed", "--users", "1"], { NODE_ENV: "production" });
    expect(code).toBe(1);
    expect(stderr).toContain("--yes");
  });
});
