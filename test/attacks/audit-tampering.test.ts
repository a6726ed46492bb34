/**
 * Somebody who may write to the database, past its triggers, changes what the audit trail says. The guards are the Merkle
 * root, the range, the number, the chain and the signature of each seal (`domain/audit-seals/verification.ts`): without
 * the one that a test names, that test fails.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import postgres from "postgres";
import { record } from "../../src/domain/audit/service.ts";
import { exportSeals, readExportedSeals } from "../../src/domain/audit-seals/export.ts";
import { sealAuditTrails } from "../../src/domain/audit-seals/service.ts";
import { SEAL_TYP } from "../../src/domain/audit-seals/seal.ts";
import { verifyAuditTrail } from "../../src/domain/audit-seals/verification.ts";
import { signingKeyOf } from "../../src/domain/keys/service.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { newId, uuidFromId } from "../../src/lib/ids.ts";
import { signJwt } from "../../src/protocol/jose/sign-jwt.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const BATCHES = 4;
const cli = join(import.meta.dir, "../../src/cli.ts");

let server: TestServer;
/** The superuser, with triggers off. */
let sql: postgres.Sql;
let tenant: string;

async function write(count: number): Promise<void> {
  await record(
    server.deps.db,
    ...Array.from({ length: count }, (_, number) => ({
      tenantId: server.tenant.id,
      type: "user.login" as const,
      actor: { type: "system" as const },
      details: { number },
      context: systemContext,
      now: server.clock.now(),
    })),
  );
}

beforeAll(async () => {
  server = await startTestServer();
  sql = postgres(server.config.databaseUrl, { max: 1, onnotice: () => {} });
  await sql`set session_replication_role = replica`;
  tenant = uuidFromId("tenant", server.tenant.id);
  for (let batch = 0; batch < BATCHES; batch++) {
    await write(5);
    await sealAuditTrails(server.deps);
    server.clock.advance(60);
  }
});
afterAll(async () => {
  await sql.end();
  await server.stop();
});

const verify = () => verifyAuditTrail(server.deps, server.tenant.id);
const badOf = async () => {
  const { bad } = await verify();
  return bad && { number: bad.number, fault: bad.fault };
};
const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
  // Whatever a test did is undone, so the next one's finding is its own.
  expect(await badOf()).toBeUndefined();
});

/** Events of the third batch, in the order of their places. */
async function eventsOfThird() {
  const seals = await sql`select through from audit_seals where tenant_id = ${tenant} order by number`;
  return sql`select * from audit_events where tenant_id = ${tenant}
    and seq > ${seals[1]?.["through"]} and seq <= ${seals[2]?.["through"]} order by seq`;
}

async function first() {
  const [row] = await eventsOfThird();
  if (!row) throw new Error("the third batch is empty");
  return row;
}

describe("an audit trail that nobody touched", () => {
  it("is what was sealed", async () => {
    const { seals, events, bad, unsealed } = await verify();
    expect(bad).toBeUndefined();
    expect(seals).toBe(BATCHES);
    expect(events).toBeGreaterThanOrEqual(BATCHES * 5);
    expect(unsealed.events).toBe(0);
  });

  it("cannot be changed by the program itself", async () => {
    const { $client: own } = server.deps.db;
    for (const table of ["audit_events", "audit_seals"]) {
      await expect(own.unsafe(`delete from ${table}`).execute()).rejects.toThrow("append-only");
      await expect(own.unsafe(`truncate ${table}`).execute()).rejects.toThrow("append-only");
    }
  });
});

