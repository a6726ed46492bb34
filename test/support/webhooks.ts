/** A receiver of webhooks on this machine, and the worker's part of the queue, one job at a time. */
import { asc, eq, inArray } from "drizzle-orm";
import { outbox } from "../../src/db/schema/index.ts";
import { enqueueDueAttempts } from "../../src/domain/webhooks/delivery/service.ts";
import type { QueueName } from "../../src/queue/contracts.ts";
import type { JobProcessor } from "../../src/queue/worker-handle.ts";
import { createScimProcessor } from "../../workers/scim/processor.ts";
import { createWebhooksProcessor } from "../../workers/webhooks/processor.ts";
import type { TestServer } from "./server.ts";

export interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** The status that the next requests are answered with. */
  answer: number;
  stop(): void;
}

export function startReceiver(): Receiver {
  const received: Received[] = [];
  const receiver = { answer: 200 };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      received.push({ headers: Object.fromEntries(request.headers), body: await request.text() });
      return new Response(null, { status: receiver.answer, headers: { location: "http://127.0.0.1:1/" } });
    },
  });
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${server.port}/hook`,
    received,
    stop: () => void server.stop(true),
  });
}

export interface Jobs {
  /** Works through what waits of these queues, and what comes of it, as a worker would. @returns how many jobs it was */
  work(): Promise<number>;
  /** The jobs that wait. */
  waiting(): Promise<{ id: string; name: string; payload: Record<string, unknown> }[]>;
  /** Puts on the queue what is due by now. */
  retry(): Promise<number>;
  process(
    queue: "scim" | "webhooks",
    job: { id: string; name: string; payload: Record<string, unknown> },
  ): Promise<void>;
}

/** Jobs of the queues `scim` and `webhooks`, out of the server's outbox. */
export function jobsOf(server: TestServer): Jobs {
  const { deps, tenant } = server;
  const processors: Record<"scim" | "webhooks", JobProcessor> = {
    scim: createScimProcessor(deps),
    webhooks: createWebhooksProcessor(deps),
  };
  const isOurs = (queue: string): queue is "scim" | "webhooks" => queue === "scim" || queue === "webhooks";
  const rows = () =>
    deps.db
      .select()
      .from(outbox)
      .where(inArray(outbox.queue, ["scim", "webhooks"] satisfies QueueName[]))
      .orderBy(asc(outbox.id));
  const process = async (
    queue: "scim" | "webhooks",
    { id, name, payload }: { id: string; name: string; payload: Record<string, unknown> },
  ) => processors[queue]({ id: `outbox-${id}`, name, data: { tenantId: tenant.id, payload }, attempt: 1 });
  return {
    process,
    waiting: rows,
    retry: () => enqueueDueAttempts(deps),
    async work() {
      let count = 0;
      for (;;) {
        const [row] = await rows();
        if (!row || !isOurs(row.queue)) return count;
        await deps.db.delete(outbox).where(eq(outbox.id, row.id));
        await process(row.queue, row);
        count++;
      }
    },
  };
}
