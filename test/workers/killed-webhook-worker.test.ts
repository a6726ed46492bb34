/**
 * A fan-out of webhooks by workers that are killed while events become deliveries, and while deliveries are made. A request
 * may come twice (its worker died before it could note the answer): by its `webhook-id` a receiver knows it again
 * (Standard Webhooks). But no event and no delivery is there twice, and none is lost.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { jobLedger, outbox, webhookDeliveries, webhookEvents, webhooks } from "../../src/db/schema/index.ts";
import { createDeps, type Deps } from "../../src/deps.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { createWebhook } from "../../src/domain/webhooks/service.ts";
import type { Id } from "../../src/lib/ids.ts";
import { createLogger } from "../../src/lib/log.ts";
import { enqueue } from "../../src/queue/outbox.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  eventually,
  insertTestTenant,
  insertTestUsers,
  queueBackends,
  startTestRedis,
  testConfig,
  type TestRedis,
} from "../support/queue.ts";
import { type WorkerProcesses, workerProcesses } from "../support/worker-process.ts";

const EVENTS = 60;
const RECEIVERS = 5;
const DELIVERIES = EVENTS * RECEIVERS;
/** Far beyond what a loaded machine takes for a part of the test. */
const PATIENCE_MS = 90_000;

/** Notes who was told of what, and lets the worker wait for its answers once `upTo` are given. */
function startReceivers() {
  const told = new Map<string, string[]>();
  let [answered, upTo] = [0, 40];
  let freed = Promise.withResolvers<void>();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const key = `${pathname} ${request.headers.get("webhook-id")}`;
      told.set(key, [...(told.get(key) ?? []), await request.text()]);
      if (++answered > upTo) await freed.promise;
      return new Response(null, { status: 204 });
    },
  });
  return {
    told,
    requests: () => [...told.values()].flat().length,
    isHolding: () => answered > upTo,
    /** Lets those go that wait, and so many more. */
    answer(more: number) {
      [answered, upTo] = [0, more];
      freed.resolve();
      freed = Promise.withResolvers<void>();
    },
    url: (number: number) => `http://127.0.0.1:${server.port}/${number}`,
    stop: () => server.stop(true),
  };
}

describe.each(queueBackends)("workers killed with kill -9 in a fan-out, queue on %s", (backend) => {
  let database: TestDatabase;
  let redis: TestRedis | undefined;
  let deps: Deps & { close(): Promise<void> };
  let tenantId: Id<"tenant">;
  let workers: WorkerProcesses;
  const receivers = startReceivers();

  beforeAll(async () => {
    database = await createTestDatabase();
    redis = backend === "Redis" ? await startTestRedis() : undefined;
    const env = {
      DATABASE_URL: database.url,
      REDIS_URL: redis?.url,
      GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE: "127.0.0.1",
    };
    const log = createLogger({ level: "silent", name: "test" });
    deps = await createDeps(testConfig(env), { process: "worker", log });
    tenantId = await insertTestTenant(deps.db, { isDefault: true });
    workers = workerProcesses(env);
  });
  afterAll(async () => {
    await workers.killAll();
    receivers.stop();
    await redis?.stop();
    await deps.close();
    await database.drop();
  });

  /** People whom a directory provisioned: of each every receiver is to be told. */
  async function provision(): Promise<string[]> {
    const by = { actor: { type: "system" }, context: systemContext } as const;
    for (let number = 0; number < RECEIVERS; number++) {
      const input = { url: receivers.url(number), description: "", eventTypes: [], enabled: true };
      await createWebhook(deps, tenantId, input, by);
    }
    const people = await insertTestUsers(deps.db, tenantId, EVENTS);
    await deps.db.transaction(async (tx) => {
      for (const { userId } of people) {
        const payload = { user_id: userId };
        await enqueue(tx, { tenantId, queue: "scim", name: "user_provisioned", payload, now: new Date() });
      }
    });
    return people.map(({ userId }) => userId);
  }

  /** Starts a worker, and kills it when it waits for answers. */
  async function killOneInTheMiddle(): Promise<void> {
    const worker = workers.start();
    await eventually("requests that wait for their answer", receivers.isHolding, PATIENCE_MS);
    await workers.kill(worker);
  }

  it(
    "leave no event and no delivery lost or doubled",
    async () => {
      const people = await provision();
      await killOneInTheMiddle();
      receivers.answer(60);
      await killOneInTheMiddle();
      expect(receivers.told.size).toBeLessThan(DELIVERIES);
      receivers.answer(Number.MAX_SAFE_INTEGER);
      workers.start();

      await eventually(
        "every delivery",
        async () => {
          const rows = await deps.db.select().from(webhookDeliveries);
          return rows.length >= DELIVERIES && rows.every(({ status }) => status === "delivered");
        },
        PATIENCE_MS,
      );
      // Jobs that were done, and not marked so before their worker died, are delivered again: let that happen too.
      await eventually(
        "a settled ledger",
        async () => {
          const rows = await deps.db.select().from(jobLedger);
          return (
            (await deps.db.$count(outbox)) === 0 && rows.every(({ completedAt }) => completedAt !== null)
          );
        },
        PATIENCE_MS,
      );

      const events = await deps.db.select().from(webhookEvents);
      expect(events.map(({ data }) => String(data["user_id"])).toSorted()).toEqual(people.toSorted());
      const receiving = await deps.db.select({ id: webhooks.id, url: webhooks.url }).from(webhooks);
      const deliveries = await deps.db.select().from(webhookDeliveries);
      const expected = receiving.flatMap(({ url }) =>
        events.map(({ id }) => `${new URL(url).pathname} ${id}`),
      );
      const pathOf = new Map(receiving.map(({ id, url }) => [id, new URL(url).pathname]));
      expect(
        deliveries.map(({ webhookId, eventId }) => `${pathOf.get(webhookId)} ${eventId}`).toSorted(),
      ).toEqual(expected.toSorted());

      expect([...receivers.told.keys()].toSorted()).toEqual(expected.toSorted());
      for (const bodies of receivers.told.values()) expect(new Set(bodies).size).toBe(1);
      expect(receivers.requests()).toBeGreaterThan(DELIVERIES);
    },
    4 * PATIENCE_MS,
  );
});
