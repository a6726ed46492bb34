/** Back-channel logout by a worker that is killed while it tells applications. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "bun:test";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { auditEvents, clients, jobLedger, sessions, tokenFamilies } from "../../src/db/schema/index.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { revokeOtherSessions } from "../../src/domain/sessions/ending.ts";
import { newId } from "../../src/lib/ids.ts";
import { addUser } from "../conformance/support.ts";
import { eventually } from "../support/queue.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const SESSIONS = 60;
const cli = join(import.meta.dir, "../../src/cli.ts");

let server: TestServer;
const workers: Bun.Subprocess[] = [];
const told = new Map<string, number>();
const held = Promise.withResolvers<Response>();
let answered = 0;

/** Answers 20 requests, and lets whoever asks then wait until `held` is settled. */
const application = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 0,
  async fetch(request) {
    const token = new URLSearchParams(await request.text()).get("logout_token") ?? "";
    const { sid } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    told.set(sid, (told.get(sid) ?? 0) + 1);
    answered++;
    return answered > 20 && !released ? held.promise : new Response();
  },
});
let released = false;

beforeAll(async () => {
  server = await startTestServer();
});
afterEach(() => {
  for (const worker of workers.splice(0)) worker.kill("SIGKILL");
});
afterAll(async () => {
  application.stop(true);
  await server.stop();
});

function startWorkerProcess(): Bun.Subprocess {
  const worker = Bun.spawn([process.execPath, cli, "worker"], {
    env: {
      PATH: process.env["PATH"],
      NODE_ENV: "test",
      PUBLIC_URL: server.url,
      DATABASE_URL: server.config.databaseUrl,
      GATEWRIGHT_MASTER_KEY: `1:${Buffer.alloc(32, 7).toString("base64")}`,
      GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE: "127.0.0.1",
      LOG_LEVEL: "silent",
    },
    stdout: "ignore",
    stderr: "inherit",
  });
  workers.push(worker);
  return worker;
}

async function endSessions(): Promise<string[]> {
  const user = await addUser(server, "ada");
  const { client } = await server.createClient({ redirectUris: ["https://app.example/callback"] });
  const backchannelLogoutUri = `http://127.0.0.1:${application.port}/logout`;
  await server.deps.db.update(clients).set({ backchannelLogoutUri }).where(eq(clients.id, client.id));
  const now = server.clock.now();
  const expiresAt = new Date(now.getTime() + 86_400_000);
  const owner = { tenantId: server.tenant.id, userId: user.id, createdAt: now, expiresAt };
  const ids = Array.from({ length: SESSIONS }, () => newId("session"));
  await server.deps.db
    .insert(sessions)
    .values(ids.map((id) => ({ ...owner, id, authTime: now, acr: "1", amr: ["pwd"], lastSeenAt: now })));
  const family = { ...owner, clientId: client.id, scope: ["openid"], offline: false };
  await server.deps.db
    .insert(tokenFamilies)
    .values(ids.map((sessionId) => ({ ...family, id: newId("tokenFamily"), sessionId })));
  await revokeOtherSessions(server.deps, user, {
    actor: { type: "user", id: user.id },
    context: systemContext,
    except: null,
  });
  return ids;
}

describe("a worker killed with kill -9 halfway", () => {
  it("leaves no application untold: another one tells the rest, and what was under way again", async () => {
    const ids = await endSessions();
    const first = startWorkerProcess();
    await eventually("requests that wait for their answer", () => answered > 25, 20_000);
    first.kill("SIGKILL");
    await first.exited;
    expect(told.size).toBeLessThan(SESSIONS);
    const cut = [...told.keys()].slice(20);

    released = true;
    held.resolve(new Response());
    startWorkerProcess();
    await eventually("every session", () => told.size === SESSIONS, 40_000);
    await eventually(
      "a settled ledger",
      async () => {
        const rows = await server.deps.db.select().from(jobLedger);
        return rows.length === SESSIONS && rows.every(({ completedAt }) => completedAt !== null);
      },
      40_000,
    );
    expect([...told.keys()].toSorted()).toEqual(ids.toSorted());
    for (const sid of cut) expect(told.get(sid)).toBeGreaterThan(1);
    const delivered = await server.deps.db
      .select()
      .from(auditEvents)
      .where(eq(auditEvents.type, "logout.delivered"));
    expect(new Set(delivered.map(({ details }) => JSON.stringify(details))).size).toBe(SESSIONS);
  }, 120_000);
});
