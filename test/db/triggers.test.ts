/** What the database does by itself: the audit trail's partitions and what processes are told of changes. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import postgres from "postgres";
import { newId, uuidFromId } from "../../src/lib/ids.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { until } from "../support/scratch.ts";

let database: TestDatabase;
let sql: postgres.Sql;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = postgres(database.url, { max: 2, onnotice: () => {} });
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

async function insertTenant(): Promise<string> {
  const id = uuidFromId("tenant", newId("tenant"));
  await sql`insert into tenants (id, slug, name, created_at, updated_at) values (${id}, ${id}, 'Test', now(), now())`;
  return id;
}

const partitions = async () =>
  (
    await sql<{ name: string; bound: string }[]>`
      select c.oid::regclass::text as name, pg_get_expr(c.relpartbound, c.oid) as bound
      from pg_class c join pg_inherits i on i.inhrelid = c.oid where i.inhparent = 'audit_events'::regclass`
  ).map(({ name, bound }) => ({ name, bound }));
const boundOf = async (name: string) =>
  (await partitions()).find((partition) => partition.name === name)?.bound;
const ensure = (moment: string, db: postgres.ISql = sql) => db`select ensure_audit_partition(${moment})`;
const record = (moment: string) => sql<{ partition: string }[]>`
  insert into audit_events (tenant_id, created_at, id, type, actor_type, details)
  values (${crypto.randomUUID()}, ${moment}, ${crypto.randomUUID()}, 'user.login', 'system', '{}')
  returning tableoid::regclass::text as partition`;

describe("the audit trail's partitions", () => {
  it.each([
    ["2031-01-15T12:00:00Z", "audit_events_2031_01", "2031-01-01", "2031-02-01"],
    ["2031-12-31T23:59:59.999Z", "audit_events_2031_12", "2031-12-01", "2032-01-01"],
    ["2032-02-01T00:00:00Z", "audit_events_2032_02", "2032-02-01", "2032-03-01"],
    // 1 March in Auckland is still February in UTC.
    ["2033-03-01T10:00:00+13:00", "audit_events_2033_02", "2033-02-01", "2033-03-01"],
  ])("for %p is %s", async (moment, name, from, to) => {
    await ensure(moment);
    expect(await boundOf(name)).toBe(`FOR VALUES FROM ('${from} 00:00:00+00') TO ('${to} 00:00:00+00')`);
  });

  it("are the same whatever the session's time zone is", async () => {
    await sql.begin(async (transaction) => {
      await transaction`set local timezone = 'Pacific/Auckland'`;
      await ensure("2034-06-30T23:30:00Z", transaction);
    });
    expect(await boundOf("audit_events_2034_06")).toBe(
      "FOR VALUES FROM ('2034-06-01 00:00:00+00') TO ('2034-07-01 00:00:00+00')",
    );
  });

  it("are made once, however often and by however many it is asked for", async () => {
    await Promise.all(Array.from({ length: 8 }, () => ensure("2035-05-05T00:00:00Z")));
    expect((await partitions()).filter(({ name }) => name === "audit_events_2035_05")).toHaveLength(1);
  });

  it("take the events of their month", async () => {
    await ensure("2036-02-29T00:00:00Z");
    for (const moment of ["2036-02-01T00:00:00Z", "2036-02-29T23:59:59.999Z"]) {
      expect(await record(moment)).toMatchObject([{ partition: "audit_events_2036_02" }]);
    }
  });

  it("that nobody made cost no event", async () => {
    expect(await record("2040-01-01T00:00:00Z")).toMatchObject([{ partition: "audit_events_unplanned" }]);
  });

  it("asked for after events of their month came do not fail, and no event is lost", async () => {
    const count = () =>
      sql`select count(*)::int as events from audit_events where created_at between '2041-01-01' and '2041-02-01'`;
    await record("2041-01-15T00:00:00Z");
    await ensure("2041-01-20T00:00:00Z");
    await record("2041-01-25T00:00:00Z");
    expect([...(await count())]).toEqual([{ events: 2 }]);
    // The next month is its own again.
    await ensure("2041-02-20T00:00:00Z");
    expect(await record("2041-02-20T00:00:00Z")).toMatchObject([{ partition: "audit_events_2041_02" }]);
  });
});

describe("the audit trail", () => {
  const refused = /audit events are append-only/;

  beforeAll(async () => {
    await sql`insert into audit_events (tenant_id, created_at, id, type, actor_type, details)
      values (${crypto.randomUUID()}, now(), ${crypto.randomUUID()}, 'user.login', 'system', '{}')`;
  });

  it("lets no event be changed or deleted, through itself or a partition", async () => {
    for (const name of ["audit_events", ...(await partitions()).map((partition) => partition.name)]) {
      const [row] = await sql`select count(*)::int as events from ${sql(name)}`;
      if (row?.["events"] === 0) continue;
      await expect(sql`update ${sql(name)} set type = 'user.logout'`.execute()).rejects.toThrow(refused);
      await expect(sql`delete from ${sql(name)}`.execute()).rejects.toThrow(refused);
    }
  });

  it("cannot be emptied, by itself or a partition at a time", async () => {
    for (const name of ["audit_events", ...(await partitions()).map((partition) => partition.name)]) {
      await expect(sql`truncate ${sql(name)}`.execute()).rejects.toThrow(refused);
    }
  });
});

describe("a change of", () => {
  const heard: string[] = [];
  let stop: () => Promise<void>;

  beforeAll(async () => {
    const { unlisten } = await sql.listen("gatewright_cache", (payload) => heard.push(payload));
    stop = unlisten;
  });
  afterAll(() => stop());
  beforeEach(() => {
    heard.length = 0;
  });

  const hears = (payload: string) => until(`the notification ${payload}`, () => heard.includes(payload));

  it("a tenant is told to every process: new, changed and gone", async () => {
    const id = await insertTenant();
    await hears(`tenants:${id}`);
    heard.length = 0;
    await sql`update tenants set name = 'Other' where id = ${id}`;
    await hears(`tenants:${id}`);
    heard.length = 0;
    await sql`delete from tenants where id = ${id}`;
    await hears(`tenants:${id}`);
  });

  it("a tenant's domain, client, secret or key is told with the tenant it belongs to", async () => {
    const tenant = await insertTenant();
    const id = crypto.randomUUID();
    await sql`insert into tenant_domains (domain, tenant_id, created_at) values (${`${id}.example`}, ${tenant}, now())`;
    await hears(`tenant_domains:${tenant}`);
    await sql`delete from tenant_domains where tenant_id = ${tenant}`;
    const watched = await sql<{ table: string }[]>`
      select tgrelid::regclass::text as table from pg_trigger where tgfoid = 'notify_cache'::regproc order by 1`;
    expect(watched.map(({ table }) => table)).toEqual([
      "client_roles",
      "client_secrets",
      "clients",
      "connection_domains",
      "connections",
      "role_permissions",
      "roles",
      "saml_clients",
      "signing_keys",
      "tenant_domains",
      "tenants",
    ]);
  });

  it("something that is rolled back is told to nobody", async () => {
    const tenant = await insertTenant();
    await hears(`tenants:${tenant}`);
    heard.length = 0;
    await sql
      .begin(async (transaction) => {
        await transaction`update tenants set name = 'Rolled back' where id = ${tenant}`;
        throw new Error("on purpose");
      })
      .catch(() => {});
    const next = await insertTenant();
    await hears(`tenants:${next}`);
    expect(heard).toEqual([`tenants:${next}`]);
  });
});

const insertJob = (db: postgres.ISql) => db`
  insert into outbox (tenant_id, id, queue, name, payload, created_at)
  values (${crypto.randomUUID()}, ${crypto.randomUUID()}, 'email', 'welcome', '{}', now())`;

describe("the outbox", () => {
  it("wakes the relay once a transaction", async () => {
    const heard: string[] = [];
    const { unlisten } = await sql.listen("gatewright_outbox", (payload) => heard.push(`rang${payload}`));
    await sql.begin(async (transaction) => {
      await insertJob(transaction);
      await insertJob(transaction);
    });
    await until("the relay's bell", () => heard.length > 0);
    await insertJob(sql);
    await until("the relay's bell again", () => heard.length > 1);
    expect(heard).toEqual(["rang", "rang"]);
    await unlisten();
  });
});
