/** Webhooks as a way into our own network (CWE-918, RFC 9700 §4.12). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { systemContext } from "../../src/domain/request-context.ts";
import { createWebhook, listDeliveries, publish } from "../../src/domain/webhooks/service.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { jobsOf, type Receiver, startReceiver } from "../support/webhooks.ts";

let server: TestServer;
let receiver: Receiver;
beforeAll(async () => {
  // As installed: no private address may be asked.
  server = await startTestServer();
  receiver = startReceiver();
});
afterAll(async () => {
  receiver.stop();
  await server.stop();
});

/** Guard: domain/webhooks/delivery/service.ts asks by deps.outbound alone, and tells one text for all refusals. */
describe("a receiver inside our own network", () => {
  it("is not asked, and its log tells no address from another", async () => {
    const { port } = new URL(receiver.url);
    const jobs = jobsOf(server);
    const told = new Set<string | null>();
    const { deps, tenant, clock } = server;
    for (const url of [
      receiver.url,
      `http://localhost:${port}/`,
      `http://[::ffff:127.0.0.1]:${port}/`,
      `http://2130706433:${port}/`,
      "http://127.0.0.1:1/",
      "https://169.254.169.254/latest/meta-data/",
      "https://10.0.0.1/",
    ]) {
      const input = { url, description: "", eventTypes: [], enabled: true };
      const by = { actor: { type: "system" }, context: systemContext } as const;
      const { webhook } = await createWebhook(deps, tenant.id, input, by);
      const event = {
        tenantId: tenant.id,
        type: "scimUser.provisioned",
        data: {},
        now: clock.now(),
      } as const;
      await deps.db.transaction((tx) => publish(tx, event));
      await jobs.work();
      const [delivery] = await listDeliveries(deps, tenant.id, webhook.id);
      expect([url, delivery?.status, delivery?.lastStatus]).toEqual([url, "pending", null]);
      told.add(delivery?.lastError ?? null);
    }
    expect(receiver.received).toEqual([]);
    expect(told.size).toBe(1);
  });
});
