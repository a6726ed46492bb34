import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq, sql } from "drizzle-orm";
import {
  accessTokens,
  authorizationCodes,
  challenges,
  clientSecrets,
  initialAccessTokens,
  deviceAuthorizations,
  jobLedger,
  lockouts,
  rateLimits,
  refreshTokens,
  revokedAccessTokens,
  sessions,
  tokenFamilies,
  usedTokens,
} from "../../../src/db/schema/index.ts";
import { createDeps, type Deps } from "../../../src/deps.ts";
import { cleanUp, prepareAuditPartitions } from "../../../src/domain/maintenance/service.ts";
import { addSeconds } from "../../../src/lib/clock.ts";
import { type Id, newId } from "../../../src/lib/ids.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { insertTestClient, insertTestTenant, insertTestUsers, testConfig } from "../../support/queue.ts";

const now = new Date("2031-05-20T12:00:00Z");
const hours = (count: number) => addSeconds(now, count * 3600);
const days = (count: number) => hours(count * 24);
const hash = Buffer.alloc(32);

let database: TestDatabase;
let deps: Deps & { close(): Promise<void> };
let tenantId: Id<"tenant">;
let userId: Id<"user">;
let clientId: Id<"client">;

beforeAll(async () => {
  database = await createTestDatabase();
  const config = testConfig({ DATABASE_URL: database.url });
  deps = await createDeps(config, { process: "worker", clock: { now: () => now } });
  tenantId = await insertTestTenant(deps.db);
  const [user] = await insertTestUsers(deps.db, tenantId, 1);
  if (!user) throw new Error("no user was made");
  userId = user.userId;
  clientId = await insertTestClient(deps.db, tenantId, now);
});
afterAll(async () => {
  await deps.close();
  await database.drop();
});
beforeEach(async () => {
  await deps.db.delete(sessions);
  await deps.db.delete(challenges);
  await deps.db.delete(jobLedger);
});

async function insertSession(expiresAt: Date): Promise<Id<"session">> {
  const id = newId("session");
  const moments = { authTime: now, createdAt: now, lastSeenAt: now, expiresAt };
  await deps.db.insert(sessions).values({ tenantId, id, userId, acr: "1", amr: ["pwd"], ...moments });
  return id;
}

async function insertFamily(
  sessionId: Id<"session">,
  expiresAt: Date,
  revokedAt: Date | null = null,
): Promise<Id<"tokenFamily">> {
  const id = newId("tokenFamily");
  const row = { tenantId, id, userId, clientId, sessionId, scope: [], offline: true };
  await deps.db.insert(tokenFamilies).values({ ...row, createdAt: now, expiresAt, revokedAt });
  return id;
}

async function insertRefreshToken(familyId: Id<"tokenFamily">, expiresAt: Date): Promise<Id<"refreshToken">> {
  const id = newId("refreshToken");
  await deps.db
    .insert(refreshTokens)
    .values({ tenantId, id, familyId, hash, scope: [], issuedAt: now, expiresAt });
  return id;
}

async function insertCode(
  sessionId: Id<"session">,
  expiresAt: Date,
  familyId: Id<"tokenFamily"> | null = null,
): Promise<Id<"authorizationCode">> {
  const id = newId("authorizationCode");
  await deps.db.insert(authorizationCodes).values({
    tenantId,
    id,
    hash,
    clientId,
    userId,
    sessionId,
    redirectUri: "https://app.example/cb",
    scope: [],
    codeChallenge: "c",
    authTime: now,
    acr: "1",
    amr: ["pwd"],
    createdAt: now,
    expiresAt,
    familyId,
  });
  return id;
}

type Kept =
  | typeof sessions
  | typeof tokenFamilies
  | typeof refreshTokens
  | typeof authorizationCodes
  | typeof challenges;
const idsIn = async (table: Kept) =>
  (await deps.db.select({ id: table.id }).from(table)).map(({ id }) => id).toSorted();