describe("the first bad batch is named after", () => {
  it("an event was changed: the leaf is the whole row", async () => {
    for (const [column, value] of [
      ["actor_type", "user"],
      ["ip", "203.0.113.9"],
      ["request_id", "another"],
      ["details", '{"number": 7}'],
    ] as const) {
      const row = await first();
      await sql`update audit_events set ${sql(column)} = ${column === "details" ? sql.json(JSON.parse(value)) : value} where id = ${row["id"]}`;
      expect(await badOf()).toEqual({ number: 3, fault: "events_changed" });
      await sql`update audit_events set ${sql(column)} = ${column === "details" ? sql.json(row["details"]) : row[column]} where id = ${row["id"]}`;
    }
  });

  it("an event was deleted", async () => {
    const row = await first();
    await sql`delete from audit_events where id = ${row["id"]}`;
    undo.push(() => sql`insert into audit_events ${sql(row)}`);
    expect(await badOf()).toEqual({ number: 3, fault: "events_missing" });
  });

  it("two events changed places", async () => {
    const [a, b] = await eventsOfThird();
    if (!a || !b) throw new Error("no two events");
    const swap = (x: string, y: string) =>
      sql`update audit_events set seq = case id when ${a["id"]} then ${x}::bigint else ${y}::bigint end
        where id in (${a["id"]}, ${b["id"]})`;
    await swap(b["seq"], a["seq"]);
    undo.push(() => swap(a["seq"], b["seq"]));
    expect(await badOf()).toEqual({ number: 3, fault: "events_changed" });
  });

  it("an event was put among sealed ones", async () => {
    const row = await first();
    const id = uuidFromId("auditEvent", newId("auditEvent"));
    await sql`insert into audit_events ${sql({ ...row, id })}`;
    undo.push(() => sql`delete from audit_events where id = ${id}`);
    expect(await badOf()).toEqual({ number: 3, fault: "events_added" });
  });

  it("a seal was deleted, the first one too", async () => {
    for (const number of [1, 3]) {
      const [seal] = await sql`select * from audit_seals where tenant_id = ${tenant} and number = ${number}`;
      await sql`delete from audit_seals where tenant_id = ${tenant} and number = ${number}`;
      expect(await badOf()).toEqual({ number, fault: "seal_missing" });
      if (seal) await sql`insert into audit_seals ${sql(seal)}`;
    }
  });

  it("a seal was deleted and the ones after it were given its number", async () => {
    const [seal] = await sql`select * from audit_seals where tenant_id = ${tenant} and number = 3`;
    await sql`delete from audit_seals where tenant_id = ${tenant} and number = 3`;
    await sql`update audit_seals set number = 3 where tenant_id = ${tenant} and number = 4`;
    undo.push(async () => {
      await sql`update audit_seals set number = 4 where tenant_id = ${tenant} and number = 3`;
      if (seal) await sql`insert into audit_seals ${sql(seal)}`;
    });
    expect(await badOf()).toEqual({ number: 3, fault: "chain_broken" });
  });

  it("a seal was made anew, even with the tenant's own key: the next one keeps its digest", async () => {
    const [seal] = await sql`select jws from audit_seals where tenant_id = ${tenant} and number = 3`;
    const jws = String(seal?.["jws"]);
    const claims = JSON.parse(Buffer.from(jws.split(".")[1] ?? "", "base64url").toString());
    const replace = (text: string) =>
      sql`update audit_seals set jws = ${text} where tenant_id = ${tenant} and number = 3`;
    undo.push(() => replace(jws));
    const key = await signingKeyOf(server.deps, server.tenant.id, "ES256");
    const later = new Date(Date.parse(claims.created_at) + 1000).toISOString();
    await replace(await signJwt({ ...claims, created_at: later }, { typ: SEAL_TYP, key }));
    expect(await badOf()).toEqual({ number: 4, fault: "chain_broken" });
  });

  it("a signature was forged, by a key that was put beside the others too", async () => {
    const [seal] = await sql`select jws from audit_seals where tenant_id = ${tenant} and number = 3`;
    const jws = String(seal?.["jws"]);
    const claims = JSON.parse(Buffer.from(jws.split(".")[1] ?? "", "base64url").toString());
    const replace = (text: string) =>
      sql`update audit_seals set jws = ${text} where tenant_id = ${tenant} and number = 3`;
    undo.push(() => replace(jws));

    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const kid = newId("signingKey");
    const forged = await signJwt(
      { ...claims, events: 4 },
      { typ: SEAL_TYP, key: { kid, alg: "ES256", privateKey } },
    );
    await replace(forged);
    expect(await badOf()).toEqual({ number: 3, fault: "signature_invalid" });

    const uuid = uuidFromId("signingKey", kid);
    await sql`insert into audit_seal_keys select tenant_id, ${uuid}, ${sql.json({ ...publicKey.export({ format: "jwk" }) } as postgres.JSONValue)},
      proof, master_key_id, created_at from audit_seal_keys where tenant_id = ${tenant} limit 1`;
    undo.push(() => sql`delete from audit_seal_keys where kid = ${uuid}`);
    expect(await badOf()).toEqual({ number: 3, fault: "signature_invalid" });

    const [head, , signature] = jws.split(".");
    const changed = Buffer.from(JSON.stringify({ ...claims, events: 4 })).toString("base64url");
    await replace(`${head}.${changed}.${signature}`);
    expect(await badOf()).toEqual({ number: 3, fault: "signature_invalid" });
  });

  it("everything from some batch on was deleted and sealed anew, for whoever has a copy of the seals", async () => {
    const lines: string[] = [];
    for await (const line of exportSeals(server.deps, server.tenant.id)) lines.push(line);
    const copies = readExportedSeals(lines.join("\n"), server.tenant.id);
    expect(copies.size).toBe(BATCHES);
    const compare = async () => (await verifyAuditTrail(server.deps, server.tenant.id, copies)).bad;
    expect(await compare()).toBeUndefined();

    const [last] = await sql`select * from audit_seals where tenant_id = ${tenant} and number = ${BATCHES}`;
    await sql`delete from audit_seals where tenant_id = ${tenant} and number = ${BATCHES}`;
    undo.push(async () => {
      await sql`delete from audit_seals where tenant_id = ${tenant} and number = ${BATCHES}`;
      if (last) await sql`insert into audit_seals ${sql(last)}`;
    });
    expect(await compare()).toMatchObject({ number: BATCHES, fault: "seal_missing" });
    server.clock.advance(1);
    await sealAuditTrails(server.deps);
    expect(await badOf()).toBeUndefined();
    expect(await compare()).toMatchObject({ number: BATCHES, fault: "differs_from_copy" });
  });
});

