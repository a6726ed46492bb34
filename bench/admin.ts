/**
 * The administrators' lists, reports and exports on a large installation:
 *
 *   ./gatewright seed --users 1000000 --audit-events 5000000
 *   bun bench/admin.ts [lists|reports] [only what this pattern fits]
 *
 * in the environment of an installation (DATABASE_URL, GATEWRIGHT_MASTER_KEY, GATEWRIGHT_ADMIN_EMAIL,
 * GATEWRIGHT_ADMIN_PASSWORD). Starts an API process and, for the reports, a worker of its own, and prints what each thing took.
 */
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { SQL } from "bun";
import { idFromUuid } from "../src/lib/ids.ts";
import { base, ms, newToken, only, part, percentile, ready, say, start } from "./admin-process.ts";
import { reports } from "./admin-reports.ts";

interface Page {
  data: { id: string; actor?: { id: string | null } }[];
  pagination: { total: number; next_cursor?: string };
}

let token = "";
const REQUESTS = 200;
const WARM_UP = 10;
async function get(path: string): Promise<Page> {
  const response = await fetch(`${base}/api/v1/admin${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Page;
}

const database = new SQL(process.env["DATABASE_URL"] ?? "", { max: 1 });

/** Processor time of the API process and of its connections' own processes, in ms: what a noisy machine does not change. */
async function processorTime(): Promise<number> {
  const backends: { pid: number }[] = await database`
    select pid from pg_stat_activity where application_name = 'gatewright api' and datname = current_database()`;
  const ticks = [api.pid, ...backends.map(({ pid }) => pid)].map((pid) => {
    const [, rest = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
    const fields = rest.split(" ");
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, one) => sum + one, 0) * 10;
}

async function measure(what: string, of: string | (() => Promise<string>)): Promise<void> {
  if (!new RegExp(only).test(what)) return;
  const path = typeof of === "string" ? of : await of();
  const times: number[] = [];
  let page: Page | undefined;
  let cpu = 0;
  for (let index = -WARM_UP; index < REQUESTS; index++) {
    if (index === 0) cpu = await processorTime();
    const begun = performance.now();
    page = await get(path);
    if (index >= 0) times.push(performance.now() - begun);
  }
  const [p50, p95, p100] = [percentile(times, 0.5), percentile(times, 0.95), percentile(times, 1)];
  const each = ((await processorTime()) - cpu) / REQUESTS;
  const found = `${page?.data.length} of ${page?.pagination.total}`;
  const row = [what.padEnd(40), found.padStart(12), ms(p50), ms(p95), ms(p100), ms(each)];
  say(row.join(" "));
}

/** The path of a later page, by following the cursors. */
const pageAt = (path: string, number: number) => async (): Promise<string> => {
  const next = (cursor: string) => `${path}${path.includes("?") ? "&" : "?"}cursor=${cursor}`;
  let at = path;
  for (let page = 1; page < number; page++) {
    const { next_cursor: cursor } = (await get(at)).pagination;
    if (!cursor) throw new Error(`${path} has no page ${number}`);
    at = next(cursor);
  }
  return at;
};

async function lists(): Promise<void> {
  const head = ["", "shown", "p50", "p95", "most", "processor"];
  say(head.map((name, at) => (at === 0 ? name.padEnd(40) : name.padStart(at === 1 ? 12 : 10))).join(" "));
  const users = "/users?limit=20";
  const organization = (await organizationIds())[0];
  const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString();
  await measure("users: first page", users);
  await measure("users: hundredth page", pageAt(users, 100));
  for (const sort of ["updated_at", "username", "email", "last_login_at"]) {
    await measure(`users: by ${sort}`, `${users}&sort=${sort}`);
    await measure(`users: by ${sort}, hundredth page`, pageAt(`${users}&sort=${sort}`, 100));
  }
  for (const [what, search] of [
    ["one user", "777777"],
    ["a name that many have", "lovelace"],
    ["a name", "petrov"],
    ["a whole name", "ada petrov"],
    ["all of a domain", "@acme.example.com"],
    ["everybody", "example"],
    ["nobody", "nobodyhere"],
    ["two letters", "an"],
    ["two letters, rare", "ya"],
    ["two letters, nobody", "zq"],
    ["one letter", "a"],
    ["one letter, nobody", "0"],
    ["two words of two letters", "ad pe"],
    ["dots", "..."],
  ] as const)
    await measure(`users: search for ${what}`, `${users}&search=${encodeURIComponent(search)}`);
  await measure("users: search for a name, fifth page", pageAt(`${users}&search=petrov`, 5));
  for (const [what, filter] of [
    ["enabled", "enabled=true"],
    ["disabled", "enabled=false"],
    ["role of many", "role=employee"],
    ["role of some", "role=manager"],
    ["role of few", "role=auditor"],
    ["role of one", "role=super_admin"],
    ["role of nobody", "role=none"],
    ["organization", `organization_id=${organization}`],
    ["created after", `created_after=${day(7)}`],
    ["created before", `created_before=${day(700)}`],
    ["created between", `created_after=${day(400)}&created_before=${day(390)}`],
    ["role and search", "role=auditor&search=petrov"],
    ["disabled and search", "enabled=false&search=petrov"],
    ["organization and role", `organization_id=${organization}&role=manager`],
    ["role by name", "role=manager&sort=username&order=asc"],
  ] as const)
    await measure(`users: ${what}`, `${users}&${filter}`);
  await events(day);
}

async function events(day: (ago: number) => string): Promise<void> {
  const list = "/audit-events?limit=20";
  const person = (await get(`${list}&type=user.login`)).data.find(({ actor }) => actor?.id)?.actor?.id ?? "";
  await measure("events: first page", list);
  await measure("events: hundredth page", pageAt(list, 100));
  await measure("events: type of many", `${list}&type=user.login`);
  await measure("events: type of many, hundredth page", pageAt(`${list}&type=user.login`, 100));
  await measure("events: type of few", `${list}&type=password.changed`);
  await measure("events: type of nothing", `${list}&type=nothing.happened`);
  await measure("events: of a user", `${list}&user_id=${person}`);
  await measure("events: of a user and type", `${list}&user_id=${person}&type=user.login`);
  await measure("events: from", `${list}&from=${day(3)}`);
  await measure("events: to", `${list}&to=${day(300)}`);
  await measure("events: between", `${list}&from=${day(200)}&to=${day(190)}`);
  await measure("events: between, of a type", `${list}&from=${day(200)}&to=${day(190)}&type=user.updated`);
}

async function organizationIds(): Promise<string[]> {
  const rows: { id: string }[] = await database`
    select o.id from organizations o join tenants t on t.id = o.tenant_id where t.is_default order by o.slug limit 1`;
  return rows.map(({ id }) => idFromUuid("organization", id));
}

const api = start("api");
try {
  await ready();
  token = await newToken();
  say(
    `load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(" ")}`,
  );
  await (part === "reports" ? reports() : lists());
  say(
    `load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(" ")}`,
  );
} finally {
  api.kill();
  await api.exited;
  await database.close();
}
