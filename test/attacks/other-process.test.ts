/** What one API process does must hold in another, whatever that one has in its memory. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createDeps, type Deps } from "../../src/deps.ts";
import { rotateKey } from "../../src/domain/keys/rotation.ts";
import { keyRingOf, signingKeyOf } from "../../src/domain/keys/service.ts";
import { isId, uuidFromId } from "../../src/lib/ids.ts";
import { type RunningServer, serve } from "../../src/server.ts";
import { configureClient } from "../support/client-row.ts";
import { freePort } from "../support/free-port.ts";
import { until } from "../support/scratch.ts";
import { postForm, startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  basicAuthorization,
  type Browser,
  createApp,
  createOtherTenant,
  exchangeCode,
  obtainCode,
  type Person,
  setEnabled,
  signedIn,
  tokenRequest,
  tokensOf,
} from "./support.ts";

let server: TestServer;
let gateway: App;
let browser: Browser;
let person: Person;
const running: { deps: Deps & { close(): Promise<void> }; server: RunningServer }[] = [];

/** @param process `cli`: one that hears of no change, as while the news is still under way */
async function anotherProcess(process: "api" | "cli"): Promise<{ deps: Deps; url: string }> {
  const config = { ...server.config, port: freePort() };
  const deps = await createDeps(config, { process, clock: server.clock, log: server.deps.log });
  const served = await serve(deps);
  running.push({ deps, server: served });
  return { deps, url: served.url };
}

let elsewhere: string;
beforeAll(async () => {
  server = await startTestServer();
  gateway = await createApp(server, { name: "Gateway" });
  ({ browser, person } = await signedIn(server.url));
  elsewhere = (await anotherProcess("api")).url;
});
afterAll(async () => {
  for (const { deps, server: one } of running) {
    await one.stop();
    await deps.close();
  }
  await server.stop();
});

const ask = (base: string, token: string, by = gateway) =>
  postForm(`${base}/oauth/introspect`, { token }, basicAuthorization(by));
const isActive = async (base: string, token: string) => (await (await ask(base, token)).json()).active;
const newApp = async (accessTokenFormat: "jwt" | "opaque") => {
  const app = await createApp(server, {
    grantTypes: ["authorization_code", "refresh_token", "client_credentials"],
  });
  await configureClient(server, app, { accessTokenFormat });
  return app;
};
const ofUser = async (app: App) => tokensOf(exchangeCode(app, await obtainCode(browser, app)));
const ofClient = async (app: App) => tokensOf(tokenRequest(app, { grant_type: "client_credentials" }));
const revoke = (app: App, token: string) =>
  postForm(`${server.url}/oauth/revoke`, { token }, basicAuthorization(app));

/** Guard: access.ts asks the database about every token; verified-tokens.ts remembers signatures alone. */
describe.each(["jwt", "opaque"] as const)("a token (%s) that another process has seen often", (format) => {
  it("is over there at once when it is revoked, alone or with its family", async () => {
    const app = await newApp(format);
    const [user, family, client] = [await ofUser(app), await ofUser(app), await ofClient(app)];
    const tokens = [user, family, client].map(({ access_token }) => access_token);
    for (let time = 0; time < 3; time++)
      for (const token of tokens) expect(await isActive(elsewhere, token)).toBe(true);
    for (const [token, revoked] of [
      [user.access_token, user.access_token],
      [family.access_token, family.refresh_token],
      [client.access_token, client.access_token],
    ] as const) {
      await revoke(app, revoked);
      expect(await isActive(elsewhere, token)).toBe(false);
    }
  });

  it("is over there at once when its user is disabled", async () => {
    const { access_token } = await ofUser(await newApp(format));
    expect(await isActive(elsewhere, access_token)).toBe(true);
    await setEnabled(server, person, false);
    expect(await isActive(elsewhere, access_token)).toBe(false);
    await setEnabled(server, person, true);
  });
});

/** DESIGN §5. Guard: the triggers of clients and client_secrets, and the cache that hears of them. */
describe("a client that another process has in its cache", () => {
  const status = async (app: App) =>
    (
      await postForm(
        `${elsewhere}/oauth/token`,
        { grant_type: "client_credentials" },
        basicAuthorization(app),
      )
    ).status;

  it.each([
    [
      "is disabled",
      (app: App) =>
        server.deps.db.$client`update clients set enabled = false where client_id = ${app.client.clientId}`,
    ],
    [
      "is deleted",
      (app: App) => server.deps.db.$client`delete from clients where client_id = ${app.client.clientId}`,
    ],
    [
      "has another secret",
      (app: App) => server.deps.db.$client`
      update client_secrets set hash = sha256('another') where client_id in
        (select id from clients where client_id = ${app.client.clientId})`,
    ],
  ])("gets nothing there within moments when it %s", async (_, change) => {
    const app = await newApp("jwt");
    expect(await status(app)).toBe(200);
    await change(app);
    await until("the other process has heard of it", async () => (await status(app)) === 401);
  });
});

/** Guard: keys/service.ts, keyRingWith. */
describe("a key that another process has not heard of yet", () => {
  it("verifies there what it signed", async () => {
    const { url: deaf } = await anotherProcess("cli");
    const app = await newApp("jwt");
    const before = await ofClient(app);
    expect(await isActive(deaf, before.access_token)).toBe(true);
    await rotateKey(server.deps, server.tenant, "ES256", { atOnce: true });
    const after = await ofClient(app);
    expect(await isActive(deaf, after.access_token)).toBe(true);
    expect(await isActive(deaf, before.access_token)).toBe(true);
  });

  it.each(["revoked_at", "retired_at"])("is not read again and again for where it is %s", async (column) => {
    const app = await newApp("jwt");
    const { access_token } = await ofClient(app);
    const { kid } = await signingKeyOf(server.deps, server.tenant.id, "ES256");
    await rotateKey(server.deps, server.tenant, "ES256", { atOnce: true });
    const { $client: sql } = server.deps.db;
    await sql`update signing_keys set ${sql(column)} = ${server.clock.now().toISOString()}
      where id = ${isId("signingKey", kid) ? uuidFromId("signingKey", kid) : null}`;
    const { url, deps } = await anotherProcess("cli");
    const ring = await keyRingOf(deps, server.tenant.id);
    expect(await isActive(url, access_token)).toBe(false);
    expect(await keyRingOf(deps, server.tenant.id)).toBe(ring);
  });

  it("is not read again for where it is another tenant's", async () => {
    const theirs = await createApp(
      server,
      { grantTypes: ["client_credentials"] },
      await createOtherTenant(server, "neighbour"),
    );
    const { access_token } = await ofClient(theirs);
    const { url, deps } = await anotherProcess("cli");
    const ring = await keyRingOf(deps, server.tenant.id);
    expect(await isActive(url, access_token)).toBe(false);
    expect(await keyRingOf(deps, server.tenant.id)).toBe(ring);
  });
});
