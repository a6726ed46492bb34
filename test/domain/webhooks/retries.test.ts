/** Webhooks that do not get through: when they are sent again, and when not any more. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { outbox } from "../../../src/db/schema/index.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { RETRY_SECONDS } from "../../../src/domain/webhooks/model.ts";
import {
  createWebhook,
  deleteWebhook,
  listDeliveries,
  listWebhooks,
  publish,
  requireWebhook,
  updateWebhook,
} from "../../../src/domain/webhooks/service.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { type Jobs, jobsOf, type Receiver, startReceiver } from "../../support/webhooks.ts";

const by = { actor: { type: "system" }, context: systemContext } as const;

let server: TestServer;
let jobs: Jobs;
let receiver: Receiver;

beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE: "127.0.0.1" } });
  jobs = jobsOf(server);
  receiver = startReceiver();
});
afterAll(async () => {
  receiver.stop();
  await server.stop();
});
beforeEach(async () => {
  for (const { id } of await listWebhooks(server.deps, server.tenant.id))
    await deleteWebhook(server.deps, server.tenant.id, id, by);
  await jobs.work();
  receiver.received.length = 0;
  receiver.answer = 200;
});

const add = (eventTypes: string[] = []) =>
  createWebhook(
    server.deps,
    server.tenant.id,
    { url: receiver.url, description: "", eventTypes, enabled: true },
    by,
  );
const state = async (id: string) => requireWebhook(server.deps, server.tenant.id, id);
const deliveries = (id: string) => listDeliveries(server.deps, server.tenant.id, id);
const happen = () =>
  server.deps.db.transaction((tx) =>
    publish(tx, {
      tenantId: server.tenant.id,
      type: "scimUser.provisioned",
      data: { user_id: "u" },
      now: server.clock.now(),
    }),
  );

describe("a delivery that fails", () => {
  it("is tried again after 1 m, 5 m, 30 m, 1 h, 6 h, 12 h and 24 h, and then never", async () => {
    const { webhook } = await add();
    receiver.answer = 500;
    await happen();
    await jobs.work();
    for (const [index, seconds] of RETRY_SECONDS.entries()) {
      expect(receiver.received.length).toBe(index + 1);
      server.clock.advance(seconds - 1);
      expect(await jobs.retry()).toBe(0);
      server.clock.advance(1);
      expect(await jobs.retry()).toBe(1);
      // What is on its way is not put there twice.
      expect(await jobs.retry()).toBe(0);
      await jobs.work();
    }
    expect(RETRY_SECONDS).toEqual([60, 300, 1800, 3600, 21_600, 43_200, 86_400]);
    expect(receiver.received.length).toBe(8);
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    const [delivery] = await deliveries(webhook.id);
    expect(delivery).toMatchObject({ status: "failed", attempts: 8, nextAttemptAt: null, lastStatus: 500 });
    server.clock.advance(7 * 86_400);
    expect(await jobs.retry()).toBe(0);
  });

  it("disables its receiver when nothing got through meanwhile, and mails the administrators", async () => {
    const { webhook } = await add();
    receiver.answer = 503;
    await happen();
    await jobs.work();
    for (const seconds of RETRY_SECONDS) {
      expect((await state(webhook.id)).enabled).toBe(true);
      server.clock.advance(seconds);
      await jobs.retry();
      await jobs.work();
    }
    expect(await state(webhook.id)).toMatchObject({ enabled: false, disabledReason: expect.any(String) });
    const mails = await server.deps.db.select().from(outbox).where(eq(outbox.name, "webhook_disabled"));
    expect(mails.filter(({ payload }) => payload["webhook_id"] === webhook.id).length).toBe(1);
    await happen();
    await jobs.work();
    expect(receiver.received.length).toBe(8);

    receiver.answer = 200;
    await updateWebhook(server.deps, server.tenant.id, webhook.id, { enabled: true }, by);
    expect(await state(webhook.id)).toMatchObject({
      enabled: true,
      disabledReason: null,
      failingSince: null,
    });
    await happen();
    await jobs.work();
    expect(receiver.received.length).toBe(9);
  });

  it("leaves a receiver enabled that gets other things", async () => {
    const { webhook } = await add();
    receiver.answer = 500;
    await happen();
    await jobs.work();
    for (const seconds of RETRY_SECONDS.slice(0, -1)) {
      server.clock.advance(seconds);
      await jobs.retry();
      await jobs.work();
    }
    receiver.answer = 204;
    await happen();
    await jobs.work();
    receiver.answer = 500;
    server.clock.advance(86_400);
    await jobs.retry();
    await jobs.work();
    expect((await state(webhook.id)).enabled).toBe(true);
  });

  it("with 410 Gone disables its receiver at once; a redirect is no delivery", async () => {
    const { webhook } = await add();
    receiver.answer = 302;
    await happen();
    await jobs.work();
    expect((await deliveries(webhook.id))[0]).toMatchObject({ status: "pending", lastStatus: 302 });
    receiver.answer = 410;
    await happen();
    await jobs.work();
    expect((await state(webhook.id)).enabled).toBe(false);
  });

  it("is put on the queue again when its job was lost", async () => {
    await add();
    await happen();
    await server.deps.db.delete(outbox).where(eq(outbox.queue, "webhooks"));
    server.clock.advance(3599);
    expect(await jobs.retry()).toBe(0);
    server.clock.advance(1);
    expect(await jobs.retry()).toBe(1);
    await jobs.work();
    expect(receiver.received.length).toBe(1);
  });
});
