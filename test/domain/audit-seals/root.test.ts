/** What a seal's root is over: seals that were made long ago are to hold for ever. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { asc } from "drizzle-orm";
import { auditEvents } from "../../../src/db/schema/index.ts";
import { eventsBetween } from "../../../src/domain/audit/reading.ts";
import { record } from "../../../src/domain/audit/service.ts";
import { monthOf, rootOf } from "../../../src/domain/audit-seals/seal.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { canonicalJson, leafHash, merkleRoot } from "../../../src/lib/merkle.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

describe("the root over events", () => {
  it("is that over the canonical JSON of their rows, whatever these hold", async () => {
    const { db, clock } = server.deps;
    const details = [
      {},
      { z: 1, a: { c: [{ y: 1, b: 2 }, null, "x"], "10": 1, "9": 2 }, "": 0, B: -1.5e-9 },
      { text: 'say "so" \\ \u2028 ü 😀 \u0001', __proto__x: [[], {}], large: 12_345_678_901_234 },
    ];
    for (const [at, facts] of details.entries())
      await record(db, {
        tenantId: server.tenant.id,
        type: "user.updated",
        actor: at === 1 ? { type: "anonymous" } : { type: "system" },
        ...(at === 1 ? { target: { type: "task" as const, id: 'odd "id"' } } : {}),
        details: facts,
        context: at === 2 ? { ...systemContext, ip: "2001:db8::1", userAgent: 'ü \\ "' } : systemContext,
        now: new Date(clock.now().getTime() + at),
      });
    const rows = await db.select().from(auditEvents).orderBy(asc(auditEvents.seq));
    expect(rows.length).toBeGreaterThan(2);
    const range = { after: 0, through: Number.MAX_SAFE_INTEGER };
    const events = await eventsBetween(db, server.tenant.id, range, 10_000);
    const leaves = rows.map((row) => leafHash(canonicalJson(row)));
    expect(rootOf(server.tenant.id, events)).toBe(merkleRoot(leaves).toString("base64url"));
    expect(events.map(monthOf)).toEqual(rows.map(({ createdAt }) => createdAt.toISOString().slice(0, 7)));
  });
});
