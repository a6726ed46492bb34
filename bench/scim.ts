/**
 * SCIM with 100,000 users: `TEST_DATABASE_URL=… bun bench/scim.ts`. Prints what each thing takes, beside a bare `select 1` of
 * the same run, and how the database finds what it finds.
 */
import { loadavg } from "node:os";
import { sql } from "drizzle-orm";
import { uuidFromId } from "../src/lib/ids.ts";
import { scimClient } from "../test/conformance/scim/support.ts";
import { eventually } from "../test/support/queue.ts";
import { startTestServer } from "../test/support/server.ts";

const say = (line: string) => process.stdout.write(`${line}\n`);
const USERS = Number(process.argv[2] ?? 100_000);
const MEMBERS = Math.min(USERS, 50_000);
const CREATE_SECONDS = 30;

const server = await startTestServer();
const { db } = server.deps;
const tenant = sql`${uuidFromId("tenant", server.tenant.id)}::uuid`;
const scim = await scimClient(server);

const percentile = (times: number[], share: number) =>
  times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? 0;

async function measure(what: string, work: (index: number) => Promise<unknown>, times = 300): Promise<void> {
  for (let index = 0; index < 20; index++) await work(index);
  const taken: number[] = [];
  for (let index = 0; index < times; index++) {
    const begun = performance.now();
    await work(index);
    taken.push(performance.now() - begun);
  }
  const show = (share: number) => `${percentile(taken, share).toFixed(2)} ms`;
  say(`${what.padEnd(60)} p50 ${show(0.5)}  p95 ${show(0.95)}`);
}

say(`making ${USERS} users`);
// Without triggers and time limits: what is measured is not how this comes about.
await db.transaction(async (tx) => {
  await tx.execute(sql`set local session_replication_role = replica`);
  await tx.execute(sql`set local statement_timeout = 0`);
  await tx.execute(sql`
    with made as (
      insert into users (tenant_id, id, username, username_key, given_name, family_name, created_at, updated_at)
      select ${tenant}, gen_random_uuid(), 'User' || n || '@Example.com', 'user' || n || '@example.com', 'Given' || n % 977,
        'Family' || n % 3343, now() - n * interval '1 second', now() from generate_series(1, ${USERS}) n
      returning tenant_id, id, username, username_key),
    mails as (
      insert into user_emails (tenant_id, id, user_id, address, address_key, is_primary, type, created_at)
      select tenant_id, gen_random_uuid(), id, username, username_key, true, 'work', now() from made),
    managed as (
      insert into scim_users (tenant_id, user_id, attributes, created_at)
      select tenant_id, id, jsonb_build_object('title', 'T' || left(username_key, 6), 'displayName', username), now() from made)
    insert into scim_external_ids (tenant_id, scope, resource_type, external_id, user_id)
    select tenant_id, ${server.tenant.id}, 'User', 'ext-' || username_key, id from made`);
});
await db.execute(sql`analyze`);

const random = () => 1 + Math.floor(Math.random() * USERS);
const list = (filter: string) => scim.get(`/Users?filter=${encodeURIComponent(filter)}`);
const found = async (filter: string) => {
  const { body } = await list(filter);
  if (body.totalResults !== 1) throw new Error(`${filter}: ${body.totalResults}`);
};

// The database's own time: what a search asks, without HTTP, authentication and JSON.
const { searchScimUsers } = await import("../src/domain/scim-users/service.ts");
const { readSearch } = await import("../src/protocol/scim/list.ts");
const { userSchemaOf } = await import("../src/http/scim-schemas.ts");
const { systemContext } = await import("../src/domain/request-context.ts");
const schema = userSchemaOf(server.tenant);
const by = {
  tenant: server.tenant,
  organizationId: null,
  actor: { type: "system" as const },
  superAdmin: false,
  context: systemContext,
  schema,
  mapping: {},
  baseUrl: `${server.url}/scim/v2`,
};
const search = (parameters: Record<string, string | number>) =>
  searchScimUsers(server.deps, by, readSearch(schema, parameters));

