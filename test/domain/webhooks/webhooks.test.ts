/** Webhooks (Standard Webhooks): what is sent, to whom, and how it is signed. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { Webhook as Verifier } from "standardwebhooks";
import { webhookDeliveries, webhooks } from "../../../src/db/schema/index.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { findAttempt } from "../../../src/domain/webhooks/delivery/service.ts";
import {
  createWebhook,
  deleteWebhook,
  listDeliveries,
  listWebhooks,
  publish,
  replayDelivery,
  rotateWebhookSecret,
} from "../../../src/domain/webhooks/service.ts";
import { isId } from "../../../src/lib/ids.ts";
import { type ScimClient, scimClient } from "../../conformance/scim/support.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { type Jobs, jobsOf, type Receiver, startReceiver } from "../../support/webhooks.ts";

const by = { actor: { type: "system" }, context: systemContext } as const;

let server: TestServer;
let jobs: Jobs;
let receiver: Receiver;
let scim: ScimClient;

beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE: "127.0.0.1" } });
  jobs = jobsOf(server);
  receiver = startReceiver();
  scim = await scimClient(server);
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

describe("what SCIM does to a user", () => {
  it("is told, signed, once for each change", async () => {
    const { secret } = await add();
    const { body: user } = await scim.post("/Users", { userName: "w1" });
    await scim.patch(`/Users/${user.id}`, [{ op: "replace", path: "active", value: false }]);
    await scim.patch(`/Users/${user.id}`, [{ op: "replace", path: "active", value: false }]);
    await scim.patch(`/Users/${user.id}`, [{ op: "replace", path: "active", value: true }]);
    await scim.delete(`/Users/${user.id}`);
    await jobs.work();
    const messages = receiver.received.map(({ body, headers }) => {
      const { "webhook-timestamp": sentAt, ...others } = headers;
      // The library knows the real time alone.
      const at = new Date(Number(sentAt) * 1000);
      const known = new Verifier(secret).sign(others["webhook-id"] ?? "", at, body);
      expect(others["webhook-signature"]).toBe(known);
      expect(at.getTime()).toBe(Math.floor(server.clock.now().getTime() / 1000) * 1000);
      return JSON.parse(body);
    });
    expect(messages.map(({ type }) => type)).toEqual([
      "scimUser.provisioned",
      "scimUser.deprovisioned",
      "scimUser.provisioned",
      "scimUser.deprovisioned",
    ]);
    expect(messages[0]).toEqual({
      type: "scimUser.provisioned",
      timestamp: server.clock.now().toISOString(),
      data: { user_id: user.id },
    });
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(4);
  });

  it("is told to whom it concerns alone", async () => {
    const { webhook } = await add(["scimUser.deprovisioned"]);
    await scim.post("/Users", { userName: "w2" });
    await jobs.work();
    expect(receiver.received).toEqual([]);
    expect(await deliveries(webhook.id)).toEqual([]);
  });

  it("is not told when it did not happen", async () => {
    await add();
    await server.deps.db
      .transaction(async (tx) => {
        await publish(tx, {
          tenantId: server.tenant.id,
          type: "scimUser.provisioned",
          data: {},
          now: server.clock.now(),
        });
        throw new Error("rolled back");
      })
      .catch(() => undefined);
    expect(await jobs.waiting()).toEqual([]);
  });
});

describe("a worker that is killed halfway", () => {
  /** After the request and before its record: the queue delivers the job again. */
  it("sends the same webhook-id again, and counts one attempt", async () => {
    const { webhook } = await add();
    await happen();
    const [job] = await jobs.waiting();
    const id = job?.payload["delivery_id"];
    if (!job || !isId("webhookDelivery", id)) throw new Error("no job");
    const pending = await findAttempt(server.deps.db, server.tenant.id, id, 1);
    await fetch(receiver.url, { method: "POST", headers: { "webhook-id": pending?.event.id ?? "" } });
    await jobs.process("webhooks", job);
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect((await deliveries(webhook.id))[0]).toMatchObject({ status: "delivered", attempts: 1 });
    // The job comes a third time: it was done.
    await jobs.process("webhooks", job);
    await jobs.process("webhooks", { ...job, id: "other" });
    expect(receiver.received.length).toBe(2);
  });

  /** Guard: delivery/service.ts, findAttempt. */
  it("makes no attempt twice that was put on the queue twice", async () => {
    await add();
    receiver.answer = 500;
    await happen();
    const [job] = await jobs.waiting();
    if (!job) throw new Error("no job");
    await jobs.work();
    await jobs.process("webhooks", { ...job, id: "other" });
    expect(receiver.received.length).toBe(1);
  });

  it("tells of a change once, however often the job of the change comes", async () => {
    await add();
    await scim.post("/Users", { userName: "w9" });
    const [job] = await jobs.waiting();
    if (!job) throw new Error("no job");
    await jobs.process("scim", job);
    await jobs.process("scim", job);
    await jobs.work();
    expect(receiver.received.length).toBe(1);
  });
});

describe("a secret", () => {
  it("that is rotated signs beside the new one for a day, and is sealed at rest", async () => {
    const { webhook, secret: former } = await add();
    const { secret } = await rotateWebhookSecret(server.deps, server.tenant.id, webhook.id, by);
    expect(secret).not.toBe(former);
    const signers = async () => {
      receiver.received.length = 0;
      await happen();
      await jobs.work();
      const { headers, body } = receiver.received[0] ?? { headers: {}, body: "" };
      const at = new Date(Number(headers["webhook-timestamp"]) * 1000);
      const signatures = headers["webhook-signature"]?.split(" ") ?? [];
      return [secret, former].map((one) =>
        signatures.includes(new Verifier(one).sign(headers["webhook-id"] ?? "", at, body)),
      );
    };
    expect(await signers()).toEqual([true, true]);
    server.clock.advance(86_400);
    expect(await signers()).toEqual([true, false]);
    const rows = await server.deps.db.select().from(webhooks);
    for (const text of [secret, former]) expect(JSON.stringify(rows)).not.toContain(text.slice(6));
  });
});

describe("a replay", () => {
  it("sends the event of a delivery once more, as itself", async () => {
    const { webhook } = await add();
    await happen();
    await jobs.work();
    const [first] = await deliveries(webhook.id);
    const of = { webhookId: webhook.id, deliveryId: first?.id ?? "" };
    await replayDelivery(server.deps, server.tenant.id, of, by);
    await jobs.work();
    expect(new Set(receiver.received.map(({ headers, body }) => headers["webhook-id"] + body)).size).toBe(1);
    expect(receiver.received.length).toBe(2);
    const rows = await server.deps.db.select().from(webhookDeliveries);
    expect(rows.filter(({ webhookId }) => webhookId === webhook.id).length).toBe(2);
  });
});
