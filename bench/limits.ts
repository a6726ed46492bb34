/**
 * The machine's own limits, as a process of their own: `bun bench/limits.ts <limit> <seconds>` repeats one bare thing and prints
 * how often, and what processor time it took; `route` serves until it is stopped.
 */
import { SQL } from "bun";
import { generateKeyPairSync } from "node:crypto";
import { Elysia } from "elysia";
import postgres from "postgres";
import { createPasswordHasher } from "../src/domain/passwords/hasher.ts";
import { importSigningKey } from "../src/protocol/jose/keys.ts";
import { signJwt } from "../src/protocol/jose/sign-jwt.ts";

/** As many at once as the generator has connections. */
const AT_ONCE = 32;

const now = Math.floor(Date.now() / 1000);
/** As long as those of a client's own token. */
const CLAIMS = {
  iss: "http://127.0.0.1:3000",
  sub: "client_01KAM0000000000000000000",
  aud: "http://127.0.0.1:3000",
  client_id: "client_01KAM0000000000000000000",
  iat: now,
  exp: now + 3600,
  jti: "019a0000-0000-7000-8000-000000000000",
  scope: "openid profile email offline_access",
};

function signing(alg: "ES256" | "RS256"): () => Promise<unknown> {
  const { privateKey } =
    alg === "ES256"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = importSigningKey("key", alg, privateKey.export({ format: "der", type: "pkcs8" }));
  return () => signJwt(CLAIMS, { typ: "at+jwt", key });
}

const CONNECTIONS = 16;
const connectByBun = () => new SQL(process.env["DATABASE_URL"] ?? "", { max: CONNECTIONS });
const connect = () => postgres(process.env["DATABASE_URL"] ?? "", { max: CONNECTIONS, onnotice: () => {} });

const anyRow = () => 1 + Math.floor(Math.random() * 1000);

async function makeRows(sql: postgres.Sql): Promise<void> {
  await sql`create table if not exists bench_rows (id int primary key, value text)`;
  await sql`insert into bench_rows select n, md5(n::text) from generate_series(1, 1000) n on conflict do nothing`;
  await sql`create table if not exists bench_inserts (id uuid primary key, value text)`;
}

const works: Record<string, () => Promise<() => Promise<unknown>>> = {
  "ES256 signature": async () => signing("ES256"),
  "RS256 signature": async () => signing("RS256"),
  async argon2id() {
    const hasher = createPasswordHasher();
    const hash = await hasher.hash("C0rrect-Horse!");
    return () => hasher.verify("C0rrect-Horse!", hash);
  },
  async "prepared SELECT"() {
    const sql = connect();
    await makeRows(sql);
    return () => sql`select value from bench_rows where id = ${anyRow()}`;
  },
  async "prepared SELECT by Bun.SQL"() {
    const sql = connectByBun();
    return () => sql`select value from bench_rows where id = ${anyRow()}`;
  },
  async "durable INSERT"() {
    const sql = connect();
    await makeRows(sql);
    return () => sql`insert into bench_inserts values (${Bun.randomUUIDv7()}, 'some text of some length')`;
  },
  async "durable INSERT by Bun.SQL"() {
    const sql = connectByBun();
    return () => sql`insert into bench_inserts values (${Bun.randomUUIDv7()}, 'some text of some length')`;
  },
};

async function repeat(work: () => Promise<unknown>, seconds: number): Promise<void> {
  for (let index = 0; index < AT_ONCE; index++) await work();
  const begun = performance.now();
  const used = process.cpuUsage();
  const end = begun + seconds * 1000;
  const times: number[] = [];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let at = performance.now(); at < end;) {
        await work();
        const after = performance.now();
        times.push(after - at);
        at = after;
      }
    }),
  );
  const { user, system } = process.cpuUsage(used);
  const sorted = times.toSorted((a, b) => a - b);
  const share = (part: number) => sorted[Math.floor(sorted.length * part)] ?? 0;
  const result = {
    requests: times.length,
    seconds: (performance.now() - begun) / 1000,
    p50Ms: share(0.5),
    p99Ms: share(0.99),
    failed: 0,
    cpuMs: (user + system) / 1000,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

const [name = "", seconds = "1"] = process.argv.slice(2);
if (name === "route") {
  const app = new Elysia().get("/", () => ({ ok: true })).listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${app.server?.port}`;
  const call = { method: "GET", path: "/", headers: {} };
  process.stdout.write(
    `${JSON.stringify({ url, pid: process.pid, requests: { discovery: call, jwks: call } })}\n`,
  );
} else {
  const work = await works[name]?.();
  if (!work) throw new Error(`there is no limit called ${name}`);
  await repeat(work, Number(seconds));
  process.exit(0);
}
