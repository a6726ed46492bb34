/** One API process. */
import { createApp } from "./app.ts";
import type { Config } from "./config.ts";
import { createDeps, type Deps } from "./deps.ts";
import { keyRingOf } from "./domain/keys/service.ts";
import { findDefaultTenant, type Tenant } from "./domain/tenants/service.ts";
import { MOST_BYTES_OF_ANY } from "./http/body-limit.ts";
import { createGateway } from "./http/gateway.ts";
import { createLimiter } from "./http/rate-limit/limiter.ts";
import { createCounterStore } from "./http/rate-limit/store.ts";
import { createMetrics, type Metrics } from "./http/metrics.ts";
import { ConfigError } from "./lib/config-error.ts";
import { MasterKeyError } from "./lib/master-keys.ts";
import { createQueueHealth, type QueueHealth } from "./queue/health.ts";

export interface RunningServer {
  /** Where it listens, which is not PUBLIC_URL behind a proxy. */
  url: string;
  stop(): Promise<void>;
}

/** @throws when the port is taken, the database cannot be reached, or the master key is not the one of its data */
export async function startServer(config: Config): Promise<RunningServer> {
  const deps = await createDeps(config, { process: "api" });
  try {
    const server = await serve(deps);
    return {
      url: server.url,
      async stop() {
        await server.stop();
        await deps.close();
      },
    };
  } catch (error) {
    await deps.close();
    throw error;
  }
}

/** Answers requests with what it is given; closing that is the caller's business. */
export async function serve(deps: Deps): Promise<RunningServer> {
  // Fails here, and not at the first request, when the database does not answer or the master key is a wrong one.
  const tenant = await findDefaultTenant(deps);
  if (tenant) await requireMasterKey(deps, tenant);

  const { config } = deps;
  const metrics = createMetrics(config.webConcurrency > 1 ? String(process.pid) : undefined);
  const queue = createQueueHealth(config, deps.db, deps.log);
  gaugeQueue(deps, metrics, queue);
  const counters = config.rateLimiting ? createCounterStore(deps) : undefined;
  const limiter = counters && createLimiter(counters, deps.clock);
  const app = createApp(deps, { metrics, queue, limiter });
  const gateway = createGateway(deps, (request) => app.fetch(request), metrics);
  const server = await listen(deps, gateway).catch(async (error: unknown) => {
    await queue.close();
    await counters?.close();
    throw error;
  });
  deps.log.info({ url: server.url.href }, "API process listens");

  return {
    url: server.url.origin,
    async stop() {
      // Lets requests that are under way finish; the caller sets the deadline.
      await server.stop();
      await queue.close();
      await counters?.close();
    },
  };
}

async function requireMasterKey(deps: Deps, tenant: Tenant): Promise<void> {
  try {
    await keyRingOf(deps, tenant.id);
  } catch (error) {
    if (!(error instanceof MasterKeyError)) throw error;
    throw new ConfigError([
      "GATEWRIGHT_MASTER_KEY is not the key that this database's signing keys were sealed with: restore it (with `gatewright start`: secrets.json of the data directory)",
    ]);
  }
}

/** @throws when the address cannot be listened on */
async function listen({ config, log }: Deps, gateway: ReturnType<typeof createGateway>) {
  return Bun.serve({
    hostname: config.host,
    port: config.port,
    reusePort: config.webConcurrency > 1,
    maxRequestBodySize: MOST_BYTES_OF_ANY,
    idleTimeout: 30,
    // Never the runtime's own page for errors, which shows source code.
    development: false,
    error(err) {
      log.error({ err }, "a request broke the gateway");
      return Response.json(
        { error: "internal_error", error_description: "Something went wrong on our side. Please try again." },
        { status: 500 },
      );
    },
    fetch: (request, bunServer) => gateway(request, bunServer),
  });
}

function gaugeQueue(deps: Deps, metrics: Metrics, queue: QueueHealth): void {
  metrics.gauge(
    "outbox_jobs",
    "Jobs that wait to be put on the queue",
    async () => (await queue.counts()).outbox,
  );
  metrics.gauge(
    "outbox_oldest_seconds",
    "Age of the oldest of them: one that grows means no worker",
    async () => {
      const { outboxOldest } = await queue.counts();
      return outboxOldest ? (deps.clock.now().getTime() - outboxOldest.getTime()) / 1000 : 0;
    },
  );
  metrics.gauge("jobs_failed", "Jobs that ran out of attempts", async () => {
    const { failed } = await queue.counts();
    return Object.values(failed).reduce((sum, count) => sum + count, 0);
  });
}
