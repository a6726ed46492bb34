/** Gatewright as it is measured: its processes, and in its database the people and applications that the cases need. */
import { and, eq } from "drizzle-orm";
import { bootstrap } from "../src/bootstrap.ts";
import { makeBundle } from "../src/cli/bundling.ts";
import { loadConfig } from "../src/config.ts";
import { migrateDatabase } from "../src/db/migrate.ts";
import { clients } from "../src/db/schema/index.ts";
import { createDeps, type Deps } from "../src/deps.ts";
import { createAccount } from "../src/domain/accounts/registration.ts";
import { createClient } from "../src/domain/clients/service.ts";
import { systemContext } from "../src/domain/request-context.ts";
import { findDefaultTenant, type Tenant } from "../src/domain/tenants/service.ts";
import { createHttpBrowser } from "../test/support/browser.ts";
import { freePort } from "../test/support/free-port.ts";
import { type Call, type Contender, refreshTokenOf, send } from "./contender.ts";
import type { BenchDatabase } from "./database.ts";
import { FLOW_CONNECTIONS } from "./generator.ts";
import { startServerProcess } from "./processes.ts";

const PASSWORD = "C0rrect-Horse!";
export const administrator = { email: "admin@example.com", password: "Adm1n-P@ssw0rd!" };
const REDIRECT_URI = "https://app.example.com/callback";
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/** What a deployment sets; the mail goes nowhere. */
export const productionEnvironment = (databaseUrl: string, port: number) => ({
  NODE_ENV: "production",
  PORT: String(port),
  PUBLIC_URL: "https://id.example.com",
  DATABASE_URL: databaseUrl,
  GATEWRIGHT_MASTER_KEY: `1:${Buffer.alloc(32, 7).toString("base64")}`,
  GATEWRIGHT_ADMIN_EMAIL: administrator.email,
  GATEWRIGHT_ADMIN_PASSWORD: administrator.password,
  GATEWRIGHT_METRICS_TOKEN: "a token for the metrics",
  MAIL_DRIVER: "smtp",
  MAIL_FROM: "Gatewright <no-reply@example.com>",
  SMTP_URL: "smtp://127.0.0.1:9",
});

export interface Gatewright extends Contender {
  readonly databaseUrl: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Works on the same database, as the command line does. */
  readonly deps: Deps;
  readonly tenant: Tenant;
}

/** @param processes how many API processes share the port */
export async function startGatewright(database: BenchDatabase, processes = 1): Promise<Gatewright> {
  const databaseUrl = await database.create(
    processes === 1 ? "bench_gatewright" : `bench_gatewright_${processes}`,
  );
  const port = freePort();
  const environment = {
    ...productionEnvironment(databaseUrl, port),
    WEB_CONCURRENCY: String(processes),
  };
  const config = loadConfig(environment);
  await migrateDatabase(config);
  await bootstrap(config);
  const deps = await createDeps(config, { process: "cli" });
  const tenant = await findDefaultTenant(deps);
  if (!tenant) throw new Error("bootstrap made no tenant");
  const command = [process.execPath, await makeBundle({ entry: "bench/gatewright-api.ts" })] as const;
  const servers = await Promise.all(
    Array.from({ length: processes }, () =>
      startServerProcess([...command], { ...runtimeSettings(), ...environment }),
    ),
  );
  const { url } = servers[0]?.announcement ?? { url: "" };
  const describe = await prepareCalls(deps, tenant, url);
  const contender = async (): Promise<Gatewright> => ({
    ...(await describe()),
    name: processes === 1 ? "Gatewright" : `Gatewright, ${processes} processes`,
    url,
    pids: servers.map(({ announcement }) => announcement.pid),
    databaseUrl,
    environment,
    deps,
    tenant,
    databaseCpuMs: database.cpuMs,
    renew: contender,
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
      await deps.close();
    },
  });
  return contender();
}

/** What the wrapper tells the runtime of its services. */
const runtimeSettings = () =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      name.startsWith("BUN_JSC_") && value !== undefined ? [[name, value]] : [],
    ),
  );

const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString();

interface App {
  readonly clientId: string;
  readonly secret: string;
}

