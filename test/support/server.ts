/** A whole Gatewright for one test file: its own database, a real HTTP server on a free port, a clock to turn. */
import { bootstrap } from "../../src/bootstrap.ts";
import { type Config, loadConfig } from "../../src/config.ts";
import { createDeps, type Deps } from "../../src/deps.ts";
import { createClient, type NewClient } from "../../src/domain/clients/service.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { createRemoteKeys } from "../../src/domain/remote-documents/remote-keys.ts";
import { findDefaultTenant, type Tenant, updateTenantSettings } from "../../src/domain/tenants/service.ts";
import type { TenantSettings } from "../../src/domain/tenants/settings.ts";
import { createLogger } from "../../src/lib/log.ts";
import type { Outbound } from "../../src/outbound/client.ts";
import { serve } from "../../src/server.ts";
import { startWorker } from "../../workers/main.ts";
import { createTestClock, type TestClock } from "./clock.ts";
import { createTestDatabase } from "./database.ts";
import { freePort } from "./free-port.ts";

export interface TestServer {
  /** PUBLIC_URL, and the default tenant's issuer: `http://localhost:<port>`. */
  readonly url: string;
  readonly config: Config;
  /** What the server itself works with, for what a test prepares or looks at. */
  readonly deps: Deps;
  readonly clock: TestClock;
  readonly tenant: Tenant;
  /** Starts a worker in this process, if none runs yet: mail is then sent to the mailbox. */
  startWorker(): Promise<void>;
  /** Changes the default tenant's settings; the server sees it at once. */
  configure(settings: Partial<TenantSettings>): Promise<void>;
  createClient(input: Partial<NewClient> & { name?: string }): ReturnType<typeof createClient>;
  stop(): Promise<void>;
}

export const administrator = { email: "admin@example.com", password: "Adm1n-P@ssw0rd!" };

export async function startTestServer(
  options: {
    env?: Record<string, string>;
    clock?: TestClock;
    redisUrl?: string;
    /** Stands for the internet. */
    outbound?: Outbound;
  } = {},
): Promise<TestServer> {
  const database = await createTestDatabase();
  const port = freePort();
  const url = `http://localhost:${port}`;
  const config = loadConfig({
    NODE_ENV: "test",
    PORT: String(port),
    // Whatever "localhost" resolves to in the browser or the runtime.
    HOST: "localhost",
    PUBLIC_URL: url,
    DATABASE_URL: database.url,
    GATEWRIGHT_MASTER_KEY: `1:${Buffer.alloc(32, 7).toString("base64")}`,
    GATEWRIGHT_ADMIN_EMAIL: administrator.email,
    GATEWRIGHT_ADMIN_PASSWORD: administrator.password,
    LOG_LEVEL: "silent",
    // Tests ask more often than anybody else; those of the limits turn them on.
    RATE_LIMITING: "off",
    ...(options.redisUrl ? { REDIS_URL: options.redisUrl } : {}),
    ...options.env,
  });
  const log = createLogger({ level: "silent", name: "test" });
  await bootstrap(config);
  // Bootstrapping reads the real time: a clock that stood still before it would not know the first keys yet.
  const clock = options.clock ?? createTestClock();
  const made = await createDeps(config, { process: "api", clock, log });
  const deps = options.outbound ? reachedBy(made, options.outbound) : made;
  const server = await serve(deps);
  const tenant = await findDefaultTenant(deps);
  if (!tenant) throw new Error("bootstrap made no tenant");
  let worker: Awaited<ReturnType<typeof startWorker>> | undefined;

  return {
    url,
    config,
    deps,
    clock,
    tenant,
    async startWorker() {
      worker ??= await startWorker(config, { clock, log });
    },
    configure: (settings) => updateTenantSettings(deps, tenant, settings),
    createClient: (input) =>
      createClient(
        deps,
        tenant.id,
        { name: "Test", redirectUris: [], grantTypes: [], public: false, firstParty: true, ...input },
        { actor: { type: "system" }, context: systemContext },
      ),
    async stop() {
      await worker?.stop();
      await server.stop();
      await deps.close();
      await database.drop();
    },
  };
}

/** Everything that asks the internet, by another way. */
function reachedBy<D extends Deps>(deps: D, outbound: Outbound): D {
  const remoteKeys = createRemoteKeys({ outbound, clock: deps.clock }, (url, error) =>
    deps.log.warn({ url, err: error }, "keys could not be fetched"),
  );
  return { ...deps, outbound, remoteKeys };
}

/** A JSON request, as an API client makes it. */
export function postJson(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** A form request, as an OAuth client or a page makes it. Redirects are answers here, not followed. */
export function postForm(
  url: string,
  fields: Record<string, string> | URLSearchParams | string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, {
    method: "POST",
    redirect: "manual",
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: typeof fields === "string" ? fields : new URLSearchParams(fields).toString(),
  });
}