describe("gatewright audit verify", () => {
  async function run(...args: string[]) {
    const child = Bun.spawn([process.execPath, cli, "audit", ...args], {
      env: {
        PATH: process.env["PATH"],
        NODE_ENV: "test",
        PUBLIC_URL: server.url,
        DATABASE_URL: server.config.databaseUrl,
        GATEWRIGHT_MASTER_KEY: `1:${Buffer.alloc(32, 7).toString("base64")}`,
        LOG_LEVEL: "silent",
      },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { out, err, code };
  }

  it("ends with 0 and says that all is well", async () => {
    const { out, code } = await run("verify", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject([{ tenant: "default", ok: true, first_bad_batch: null }]);
  });

  it("ends with 1 and names the batch", async () => {
    const row = await first();
    await sql`update audit_events set ip = '203.0.113.9' where id = ${row["id"]}`;
    undo.push(() => sql`update audit_events set ip = ${row["ip"]} where id = ${row["id"]}`);
    const { out, err, code } = await run("verify", "--tenant", "default");
    expect(code).toBe(1);
    expect(out).toContain("batch 3: events changed");
    expect(err).toContain("batch 3");
  });

  it("ships the seals as lines of JSON", async () => {
    const { out, code } = await run("seals", "--export", "--after", "2");
    expect(code).toBe(0);
    const kinds = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).type);
    expect(kinds).toEqual(["key", "seal", "seal"]);
  });
});
