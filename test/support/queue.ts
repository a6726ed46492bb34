/** A queue of its own for each test file, on each backend that this machine has. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { type Config, loadConfig } from "../../src/config.ts";
import type { Database } from "../../src/db/client.ts";
import { clients, tenants, userEmails, users } from "../../src/db/schema/index.ts";
import { type Id, newId } from "../../src/lib/ids.ts";

export interface TestRedis {
  url: string;
  stop(): Promise<void>;
}

const redisServer = Bun.which("redis-server");
const givenRedis = process.env["TEST_REDIS_URL"];

/** What the queue's tests run on. Redis only where there is one; `./gatewright test` says when there is none. */
export const queueBackends: readonly ("PostgreSQL" | "Redis")[] =
  redisServer || givenRedis ? ["PostgreSQL", "Redis"] : ["PostgreSQL"];

/** A server of its own, or the one named by TEST_REDIS_URL, emptied. */
export async function startTestRedis(): Promise<TestRedis> {
  if (!redisServer) return emptied(givenRedis ?? "");
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), "gatewright-redis-"));
  const server = Bun.spawn(
    [
      redisServer,
      "--port",
      `${port}`,
      "--bind",
      "127.0.0.1",
      "--save",
      "",
      "--appendonly",
      "no",
      "--dir",
      directory,
    ],
    { stdout: "ignore", stderr: "ignore" },
  );
  const url = `redis://127.0.0.1:${port}`;
  await answering(url);
  return {
    url,
    async stop() {
      server.kill();
      await server.exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function emptied(url: string): Promise<TestRedis> {
  const redis = new Redis(url);
  await redis.flushdb();
  redis.disconnect();
  return { url, stop: async () => {} };
}

async function answering(url: string): Promise<void> {
  const redis = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: 250 });
  redis.on("error", () => {});
  await redis.ping();
  redis.disconnect();
}

function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address();
    server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
  });
  return promise;
}

export const testMasterKey = `test:${Buffer.alloc(32, 7).toString("base64")}`;

export function testConfig(env: Record<string, string | undefined>): Config {
  return loadConfig({
    NODE_ENV: "test",
    LOG_LEVEL: "silent",
    PUBLIC_URL: "http://id.test",
    GATEWRIGHT_MASTER_KEY: testMasterKey,
    ...env,
  });
}

/** Polls until `read` gives something. @throws after the deadline, saying what was awaited. */
export async function eventually<T>(
  what: string,
  read: () => Promise<T | undefined | false> | T | undefined | false,
  deadlineMs = 15_000,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await Bun.sleep(20);
  }
}

export async function insertTestTenant(
  db: Database,
  tenant: { slug?: string; name?: string; isDefault?: boolean } = {},
): Promise<Id<"tenant">> {
  const id = newId("tenant");
  const now = new Date();
  await db.insert(tenants).values({
    id,
    slug: tenant.slug ?? `t${id.slice(-10).toLowerCase()}`,
    name: tenant.name ?? "Example",
    isDefault: tenant.isDefault ?? false,
    createdAt: now,
    updatedAt: now,
  });
  return id;
}

export interface TestUser {
  userId: Id<"user">;
  emailId: Id<"email">;
  address: string;
}

export async function insertTestUsers(
  db: Database,
  tenantId: Id<"tenant">,
  count: number,
): Promise<TestUser[]> {
  const now = new Date();
  const made = Array.from({ length: count }, () => {
    const userId = newId("user");
    return { userId, emailId: newId("email"), address: `${userId.slice(5).toLowerCase()}@example.com` };
  });
  await db.insert(users).values(
    made.map(({ userId }) => ({
      tenantId,
      id: userId,
      username: userId,
      usernameKey: userId.toLowerCase(),
      givenName: "Ada",
      createdAt: now,
      updatedAt: now,
    })),
  );
  await db.insert(userEmails).values(
    made.map(({ userId, emailId, address }) => ({
      tenantId,
      id: emailId,
      userId,
      address,
      addressKey: address,
      isPrimary: true,
      createdAt: now,
    })),
  );
  return made;
}

/** A public client that nobody uses, for what belongs to one. */
export async function insertTestClient(
  db: Database,
  tenantId: Id<"tenant">,
  now: Date,
): Promise<Id<"client">> {
  const id = newId("client");
  await db.insert(clients).values({
    tenantId,
    id,
    clientId: id,
    name: "Test",
    applicationType: "web",
    tokenEndpointAuthMethod: "none",
    grantTypes: [],
    redirectUris: [],
    postLogoutRedirectUris: [],
    scopes: [],
    firstParty: true,
    idTokenSignedResponseAlg: "RS256",
    accessTokenSigningAlg: "ES256",
    createdAt: now,
    updatedAt: now,
  });
  return id;
}
