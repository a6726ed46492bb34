import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import postgres from "postgres";
import { auditEvents, auditSeals } from "../../../src/db/schema/index.ts";
import { settledPlace } from "../../../src/domain/audit/places.ts";
import { record } from "../../../src/domain/audit/service.ts";
import { proveKeysAnew } from "../../../src/domain/audit-seals/keys.ts";
import { dropOldMonths } from "../../../src/domain/audit-seals/retention.ts";
import { sealAuditTrails } from "../../../src/domain/audit-seals/service.ts";
import { verifyAuditTrail } from "../../../src/domain/audit-seals/verification.ts";
import { revokeKey, listKeys } from "../../../src/domain/keys/rotation.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { eq } from "drizzle-orm";
import type { Executor } from "../../../src/db/client.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
let sql: postgres.Sql;
beforeAll(async () => {
  server = await startTestServer();
  sql = postgres(server.config.databaseUrl, { max: 1, onnotice: () => {} });
});
afterAll(async () => {
  await sql.end();
  await server.stop();
});

const write = (executor: Executor, now = server.clock.now()) =>
  record(executor, {
    tenantId: server.tenant.id,
    type: "user.login",
    actor: { type: "system" },
    context: systemContext,
    now,
  });
const verify = () => verifyAuditTrail(server.deps, server.tenant.id);

describe("sealing", () => {
  it("covers every event once, and nothing new adds nothing", async () => {
    await write(server.deps.db);
    const { batches, failed } = await sealAuditTrails(server.deps);
    expect({ batches, failed }).toEqual({ batches: 1, failed: 0 });
    expect(await sealAuditTrails(server.deps)).toEqual({ batches: 0, events: 0, failed: 0 });
    const { bad, events, unsealed } = await verify();
    expect(bad).toBeUndefined();
    expect(events).toBe(await server.deps.db.$count(auditEvents));
    expect(unsealed.events).toBe(0);
  });

  it("waits for a transaction that got its place first and commits last", async () => {
    const begun = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const slow = server.deps.db.transaction(async (tx) => {
      await write(tx);
      begun.resolve();
      await mayCommit.promise;
    });
    await begun.promise;
    await write(server.deps.db);
    expect(await settledPlace(server.deps.db, 100)).toBeUndefined();
    const sealing = sealAuditTrails(server.deps);
    mayCommit.resolve();
    await slow;
    expect(await sealing).toEqual({ batches: 1, events: 2, failed: 0 });
    const { bad, unsealed } = await verify();
    expect({ bad, unsealed: unsealed.events }).toEqual({ bad: undefined, unsealed: 0 });
  });

  it("by two workers at once seals nothing twice", async () => {
    for (let event = 0; event < 20; event++) await write(server.deps.db);
    const done = await Promise.all([sealAuditTrails(server.deps), sealAuditTrails(server.deps)]);
    expect(done.reduce((sum, { events }) => sum + events, 0)).toBe(20);
    expect((await verify()).bad).toBeUndefined();
  });

  it("goes on with the next key, and what the old one sealed stays proven when that is gone", async () => {
    const keys = await listKeys(server.deps, server.tenant);
    const current = keys.find(({ alg }) => alg === "ES256");
    if (!current) throw new Error("no key");
    await revokeKey(server.deps, server.tenant, current.id);
    await sql`delete from signing_keys where revoked_at is not null`;
    expect(await sealAuditTrails(server.deps)).toMatchObject({ batches: 1, failed: 0 });
    const kids = await sql`select count(*)::int as keys from audit_seal_keys`;
    expect(kids[0]?.["keys"]).toBe(2);
    expect((await verify()).bad).toBeUndefined();
  });

  it("stays proven under the next master key, once its keys are proven anew", async () => {
    const [old] = server.config.masterKeys;
    const next = { id: "2", key: Buffer.alloc(32, 9) };
    const withKeys = (masterKeys: typeof server.config.masterKeys) => ({
      ...server.deps,
      config: { ...server.config, masterKeys },
    });
    expect(await proveKeysAnew(withKeys([next, old]))).toBe(2);
    const { bad } = await verifyAuditTrail(withKeys([next]), server.tenant.id);
    expect(bad).toBeUndefined();
    expect(await verify()).toMatchObject({ bad: { number: 1, fault: "signature_invalid" } });
    expect(await proveKeysAnew(withKeys([old, next]))).toBe(2);
  });
});

describe("retention", () => {
  it("drops a month when nobody wants it any more, and leaves a signed tombstone", async () => {
    const old = new Date(server.clock.now().getTime() - 200 * 86_400_000);
    await sql`select ensure_audit_partition(${old})`;
    for (let event = 0; event < 3; event++) await write(server.deps.db, old);
    expect(await dropOldMonths(server.deps)).toEqual({ dropped: [], waiting: [] });

    await server.configure({ audit_retention_days: 90 });
    const month = old.toISOString().slice(0, 7);
    expect(await dropOldMonths(server.deps)).toEqual({ dropped: [], waiting: [month] });
    await sealAuditTrails(server.deps);
    const sealed = (await verify()).events;
    expect(await dropOldMonths(server.deps)).toEqual({ dropped: [month], waiting: [] });

    const { bad, events, droppedMonths } = await verify();
    expect({ bad, droppedMonths, left: sealed - events }).toEqual({
      bad: undefined,
      droppedMonths: [month],
      left: 3,
    });
    const [told] = await server.deps.db
      .select({ details: auditEvents.details })
      .from(auditEvents)
      .where(eq(auditEvents.type, "audit.month_dropped"));
    expect(told?.details).toMatchObject({ month, events: 3, kept_days: 90 });
    await sealAuditTrails(server.deps);
    expect((await verify()).bad).toBeUndefined();
  });

  it("does not account for events that went without a tombstone, or for a tombstone that was changed", async () => {
    await sql`set session_replication_role = replica`;
    const [tombstone] = await server.deps.db
      .select()
      .from(auditSeals)
      .where(eq(auditSeals.kind, "retention"));
    if (!tombstone) throw new Error("no tombstone");
    const parts = tombstone.jws.split(".");
    const jws = [parts[0], parts[1], Buffer.alloc(64, 1).toString("base64url")].join(".");
    await sql`update audit_seals set jws = ${jws} where kind = 'retention'`;
    expect((await verify()).bad).toMatchObject({
      fault: "events_missing",
      expectedEvents: 3,
      foundEvents: 0,
    });
    await sql`update audit_seals set jws = ${tombstone.jws} where kind = 'retention'`;
    expect((await verify()).bad).toBeUndefined();
    await sql`delete from audit_events where seq = (select max(seq) from audit_events)`;
    expect((await verify()).bad).toMatchObject({ fault: "events_missing" });
  });
});
