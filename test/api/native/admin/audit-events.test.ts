import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import postgres from "postgres";
import { record } from "../../../../src/domain/audit/service.ts";
import { systemContext } from "../../../../src/domain/request-context.ts";
import { createTenant } from "../../../../src/domain/tenants/service.ts";
import type { Executor } from "../../../../src/db/client.ts";
import { type Id, newId } from "../../../../src/lib/ids.ts";
import { login, register } from "../../../attacks/support.ts";
import { administrator, startTestServer, type TestServer } from "../../../support/server.ts";
import { administratorsToken, type Answer, caller } from "./support.ts";

interface Event {
  id: string;
  type: string;
  actor: { type: string; id: string | null };
  target: { type: string; id: string | null } | null;
  created_at: string;
  details: Record<string, unknown>;
}
interface List {
  data: Event[];
  pagination: { total: number; has_more: boolean; next_cursor?: string };
}

let server: TestServer;
let token: string;
const ada = newId("user");
const app = newId("client");

const write = (
  number: number,
  {
    executor = server.deps.db,
    tenantId = server.tenant.id,
  }: { executor?: Executor; tenantId?: Id<"tenant"> } = {},
) =>
  record(executor, {
    tenantId,
    type: number % 2 === 0 ? "user.updated" : "token.issued",
    actor: number % 3 === 0 ? { type: "user", id: ada } : { type: "client", id: app },
    target: { type: "user", id: number % 3 === 0 ? newId("user") : ada },
    details: { number },
    context: systemContext,
    now: server.clock.now(),
  });

beforeAll(async () => {
  server = await startTestServer();
  for (let number = 0; number < 45; number++) {
    await write(number);
    if (number % 5 === 0) server.clock.advance(60);
  }
  token = await administratorsToken(server);
});
afterAll(() => server.stop());

const list = (query: string, bearer = token): Promise<Answer<List>> =>
  caller(server.url, bearer)<List>("GET", `/audit-events?${query}`);
const numbers = (events: readonly Event[]) => events.map(({ details }) => Number(details["number"]));

describe("GET /api/v1/admin/audit-events", () => {
  it("lists the newest first, page by page, each event once", async () => {
    const seen: Event[] = [];
    let cursor: string | undefined;
    do {
      const { status, body } = await list(`limit=10${cursor ? `&cursor=${cursor}` : ""}`);
      expect(status).toBe(200);
      seen.push(...body.data);
      cursor = body.pagination.next_cursor;
      expect(body.pagination.has_more).toBe(cursor !== undefined);
    } while (cursor);
    const moments = seen.map(({ created_at: at }) => at);
    expect(moments).toEqual(moments.toSorted().toReversed());
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
    expect(numbers(seen).filter((number) => !Number.isNaN(number)).length).toBe(45);
  });

  it("filters by type", async () => {
    const { body } = await list("type=user.updated&limit=100");
    expect(body.pagination.total).toBe(23);
    expect(new Set(body.data.map(({ type }) => type))).toEqual(new Set(["user.updated"]));
  });

  it("finds what a user did and what was done to them, over pages too", async () => {
    const whole = (await list(`user_id=${ada}&limit=100`)).body;
    expect(whole.data).toHaveLength(45);
    expect(whole.pagination.total).toBe(45);
    const seen: Event[] = [];
    let cursor = "";
    for (let page = 0; page < 9; page++) {
      const { body } = await list(`user_id=${ada}&limit=5${cursor && `&cursor=${cursor}`}`);
      seen.push(...body.data);
      cursor = body.pagination.next_cursor ?? "";
    }
    expect(seen.map(({ id }) => id)).toEqual(whole.data.map(({ id }) => id));
  });

  it("joins filters: a user and a client, a type", async () => {
    const { body } = await list(`user_id=${ada}&client_id=${app}&type=token.issued&limit=100`);
    const expected = Array.from({ length: 45 }, (_, number) => number).filter(
      (number) => number % 2 === 1 && number % 3 !== 0,
    );
    expect(numbers(body.data).toSorted((a, b) => a - b)).toEqual(expected);
  });

  it("takes from inclusive and to exclusive", async () => {
    const all = (await list("type=user.updated&limit=100")).body.data;
    const moments = [...new Set(all.map(({ created_at: at }) => at))].toSorted();
    const [from, to] = [moments[1] ?? "", moments[3] ?? ""];
    const { body } = await list(`type=user.updated&limit=100&from=${from}&to=${to}`);
    const expected = all.filter(({ created_at: at }) => at >= from && at < to);
    expect(body.data).toEqual(expected);
    expect(expected.length).toBeGreaterThan(1);
  });

  it("shows nothing of another tenant", async () => {
    const tenant = await createTenant(server.deps, { slug: "other", name: "Other" });
    await write(1000, { tenantId: tenant.id });
    const { body } = await list("limit=100");
    expect(numbers(body.data)).not.toContain(1000);
  });

  it("refuses ids, moments and cursors that are none", async () => {
    for (const query of [
      "user_id=x",
      "client_id=nobody",
      "from=yesterday",
      "cursor=x",
      "limit=101",
      "limit=0",
    ])
      expect({ query, status: (await list(query)).status }).toEqual({ query, status: 400 });
  });

  it("is for administrators", async () => {
    const person = await register(server.url);
    const { access_token: other } = await login(server.url, person.email);
    expect((await list("", other)).status).toBe(403);
    expect((await caller(server.url, undefined)("GET", "/audit-events")).status).toBe(401);
  });

  it("shows no further back than the tenant keeps its trail", async () => {
    const before = (await list("type=user.updated")).body.pagination.total;
    await server.configure({ audit_retention_days: 30 });
    expect((await list("type=user.updated")).body.pagination.total).toBe(before);
    server.clock.advance(31 * 86_400);
    const fresh = (await login(server.url, administrator.email, administrator.password)).access_token;
    expect((await list("type=user.updated", fresh)).body.pagination.total).toBe(0);
    server.clock.advance(-31 * 86_400);
    await server.configure({ audit_retention_days: 365 });
  });

  it("is served by indexes in every partition", async () => {
    const sql = postgres(server.config.databaseUrl, { max: 1 });
    await sql`set enable_seqscan = off`;
    const conditions = {
      audit_events_pkey: "",
      audit_events_type: "and type = 'user.login'",
      audit_events_actor: "and actor_id = 'x'",
      audit_events_target: "and target_id = 'x'",
    };
    for (const condition of Object.values(conditions)) {
      const plan = await sql.unsafe(`explain select * from audit_events
        where tenant_id = '00000000-0000-0000-0000-000000000000'
          ${condition} and created_at > '2020-01-01' order by created_at desc, id desc limit 21`);
      const text = plan.map((row) => row["QUERY PLAN"]).join("\n");
      expect(text).toContain("Index Scan");
      expect(text).not.toContain("Seq Scan");
    }
    await sql.end();
  });
});