await measure("select 1", () => db.execute(sql`select 1`));
await measure("domain: filter userName eq", () =>
  search({ filter: `userName eq "USER${random()}@example.com"` }),
);
await measure("domain: filter externalId eq", () =>
  search({ filter: `externalId eq "ext-user${random()}@example.com"` }),
);
await measure("domain: filter emails.value eq", () =>
  search({ filter: `emails.value eq "user${random()}@example.com"` }),
);
await measure("domain: page of 100, first", () => search({ count: 100 }), 100);
await measure("domain: page of 100, 500th", () => search({ count: 100, startIndex: 50_001 }), 50);
await measure("domain: page of 100 by cursor", () => search({ count: 100, cursor: "" }), 100);
await measure("domain: page of 100 by userName", () => search({ count: 100, sortBy: "userName" }), 100);
await measure("HTTP: GET /ServiceProviderConfig", () => scim.get("/ServiceProviderConfig"));
await measure("HTTP: filter userName eq", () => found(`userName eq "user${random()}@example.com"`));
await measure("HTTP: filter externalId eq", () => found(`externalId eq "ext-user${random()}@example.com"`));
await measure(
  'HTTP: filter emails[type eq "work"].value eq',
  () => found(`emails[type eq "work"].value eq "user${random()}@example.com"`),
  30,
);
await measure("HTTP: page of 100", () => scim.get("/Users?count=100"), 50);

const explained = await db.execute<Record<"QUERY PLAN", string>>(sql`explain (analyze, buffers)
  select u.id from users u left join scim_users s on s.tenant_id = u.tenant_id and s.user_id = u.id
  where u.tenant_id = ${tenant} and u.id in (select x.user_id from scim_external_ids x
    where x.tenant_id = ${tenant} and x.scope = ${server.tenant.id} and x.resource_type = 'User'
    and x.external_id = 'ext-user77@example.com' and x.user_id is not null)`);
say(explained.map((row) => row["QUERY PLAN"]).join("\n"));

say(`one PATCH with ${MEMBERS} members`);
const ids = await db.execute<{ id: string }>(
  sql`select id from users where tenant_id = ${tenant} limit ${MEMBERS}`,
);
const { idFromUuid } = await import("../src/lib/ids.ts");
const members = ids.map(({ id }) => ({ value: idFromUuid("user", id) }));
for (const share of [0.1, 0.5, 1]) {
  const { body: group } = await scim.post("/Groups", { displayName: "All" });
  const chosen = members.slice(0, members.length * share);
  const timed = async (op: string, path = "members", value: unknown = chosen) => {
    const begun = performance.now();
    const { status, body } = await scim.patch(`/Groups/${group.id}`, [{ op, path, value }]);
    if (status !== 200) throw new Error(`${status} ${body.detail}`);
    return `${op} ${(performance.now() - begun).toFixed(0)} ms`;
  };
  const times = [await timed("add"), await timed("add"), await timed("replace"), await timed("remove")];
  say(`${chosen.length} members: ${times.join(", ")}`);
}

say(`creating users for ${CREATE_SECONDS} s, with a worker`);
await server.configure({ scim_welcome_mail: true });
await server.startWorker();
let created = 0;
const cpuBefore = process.cpuUsage();
const end = performance.now() + CREATE_SECONDS * 1000;
await Promise.all(
  Array.from({ length: 4 }, async () => {
    while (performance.now() < end) {
      const userName = `new${++created}@example.com`;
      const { status } = await scim.post("/Users", {
        userName,
        externalId: `new-${userName}`,
        name: { givenName: "N", familyName: "N" },
        emails: [{ value: userName, type: "work", primary: true }],
      });
      if (status !== 201) throw new Error(`not created: ${status}`);
    }
  }),
);
const drained = performance.now();
const cpu = process.cpuUsage(cpuBefore);
await eventually(
  "an empty outbox and all mail sent",
  async () => {
    const [row] = await db.execute<{ waiting: string; mails: string }>(sql`
      select (select count(*) from outbox) as waiting, (select count(*) from mailbox_messages) as mails`);
    return row?.waiting === "0" && Number(row.mails) >= Math.min(created, 100);
  },
  180_000,
);
const lag = performance.now() - drained;
say(
  `${created} users, ${((created * 60) / CREATE_SECONDS).toFixed(0)} a minute; drained ${(lag / 1000).toFixed(1)} s later`,
);
say(
  `${((cpu.user + cpu.system) / 1000 / created).toFixed(1)} ms of processor time each, of server, worker and client together; load ${loadavg()[0]?.toFixed(1)}`,
);
await server.stop();
process.exit(0);
