/** What an API process does of itself while its database is away, for many tenants as for one. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createDeps, type Deps } from "../../src/deps.ts";
import { type RunningServer, serve } from "../../src/server.ts";
import {
  type App,
  basicAuthorization,
  createApp,
  createOtherTenant,
  tokenRequest,
} from "../attacks/support.ts";
import { freePort } from "../support/free-port.ts";
import { openGate } from "../support/gate.ts";
import { until } from "../support/scratch.ts";
import { postForm, startTestServer, type TestServer } from "../support/server.ts";

const TENANTS = 8;

let server: TestServer;
let gate: Awaited<ReturnType<typeof openGate>>;
let deps: Deps & { close(): Promise<void> };
let other: RunningServer;
const apps: App[] = [];

beforeAll(async () => {
  server = await startTestServer();
  for (let number = 0; number < TENANTS; number++) {
    const { tenant } = await createOtherTenant(server, `tenant-${number}`);
    const input = { grantTypes: ["client_credentials"] };
    apps.push(await createApp(server, input, { tenant, base: `/t/tenant-${number}` }));
  }
  gate = await openGate(server.config.databaseUrl);
  const config = { ...server.config, databaseUrl: gate.url, port: freePort() };
  deps = await createDeps(config, { process: "api", clock: server.clock, log: server.deps.log });
  other = await serve(deps);
}, 120_000);
afterAll(async () => {
  await other?.stop();
  await deps?.close();
  await gate?.[Symbol.asyncDispose]();
  await server?.stop();
});

const requestToken = (app: App) =>
  tokenRequest({ ...app, base: other.url + app.base }, { grant_type: "client_credentials" });

async function issue(app: App): Promise<string> {
  const answer = await requestToken(app);
  expect(answer.status).toBe(200);
  return (await answer.json()).access_token;
}

const introspect = (app: App, token: string) =>
  postForm(`${other.url}${app.base}/oauth/introspect`, { token }, basicAuthorization(app));

const jtiOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).jti;

const recorded = async () => {
  const rows = await server.deps.db.$client<{ jti: string }[]>`
    select details ->> 'jti' as jti from audit_events where type = 'token.issued'`;
  return rows.map(({ jti }) => jti).toSorted();
};

describe("while the database is away", () => {
  it("every tenant's clients get their tokens, and each is in the audit trail once afterwards", async () => {
    const tokens: string[] = [];
    for (const app of apps) tokens.push(await issue(app));
    gate.close((socket) => socket.resetAndDestroy());
    for (let time = 0; time < 3; time++) tokens.push(...(await Promise.all(apps.map(issue))));

    // What cannot be known without it is not guessed, and the answer says nothing of where it is.
    const [app] = apps;
    if (!app) throw new Error("unreachable");
    const refused = await introspect(app, tokens[0] ?? "");
    expect(refused.status).toBe(503);
    expect(await refused.text()).not.toMatch(/127\.0\.0\.1|ECONN|CONNECTION|postgres/i);

    gate.open();
    const wanted = tokens.map(jtiOf).toSorted();
    await until(
      "all of them are in the trail",
      async () => (await recorded()).length >= wanted.length,
      20_000,
    );
    expect(await recorded()).toEqual(wanted);
    await until(
      "tokens are looked up again",
      async () => (await introspect(app, tokens[0] ?? "")).status === 200,
      20_000,
    );
  }, 60_000);
});

describe("a process that stops", () => {
  it("has written down before what it issued last", async () => {
    const before = await recorded();
    const tokens = await Promise.all(apps.map(issue));
    await other.stop();
    await deps.close();
    expect(await recorded()).toEqual([...before, ...tokens.map(jtiOf)].toSorted());
  });
});
