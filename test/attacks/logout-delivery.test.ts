/** Attacks by way of back-channel logout: to have the worker ask its own network, and to use its tokens elsewhere. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import { auditEvents, clients } from "../../src/db/schema/index.ts";
import { findLogoutNotice } from "../../src/domain/sessions/backchannel-logout.ts";
import { isId } from "../../src/lib/ids.ts";
import { startLogoutReceiver } from "../conformance/openid-backchannel-logout-op/receiver.ts";
import { eventually } from "../support/queue.ts";
import { postForm, startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  basicAuthorization,
  Browser,
  createApp,
  exchangeCode,
  obtainCode,
  register,
  signedIn,
  tokensOf,
  whereItWorks,
} from "./support.ts";

let server: TestServer;
beforeAll(async () => {
  // As installed: no private address may be asked.
  server = await startTestServer();
  await server.startWorker();
});
afterAll(() => server.stop());

async function appTold(backchannelLogoutUri: string): Promise<App> {
  const app = await createApp(server);
  await server.deps.db.update(clients).set({ backchannelLogoutUri }).where(eq(clients.id, app.client.id));
  return app;
}

async function signInAndOut(app: App): Promise<void> {
  const { browser } = await signedIn(server.url);
  await tokensOf(exchangeCode(app, await obtainCode(browser, app)));
  await browser.signOut();
}

const outcome = (app: App) =>
  eventually("what became of the logout request", async () => {
    const rows = await server.deps.db
      .select()
      .from(auditEvents)
      .where(and(eq(auditEvents.tenantId, server.tenant.id), eq(auditEvents.targetId, app.client.id)));
    return rows.find(({ type }) => type.startsWith("logout."));
  });

/** CWE-918, RFC 9700 §4.12. Guard: workers/logout/processor.ts asks by deps.outbound alone. */
describe("a backchannel_logout_uri inside our own network", () => {
  it("is not asked", async () => {
    const receiver = startLogoutReceiver();
    const { port } = new URL(receiver.uri);
    const uris = [
      receiver.uri,
      `http://localhost:${port}/`,
      `http://[::1]:${port}/`,
      `http://[::ffff:127.0.0.1]:${port}/`,
      `http://2130706433:${port}/`,
      `http://0:${port}/`,
      "https://127.0.0.1/",
      "http://169.254.169.254/latest/meta-data/",
      "https://10.0.0.1/",
      "file:///etc/passwd",
      "gopher://127.0.0.1:6379/_FLUSHALL",
    ];
    for (const uri of uris) {
      const app = await appTold(uri);
      await signInAndOut(app);
      const event = await outcome(app);
      expect({ uri, type: event.type }).toEqual({ uri, type: "logout.failed" });
    }
    expect(receiver.received).toBe(0);
    receiver.stop();
  });
});

/** Back-Channel Logout §2.4, §4; RFC 8725 §3.11. Guard: the token's own typ, aud and lifetime. */
describe("a logout token in the wrong hands", () => {
  it("opens nothing: it is no access token, no ID token and no hint", async () => {
    const app = await appTold("https://app.example/out");
    const person = await register(server.url);
    const browser = new Browser(server.url);
    await browser.signIn(person.username);
    const { id_token } = await tokensOf(exchangeCode(app, await obtainCode(browser, app)));
    const { sid } = JSON.parse(Buffer.from(id_token.split(".")[1] ?? "", "base64url").toString());
    if (!isId("session", sid) || !isId("user", person.id)) throw new Error("no ids");
    const about = { clientId: app.client.id, sessionId: sid, userId: person.id };
    const notice = await findLogoutNotice(server.deps, server.deps.db, server.tenant, about);
    const token = (await notice?.token()) ?? "";
    expect(await whereItWorks(server.url, token)).toEqual({ me: 401, userinfo: 401 });
    const hint = new URLSearchParams({ id_token_hint: token });
    expect((await browser.get(`/oauth/logout?${hint}`)).status).toBe(400);
    expect((await browser.get("/account")).status).toBe(200);
    const introspected = await postForm(`${server.url}/oauth/introspect`, { token }, basicAuthorization(app));
    if (introspected.status === 200) expect(await introspected.json()).toEqual({ active: false });
  });
});
