/** `gatewright bench`: measures the cases that it is told, or all of them, and says what came of it. */
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { requestCases, takesPart, type RequestCase } from "./cases.ts";
import type { Contender } from "./contender.ts";
import { type BenchDatabase, startDatabase } from "./database.ts";
import { startGatewright } from "./gatewright.ts";
import { generatorName } from "./generator.ts";
import { contenderSubject, limitSubject, measure, type Rounds } from "./measure.ts";
import { installPeers, peers } from "./peers.ts";
import { startServerProcess } from "./processes.ts";
import { measureQueue } from "./queue.ts";
import { type CaseReport, caseText, ratiosOf, type Report, startText, withTable } from "./report.ts";
import { adminLists, scimFilter, seed } from "./scale.ts";
import { measureStart } from "./start.ts";
import { tenantContenders } from "./tenants.ts";

const README = join(import.meta.dir, "..", "README.md");
const CASES = [
  ...requestCases.map(({ name }) => name),
  "admin-list",
  "scim-filter",
  "tenants",
  "processes",
  "drivers",
  "enqueue",
  "drain",
  "start",
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    seconds: { type: "string", default: "5" },
    rounds: { type: "string", default: "3" },
    processes: { type: "string", default: "1" },
    alone: { type: "boolean", default: false },
    "write-readme": { type: "boolean", default: false },
  },
});
const unknown = positionals.filter((name) => !CASES.some((known) => isMeant(known, name)));
if (unknown.length > 0) {
  process.stderr.write(`gatewright: no case ${unknown.join(", ")}; there are ${CASES.join(", ")}\n`);
  process.exit(1);
}
/** `token` means each of the token cases. */
function isMeant(known: string, name: string): boolean {
  return known === name || known.startsWith(`${name}-`);
}
const wanted = (name: string) =>
  positionals.length === 0 || positionals.some((given) => isMeant(name, given));

const note = (line: string) => void process.stderr.write(`${line}\n`);
const say = (line: string) => void (values.json || process.stdout.write(`${line}\n`));
const rounds: Rounds = { seconds: Number(values.seconds), rounds: Number(values.rounds), say: note };
const cases: CaseReport[] = [];
const failed: string[] = [];
const add = (report: CaseReport) => {
  cases.push(report);
  say(`${caseText(report)}\n`);
};

async function requestReports(database: BenchDatabase, chosen: readonly RequestCase[]): Promise<void> {
  let contenders: Contender[] = [await startGatewright(database, Number(values.processes))];
  try {
    if (!values.alone) for (const start of peers) contenders.push(await start(database));
    const limits = await database.create("limits");
    for (const one of chosen) {
      const renewed = contenders.map((contender) => contender.renew?.() ?? contender);
      contenders = await Promise.all(renewed);
      await tryCase(one.name, () => requestReport(database, one, { contenders, limits }));
    }
  } finally {
    for (const contender of contenders) await contender.stop();
  }
}

async function requestReport(
  database: BenchDatabase,
  one: RequestCase,
  { contenders, limits }: { contenders: readonly Contender[]; limits: string },
): Promise<void> {
  const route = one.limit === "route" ? await startRoute() : undefined;
  try {
    const limit = route
      ? contenderSubject(route, one.traffic)
      : limitSubject(one.limit, limits, database.cpuMs);
    const subjects = contenders
      .filter((contender) => takesPart(contender, one))
      .map((contender) => contenderSubject(contender, one.traffic));
    const measured = await measure([...subjects, limit], { ...rounds, settle: database.analyze });
    add({ name: one.name, title: one.title, measurements: measured.slice(0, -1), limit: measured.at(-1) });
  } finally {
    await route?.stop();
  }
}

/** A case that fails is said, and fails the whole run when the others are done. */
async function tryCase(name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    failed.push(name);
    note(`${name} failed: ${error instanceof Error ? error.message : "unknown reason"}`);
  }
}

async function startRoute(): Promise<Contender> {
  const command = [process.execPath, join(import.meta.dir, "limits.ts"), "route"] as const;
  const { announcement, stop } = await startServerProcess([...command], { NODE_ENV: "production" });
  return {
    name: "Elysia route",
    url: announcement.url,
    pids: [announcement.pid],
    calls: announcement.requests,
    stop,
  };
}

