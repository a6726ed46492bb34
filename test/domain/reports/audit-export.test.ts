/** What an export of the audit trail says, byte for byte, whatever its events hold. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { desc } from "drizzle-orm";
import { auditEvents, users } from "../../../src/db/schema/index.ts";
import { record } from "../../../src/domain/audit/service.ts";
import { auditExport } from "../../../src/domain/reports/audit-export.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { csvLine } from "../../../src/lib/csv.ts";
import { register } from "../../attacks/support.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

/** More than one page of it. */
const MANY = 4100;
const odd = [
  {},
  {
    text: 'say "so", \\ and\ttab\r\nline \u2028 ü 😀 \u0001',
    "10": 1,
    "9": 2,
    z: null,
    a: [1.5, true, { y: 1, b: 2 }],
  },
  { large: 12_345_678_901_234, small: 1e-9, negative: -0.25, empty: "", nested: { list: [] } },
];
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  const { db, clock } = server.deps;
  const people = [await register(server.url), await register(server.url)];
  const rows = await db.select({ id: users.id }).from(users);
  expect(rows.length).toBeGreaterThan(people.length - 1);
  const context = { ...systemContext, ip: "192.0.2.1", userAgent: '=cmd|"/c calc"!A1, "quoted"' };
  for (let made = 0; made < MANY;) {
    const batch = Array.from({ length: Math.min(500, MANY - made) }, (_, at) => ({
      tenantId: server.tenant.id,
      type: "user.updated" as const,
      actor:
        at % 3 === 0
          ? ({ type: "system" } as const)
          : ({ type: "user", id: rows[at % rows.length]?.id ?? "user_gone" } as const),
      target: { type: "user" as const, id: at % 5 === 0 ? "user_gone" : (rows[at % rows.length]?.id ?? "") },
      details: odd[at % odd.length] ?? {},
      context,
      // Many of one moment: then it is the id that decides.
      now: new Date(clock.now().getTime() - (made + at) * 7 + (at % 2)),
    }));
    await record(db, ...batch);
    made += batch.length;
  }
});
afterAll(() => server.stop());

const exported = async (format: "json" | "csv", limit: number) => {
  let text = "";
  const told: number[] = [];
  const parameters = { format, limit, event_type: null };
  const chunks = auditExport(
    server.deps,
    server.tenant,
    parameters,
    async (events) => void told.push(events),
  );
  for await (const chunk of chunks) text += chunk;
  return { text, told };
};

/** The events as everything else reads them. */
async function expectedEvents(limit: number) {
  const rows = await server.deps.db
    .select()
    .from(auditEvents)
    .orderBy(desc(auditEvents.createdAt), desc(auditEvents.id))
    .limit(limit);
  const people = await server.deps.db.select({ id: users.id, name: users.username }).from(users);
  const names = new Map<string, string>(people.map(({ id, name }) => [id, name]));
  const nameOf = (id: string | null) => (id === null ? null : (names.get(id) ?? id));
  return rows.map((event) => ({
    id: event.id,
    event_type: event.type,
    actor_type: event.actorType,
    actor_id: event.actorId,
    actor_name: nameOf(event.actorId) ?? event.actorType,
    target_type: event.targetType,
    target_id: event.targetId,
    target_name: nameOf(event.targetId),
    ip_address: event.ip,
    user_agent: event.userAgent,
    request_id: event.requestId,
    details: event.details,
    created_at: event.createdAt.toISOString(),
  }));
}

describe("an export of the audit trail", () => {
  it("is JSON of every event, the newest first", async () => {
    const events = await expectedEvents(10_000);
    expect(events.length).toBeGreaterThan(MANY);
    const { text, told } = await exported("json", 10_000);
    expect(text).toBe(`[${events.map((event) => `\n${JSON.stringify(event)}`).join(",")}\n]\n`);
    expect(told.at(-1)).toBe(events.length);
    expect(told.length).toBeGreaterThan(2);
  });

  it("is CSV of what is documented, and no cell of it is a formula", async () => {
    const events = await expectedEvents(10_000);
    const head = "id,event_type,actor_name,target_type,target_name,ip_address,created_at\r\n";
    const lines = events.map((event) =>
      csvLine([
        event.id,
        event.event_type,
        event.actor_name,
        event.target_type,
        event.target_name,
        event.ip_address,
        event.created_at,
      ]),
    );
    expect((await exported("csv", 10_000)).text).toBe(head + lines.join(""));
  });

  it("ends where it was to end, within a page and at its end", async () => {
    for (const limit of [1, 1999, 2000, 2001]) {
      const { text, told } = await exported("json", limit);
      expect([limit, (JSON.parse(text) as unknown[]).length, told.at(-1)]).toEqual([limit, limit, limit]);
    }
  });
});