async function register(
  deps: Deps,
  tenant: Tenant,
  row: Partial<typeof clients.$inferInsert>,
  grantTypes: string[],
): Promise<App> {
  const redirectUris = grantTypes.includes("authorization_code") ? [REDIRECT_URI] : [];
  const { client, clientSecret } = await createClient(
    deps,
    tenant.id,
    { name: "Bench", redirectUris, grantTypes, public: false, firstParty: true },
    { actor: { type: "system" }, context: systemContext },
  );
  await deps.db
    .update(clients)
    .set(row)
    .where(and(eq(clients.tenantId, tenant.id), eq(clients.id, client.id)));
  return { clientId: client.clientId, secret: clientSecret ?? "" };
}

const post = (path: string, { clientId, secret }: App, fields: Record<string, string>): Call => ({
  method: "POST",
  path,
  headers: {
    authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString("base64")}`,
    "content-type": "application/x-www-form-urlencoded",
  },
  body: form(fields),
});
const get = (path: string, headers: Record<string, string> = {}): Call => ({ method: "GET", path, headers });

const codeFlow = (app: App, cookie: string) => ({
  authorize: get(
    `/oauth/authorize?${form({
      client_id: app.clientId,
      redirect_uri: REDIRECT_URI,
      response_type: "code",
      scope: "openid profile email",
      code_challenge: CHALLENGE,
      code_challenge_method: "S256",
      state: "state",
    })}`,
    { cookie },
  ),
  exchange: post("/oauth/token", app, {
    grant_type: "authorization_code",
    redirect_uri: REDIRECT_URI,
    code_verifier: VERIFIER,
    code: "CODE",
  }),
});

const refreshCall = (app: App) =>
  post("/oauth/token", app, { grant_type: "refresh_token", refresh_token: "TOKEN" });

async function signedInCookie(url: string, username: string): Promise<string> {
  const browser = createHttpBrowser(url);
  const page = await browser.open("/signin");
  await browser.submit(page, page.url.pathname, { identifier: username, password: PASSWORD });
  return [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
}

/** @returns what describes the calls, with tokens that are issued then */
async function prepareCalls(deps: Deps, tenant: Tenant, url: string) {
  const ada = { username: "ada", email: "ada@example.com", password: PASSWORD };
  const names = { givenName: "Ada", familyName: "Lovelace" };
  await createAccount(deps, tenant, { ...ada, ...names, emailVerified: true, roles: [] }, systemContext);
  const machineGrants = ["client_credentials"];
  const appGrants = ["authorization_code", "refresh_token"];
  const es256 = await register(deps, tenant, { accessTokenSigningAlg: "ES256" }, machineGrants);
  const rs256 = await register(deps, tenant, { accessTokenSigningAlg: "RS256" }, machineGrants);
  const opaque = await register(deps, tenant, { accessTokenFormat: "opaque" }, machineGrants);
  const app = await register(deps, tenant, { firstParty: true }, appGrants);
  const opaqueApp = await register(deps, tenant, { accessTokenFormat: "opaque" }, appGrants);

  const cookie = await signedInCookie(url, ada.username);
  const otherSignIns: string[] = [];
  while (otherSignIns.length < FLOW_CONNECTIONS) otherSignIns.push(await signedInCookie(url, ada.username));
  const accessTokenOf = async (of: App) => {
    const token = await refreshTokenOf({ name: "Gatewright", url, code: codeFlow(of, cookie) });
    const call = refreshCall(of);
    const answer = await send(url, { ...call, body: call.body?.replace("TOKEN", () => token) ?? "" });
    const { access_token }: { access_token: string } = await answer.json();
    return access_token;
  };
  const login: Call = {
    method: "POST",
    path: "/login",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ identifier: ada.username, password: PASSWORD }),
  };
  const credentials = (client: App) => post("/oauth/token", client, { grant_type: "client_credentials" });
  return async () => {
    const [jwt, opaqueToken] = [await accessTokenOf(app), await accessTokenOf(opaqueApp)];
    const { access_token: own }: { access_token: string } = await (await send(url, login)).json();
    const calls: Record<string, Call> = {
      "token-es256": credentials(es256),
      "token-rs256": credentials(rs256),
      "token-opaque": credentials(opaque),
      "introspect-jwt": post("/oauth/introspect", app, { token: jwt }),
      "introspect-opaque": post("/oauth/introspect", app, { token: opaqueToken }),
      userinfo: get("/oauth/userinfo", { authorization: `Bearer ${jwt}` }),
      discovery: get("/.well-known/openid-configuration"),
      jwks: get("/.well-known/jwks.json"),
      session: get("/me", { authorization: `Bearer ${own}` }),
      login,
    };
    return { calls, code: codeFlow(app, cookie), otherSignIns, refresh: refreshCall(app) };
  };
}