/** On a database of their own: a million users are in nobody else's way. */
async function scaleReports(database: BenchDatabase): Promise<void> {
  const gatewright = await startGatewright(database);
  try {
    await seed(gatewright, 100_000);
    await gatewright.deps.db.execute("analyze");
    if (wanted("scim-filter")) {
      const subject = contenderSubject(await scimFilter(gatewright), { call: "scim-filter" });
      const measurements = await measure([subject], rounds);
      add({ name: "scim-filter", title: "SCIM filter by name, 100,000 users", measurements });
    }
    if (!wanted("admin-list")) return;
    await seed(gatewright, 900_000);
    await gatewright.deps.db.execute("analyze");
    const lists = await adminLists(gatewright);
    const subjects = lists.map((contender) => contenderSubject(contender, { call: "admin-list" }));
    const measurements = await measure(subjects, rounds);
    add({ name: "admin-list", title: "administrators' list, 1,000,000 users", measurements });
  } finally {
    await gatewright.stop();
  }
}

/** One tenant and a thousand. */
async function tenantReport(database: BenchDatabase): Promise<void> {
  const gatewright = await startGatewright(database);
  try {
    const contenders = await tenantContenders(gatewright);
    const subjects = contenders.map((contender) => contenderSubject(contender, { call: "tenants" }));
    add({
      name: "tenants",
      title: "ES256 tokens of one tenant and of many",
      measurements: await measure(subjects, rounds),
    });
  } finally {
    await gatewright.stop();
  }
}

/** One process on the port, and two. */
async function processReports(database: BenchDatabase): Promise<void> {
  const one = await startGatewright(database);
  const two = await startGatewright(database, 2);
  try {
    for (const call of ["token-es256", "introspect-jwt", "login"]) {
      const known = requestCases.find(({ name }) => name === call);
      if (!known) throw new Error(`there is no case ${call}`);
      const subjects = [one, two].map((contender) => contenderSubject(contender, known.traffic));
      add({
        name: `processes-${call}`,
        title: `one process and two: ${known.title}`,
        measurements: await measure(subjects, rounds),
      });
    }
  } finally {
    await one.stop();
    await two.stop();
  }
}

/** The driver in use, and the runtime's own. */
async function driverReports(database: BenchDatabase): Promise<void> {
  const url = await database.create("limits");
  for (const name of ["prepared SELECT", "durable INSERT"]) {
    const subjects = [name, `${name} by Bun.SQL`].map((work) => limitSubject(work, url, database.cpuMs));
    add({
      name: "drivers",
      title: `the driver, and the runtime's own: ${name}`,
      measurements: await measure(subjects, rounds),
    });
  }
}

async function run(): Promise<Report> {
  const chosen = requestCases.filter(({ name }) => wanted(name));
  const start = wanted("start") ? await measureStart(5) : undefined;
  if (start) say(`${startText(start)}\n`);
  if (!values.alone) await installPeers();
  const database = await startDatabase();
  try {
    if (chosen.length > 0) await requestReports(database, chosen);
    if (wanted("enqueue") || wanted("drain")) {
      await tryCase("enqueue", async () => {
        const { enqueue, drain } = await measureQueue(database);
        add({ name: "enqueue", title: "a job written with its change", measurements: enqueue });
        add({ name: "drain", title: "jobs worked through, from the worker's start", measurements: drain });
      });
    }
    if (wanted("tenants")) await tryCase("tenants", () => tenantReport(database));
    if (wanted("processes")) await tryCase("processes", () => processReports(database));
    if (wanted("drivers")) await tryCase("drivers", () => driverReports(database));
    if (wanted("admin-list") || wanted("scim-filter"))
      await tryCase("admin-list", () => scaleReports(database));
  } finally {
    await database.stop();
  }
  const [processor] = cpus();
  const machine = `${cpus().length} x ${processor?.model ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Bun ${Bun.version}`;
  return { machine, generator: generatorName(), cases, start };
}

const report = await run();
if (values.json) {
  const withRatios = report.cases.map((one) => ({ ...one, ratios: ratiosOf(one) }));
  process.stdout.write(`${JSON.stringify({ ...report, cases: withRatios }, null, 2)}\n`);
}
if (values["write-readme"] && failed.length === 0) {
  await Bun.write(README, withTable(await Bun.file(README).text(), report));
  await Bun.spawn([process.execPath, "fmt", README]).exited;
}
process.exit(failed.length === 0 ? 0 : 1);
