import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import { auditEvents, clients, outbox, sessions, tokenFamilies } from "../../../src/db/schema/index.ts";
import { endExpiredSessions } from "../../../src/domain/sessions/expiry/service.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { addSeconds } from "../../../src/lib/clock.ts";
import { newId } from "../../../src/lib/ids.ts";
import { addUser } from "../../conformance/support.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
let user: User;
let people = 0;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  user = await addUser(server, `person${++people}`);
  await server.deps.db.delete(outbox);
});

const running = new AbortController().signal;
const rowsOf = (of: User) => server.deps.db.select().from(sessions).where(eq(sessions.userId, of.id));

/** Sessions that end so many seconds from now. */
async function open(...inSeconds: number[]) {
  const now = server.clock.now();
  const rows = inSeconds.map((seconds) => ({
    tenantId: user.tenantId,
    id: newId("session"),
    userId: user.id,
    authTime: now,
    acr: "1",
    amr: ["pwd"],
    createdAt: addSeconds(now, -3600),
    lastSeenAt: now,
    expiresAt: addSeconds(now, seconds),
  }));
  for (let from = 0; from < rows.length; from += 500)
    await server.deps.db.insert(sessions).values(rows.slice(from, from + 500));
  return rows.map(({ id }) => id);
}

describe("sessions whose time is over", () => {
  it("are ended, once, and no others", async () => {
    const [over, still] = await open(0, 1);
    expect(await endExpiredSessions(server.deps, running)).toBe(1);
    expect(await endExpiredSessions(server.deps, running)).toBe(0);
    const ended = (await rowsOf(user)).filter(({ revokedAt }) => revokedAt !== null);
    expect(ended.map(({ id }) => id)).toEqual(over ? [over] : []);
    const told = await server.deps.db
      .select()
      .from(auditEvents)
      .where(and(eq(auditEvents.type, "session.expired"), eq(auditEvents.targetId, over ?? "")));
    expect(told).toMatchObject([{ actorType: "system", details: { user_id: user.id } }]);
    const untouched = eq(auditEvents.targetId, still ?? "");
    expect(await server.deps.db.$count(auditEvents, untouched)).toBe(0);
  });

  it("take their tokens with them, other than those of offline_access, and their applications are told", async () => {
    const [session] = await open(-60);
    const told = await server.createClient({ redirectUris: ["https://app.example/callback"] });
    await server.deps.db
      .update(clients)
      .set({ backchannelLogoutUri: "https://app.example/logout" })
      .where(eq(clients.id, told.client.id));
    const now = server.clock.now();
    const family = {
      tenantId: user.tenantId,
      userId: user.id,
      clientId: told.client.id,
      sessionId: session ?? null,
      scope: ["openid"],
      createdAt: now,
      expiresAt: addSeconds(now, 86_400),
    };
    await server.deps.db.insert(tokenFamilies).values([
      { ...family, id: newId("tokenFamily"), offline: false },
      { ...family, id: newId("tokenFamily"), offline: true },
    ]);
    expect(await endExpiredSessions(server.deps, running)).toBe(1);
    const families = await server.deps.db
      .select()
      .from(tokenFamilies)
      .where(eq(tokenFamilies.userId, user.id));
    expect(families.map(({ offline, revokedAt }) => [offline, revokedAt !== null]).toSorted()).toEqual([
      [false, true],
      [true, false],
    ]);
    const jobs = await server.deps.db.select().from(outbox).where(eq(outbox.queue, "logout"));
    expect(jobs.map(({ payload }) => payload)).toEqual([
      { client_id: told.client.id, session_id: session, user_id: user.id },
    ]);
  });

  it("are ended once by several workers at the same time, however many there are", async () => {
    await open(...Array.from({ length: 650 }, (_, index) => -index));
    const counts = await Promise.all(
      Array.from({ length: 3 }, () => endExpiredSessions(server.deps, running)),
    );
    const rest = await endExpiredSessions(server.deps, running);
    expect(counts.reduce((sum, count) => sum + count, rest)).toBe(650);
    expect((await rowsOf(user)).filter(({ revokedAt }) => revokedAt === null)).toEqual([]);
  });

  it("are left to another worker by one that is told to stop", async () => {
    await open(-1);
    await expect(endExpiredSessions(server.deps, AbortSignal.abort(new Error("enough")))).rejects.toThrow(
      "enough",
    );
    expect(await endExpiredSessions(server.deps, running)).toBe(1);
  });
});