describe("clean-up", () => {
  it("removes challenges a day after their end", async () => {
    const insert = async (expiresAt: Date) => {
      const id = newId("challenge");
      await deps.db
        .insert(challenges)
        .values({ tenantId, id, kind: "verify_email", userId, hash, createdAt: now, expiresAt });
      return id;
    };
    await insert(hours(-25));
    const kept = [await insert(hours(-23)), await insert(hours(1))];
    expect((await cleanUp(deps))["challenges"]).toBe(1);
    expect(await idsIn(challenges)).toEqual(kept.toSorted());
  });

  it("removes token families a day after their end, with their tokens, and old tokens of families that live", async () => {
    const sessionId = await insertSession(days(1));
    await insertRefreshToken(await insertFamily(sessionId, hours(-25)), hours(-25));
    const living = await insertFamily(sessionId, days(7));
    await insertRefreshToken(living, hours(-25));
    const token = await insertRefreshToken(living, hours(-23));
    await cleanUp(deps);
    expect(await idsIn(tokenFamilies)).toEqual([living]);
    expect(await idsIn(refreshTokens)).toEqual([token]);
  });

  it("keeps a used code while what it issued lives, so that its replay is noticed (RFC 6749 §4.1.2)", async () => {
    const sessionId = await insertSession(days(1));
    const replayable = await insertCode(sessionId, days(-3), await insertFamily(sessionId, days(7)));
    await insertCode(sessionId, days(-3), await insertFamily(sessionId, days(7), now));
    await insertCode(sessionId, days(-3), await insertFamily(sessionId, hours(-25)));
    await insertCode(sessionId, hours(-2));
    const fresh = await insertCode(sessionId, hours(-0.5));
    expect((await cleanUp(deps))["authorization_codes"]).toBe(3);
    expect(await idsIn(authorizationCodes)).toEqual([replayable, fresh].toSorted());
  });

  it("removes sessions 30 days after their end", async () => {
    await insertSession(days(-31));
    const kept = [await insertSession(days(-29)), await insertSession(days(1))];
    await cleanUp(deps);
    expect(await idsIn(sessions)).toEqual(kept.toSorted());
  });

  it("keeps a session while a token family with offline access outlives it", async () => {
    const sessionId = await insertSession(days(-60));
    const familyId = await insertFamily(sessionId, days(7));
    await cleanUp(deps);
    expect(await idsIn(sessions)).toEqual([sessionId]);
    expect(await idsIn(tokenFamilies)).toEqual([familyId]);
  });

  it("removes completed jobs after 7 days and abandoned ones after 60", async () => {
    const insert = (jobId: string, startedAt: Date, completedAt: Date | null) =>
      deps.db.insert(jobLedger).values({ tenantId, jobId, attempts: 1, startedAt, completedAt });
    await insert("old", days(-9), days(-8));
    await insert("completed late", days(-9), days(-6));
    await insert("open", days(-59), null);
    await insert("abandoned", days(-61), null);
    await cleanUp(deps);
    const rows = await deps.db.select({ jobId: jobLedger.jobId }).from(jobLedger);
    expect(rows.map(({ jobId }) => jobId).toSorted()).toEqual(["completed late", "open"]);
  });

  it("removes access tokens, revocations, used tokens and devices' requests an hour after their end", async () => {
    const { db } = deps;
    for (const [index, expiresAt] of [hours(-2), hours(-0.5), hours(1)].entries()) {
      const common = { tenantId, clientId, hash, createdAt: now, expiresAt };
      const id = newId("accessToken");
      await db.insert(accessTokens).values({ ...common, id, claims: {}, issuedAt: now });
      await db
        .insert(revokedAccessTokens)
        .values({ tenantId, jti: `jti-${index}`, revokedAt: now, expiresAt });
      await db
        .insert(usedTokens)
        .values({ tenantId, kind: "dpop_proof", hash: Buffer.from([index]), expiresAt });
      await db.insert(deviceAuthorizations).values({
        ...common,
        id: newId("deviceAuthorization"),
        userCode: `CODE${index}`,
        scope: [],
        status: "pending",
        intervalSeconds: 5,
      });
    }
    expect(await cleanUp(deps)).toMatchObject({
      access_tokens: 1,
      revoked_access_tokens: 1,
      used_tokens: 1,
      device_authorizations: 1,
    });
  });

  it("removes initial access tokens and client secrets a day after their end, and never a secret without one", async () => {
    const { db } = deps;
    for (const expiresAt of [hours(-25), hours(-23), null]) {
      const common = { tenantId, hash, createdAt: now };
      await db.insert(clientSecrets).values({ ...common, id: newId("clientSecret"), clientId, expiresAt });
      if (expiresAt)
        await db
          .insert(initialAccessTokens)
          .values({ ...common, id: newId("initialAccessToken"), usesLeft: 1, expiresAt });
    }
    expect(await cleanUp(deps)).toMatchObject({ initial_access_tokens: 1, client_secrets: 1 });
    expect((await db.select().from(clientSecrets)).map(({ expiresAt }) => expiresAt)).toContain(null);
  });

  it("tells what was used by its kind too: a client may give two kinds of JWT one jti", async () => {
    const row = { tenantId, hash: Buffer.from("same") };
    await deps.db.insert(usedTokens).values([
      { ...row, kind: "request_object", expiresAt: hours(-2) },
      { ...row, kind: "client_assertion", expiresAt: hours(1) },
    ]);
    await cleanUp(deps);
    const kept = await deps.db
      .select({ kind: usedTokens.kind })
      .from(usedTokens)
      .where(eq(usedTokens.hash, row.hash));
    expect(kept).toEqual([{ kind: "client_assertion" }]);
  });

  it("removes lockouts when nothing of them matters any more", async () => {
    const insert = (key: string, expiresAt: Date) =>
      deps.db.insert(lockouts).values({
        ...{ tenantId, kind: "account" as const, key, failures: 1, lockouts: 0, lockedUntil: null },
        ...{ pending: 0, pendingUntil: now, windowEndsAt: expiresAt, expiresAt },
      });
    await insert("over", addSeconds(now, -1));
    await insert("counting", addSeconds(now, 1));
    expect((await cleanUp(deps))["lockouts"]).toBe(1);
    expect((await deps.db.select().from(lockouts)).map(({ key }) => key)).toEqual(["counting"]);
  });

  it("removes counters of requests an hour after their window", async () => {
    const insert = (key: string, expiry: Date) =>
      deps.db.insert(rateLimits).values({ key, points: 1, expire: expiry.getTime() });
    await insert("old", hours(-1.1));
    await insert("fresh", hours(-0.9));
    expect((await cleanUp(deps))["rate_limits"]).toBe(1);
    expect((await deps.db.select().from(rateLimits)).map(({ key }) => key)).toEqual(["fresh"]);
  });

  it("goes through more than one batch", async () => {
    const rows = Array.from({ length: 2500 }, (_, index) => ({
      tenantId,
      jobId: `job-${index}`,
      attempts: 1,
      startedAt: days(-9),
      completedAt: days(-9),
    }));
    await deps.db.insert(jobLedger).values(rows);
    expect((await cleanUp(deps))["completed_jobs"]).toBe(2500);
  });

  it("removes what one task is for, and nothing else", async () => {
    await deps.db.insert(jobLedger).values({ tenantId, jobId: "old", attempts: 1, startedAt: days(-61) });
    await insertSession(days(-31));
    expect(await cleanUp(deps, "idempotency")).toMatchObject({ abandoned_jobs: 1 });
    expect(await deps.db.$count(sessions)).toBe(1);
    expect(await cleanUp(deps, "sessions")).toMatchObject({ sessions: 1 });
  });

  it("stops between two batches when it is told to", async () => {
    await insertSession(days(-31));
    const stopped = AbortSignal.abort(new Error("enough"));
    await expect(cleanUp(deps, "sessions", stopped)).rejects.toThrow("enough");
    expect(await deps.db.$count(sessions)).toBe(1);
  });

  it("prepares the audit trail's partitions of this month and the next three", async () => {
    expect(await prepareAuditPartitions(deps)).toBe(4);
    const partitions = await deps.db.execute<{ name: string }>(
      sql`select relname as name from pg_class where relname ~ '^audit_events_2031_[0-9]+$' order by relname`,
    );
    expect(partitions.map(({ name }) => name)).toEqual([
      "audit_events_2031_05",
      "audit_events_2031_06",
      "audit_events_2031_07",
      "audit_events_2031_08",
    ]);
  });
});
