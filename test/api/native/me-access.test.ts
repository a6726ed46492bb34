/** Where the user is signed in, and whom they let in: what they see of it, and how they end it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import * as client from "openid-client";
import { authorizationCodes } from "../../../src/db/schema/index.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { newId } from "../../../src/lib/ids.ts";
import {
  addUser,
  type Application,
  logIn,
  PASSWORD,
  registerApplication,
  signedInBrowser,
  userinfoStatus,
} from "../../conformance/support.ts";
import type { HttpBrowser } from "../../support/browser.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
let user: User;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
let people = 0;
beforeEach(async () => {
  user = await addUser(server, `person${++people}`);
});

interface TokenPair {
  access_token: string;
  refresh_token: string;
}

async function login(of: User = user): Promise<TokenPair> {
  const response = await postJson(`${server.url}/login`, { identifier: of.username, password: PASSWORD });
  return (await response.json()) as TokenPair;
}

function call(method: string, path: string, token: string): Promise<Response> {
  return fetch(server.url + path, { method, headers: { authorization: `Bearer ${token}` } });
}

async function jsonOf<T>(path: string, token: string): Promise<T> {
  const response = await call("GET", path, token);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

interface SessionItem {
  id: string;
  current: boolean;
  impersonated: boolean;
  device: string | null;
  ip_address: string | null;
  user_agent: string | null;
  applications: string[];
  created_at: string;
  last_seen_at: string;
  expires_at: string;
}
interface GrantItem {
  id: string;
  client: { name: string; logo_uri: string | null };
  scopes: string[];
  created_at: string;
  last_used_at: string | null;
}
const sessionsOf = async (token: string) =>
  (await jsonOf<{ sessions: SessionItem[] }>("/me/sessions", token)).sessions;
const grantsOf = async (token: string) => (await jsonOf<{ grants: GrantItem[] }>("/me/grants", token)).grants;

const isSignedIn = async (browser: HttpBrowser) =>
  (await browser.open("/account")).url.pathname === "/account";

const refreshes = (app: Application, token: string | undefined) =>
  client.refreshTokenGrant(app.config, token ?? "").then(
    () => true,
    () => false,
  );

/** Of an application that has to ask: signs in and agrees. */
async function consented(app: Application, browser: HttpBrowser, scope = "openid profile") {
  const pending = await app.begin({ scope });
  const page = await browser.open(pending.url);
  const answer = await browser.submit(page, "/oauth/consent", { decision: "allow" });
  return client.authorizationCodeGrant(app.config, answer.url, pending.checks);
}

describe("GET /me/sessions", () => {
  it("lists where the user is signed in, and which session asks", async () => {
    const { access_token } = await login();
    await signedInBrowser(server, user);
    const listed = await sessionsOf(access_token);
    expect(listed.map(({ current }) => current).toSorted()).toEqual([false, true]);
    expect(listed[0]).toEqual({
      id: expect.stringMatching(/^sess_/),
      current: expect.any(Boolean),
      impersonated: false,
      device: null,
      ip_address: expect.any(String),
      user_agent: expect.any(String),
      applications: [],
      created_at: expect.any(String),
      last_seen_at: expect.any(String),
      expires_at: expect.any(String),
    });
  });
});

describe("DELETE /me/sessions/{id}", () => {
  it("ends that session and all its tokens at once, and no other", async () => {
    const app = await registerApplication(server);
    const [browser, other] = [await signedInBrowser(server, user), await signedInBrowser(server, user)];
    const { tokens } = await logIn(app, browser, user);
    const offline = await logIn(app, browser, user, { scope: "openid offline_access" });
    const { access_token } = await login();
    const target = (await sessionsOf(access_token)).find(({ applications }) => applications.length > 0);
    expect(tokens.claims()?.["sid"]).toBe(target?.id ?? "");

    expect((await call("DELETE", `/me/sessions/${target?.id}`, access_token)).status).toBe(204);
    expect(await isSignedIn(browser)).toBe(false);
    expect(await userinfoStatus(server, tokens.access_token)).toBe(401);
    expect(await refreshes(app, tokens.refresh_token)).toBe(false);
    expect(await refreshes(app, offline.tokens.refresh_token)).toBe(false);
    expect(await isSignedIn(other)).toBe(true);
    expect((await call("GET", "/me", access_token)).status).toBe(200);
  });

  it("ends the session that asks, too", async () => {
    const { access_token, refresh_token } = await login();
    const [current] = await sessionsOf(access_token);
    expect((await call("DELETE", `/me/sessions/${current?.id}`, access_token)).status).toBe(204);
    expect((await call("GET", "/me", access_token)).status).toBe(401);
    expect((await postJson(`${server.url}/token/refresh`, { refresh_token })).status).toBe(401);
  });

  it("answers 404 for what is no session, of nobody, or has ended", async () => {
    const { access_token } = await login();
    const browser = await signedInBrowser(server, user);
    const ended = (await sessionsOf(access_token)).find(({ current }) => !current)?.id ?? "";
    await browser.submit(await browser.open("/account"), "/signout");
    for (const id of ["x", newId("session"), newId("user"), ended]) {
      const response = await call("DELETE", `/me/sessions/${id}`, access_token);
      expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([
        404,
        "not_found",
      ]);
    }
  });
});

describe("DELETE /me/sessions", () => {
  it("ends all others, and leaves the one that asks", async () => {
    const [first, second] = [await signedInBrowser(server, user), await signedInBrowser(server, user)];
    const stale = await login();
    const mine = await login();
    expect((await call("DELETE", "/me/sessions", mine.access_token)).status).toBe(204);
    expect(await isSignedIn(first)).toBe(false);
    expect(await isSignedIn(second)).toBe(false);
    expect((await call("GET", "/me", stale.access_token)).status).toBe(401);
    expect((await call("GET", "/me", mine.access_token)).status).toBe(200);
    expect(await sessionsOf(mine.access_token)).toHaveLength(1);
  });
});

describe("GET /me/grants", () => {
  it("lists whom the user let in, with what, since when and how lately used", async () => {
    const app = await registerApplication(server, { name: "Calendar", firstParty: false });
    const browser = await signedInBrowser(server, user);
    const tokens = await consented(app, browser);
    const granted = server.clock.now().toISOString();
    server.clock.advance(120);
    await client.refreshTokenGrant(app.config, tokens.refresh_token ?? "");
    const [grant, ...others] = await grantsOf((await login()).access_token);
    expect(others).toEqual([]);
    expect(grant?.id).toStartWith("grant_");
    expect(grant).toMatchObject({
      client: { name: "Calendar", logo_uri: null, client_uri: null },
      scopes: ["openid", "profile"],
      created_at: granted,
      last_used_at: server.clock.now().toISOString(),
    });
  });

  it("is empty for who let nobody in", async () => {
    const app = await registerApplication(server);
    await logIn(app, await signedInBrowser(server, user), user);
    expect(await grantsOf((await login()).access_token)).toEqual([]);
  });
});

describe("DELETE /me/grants/{id}", () => {
  it("ends all tokens of the application, offline ones too, and has it ask again", async () => {
    const app = await registerApplication(server, { firstParty: false });
    const browser = await signedInBrowser(server, user);
    const first = await consented(app, browser, "openid offline_access");
    const { tokens: second } = await logIn(app, browser, user, { scope: "openid" });
    const { access_token } = await login();
    const [grant] = await grantsOf(access_token);
    expect((await call("DELETE", `/me/grants/${grant?.id}`, access_token)).status).toBe(204);

    for (const tokens of [first, second]) {
      expect(await userinfoStatus(server, tokens.access_token)).toBe(401);
      expect(await refreshes(app, tokens.refresh_token)).toBe(false);
    }
    expect(await grantsOf(access_token)).toEqual([]);
    expect((await browser.open((await app.begin({ scope: "openid" })).url)).url.pathname).toBe(
      "/oauth/consent",
    );
    expect((await call("DELETE", `/me/grants/${grant?.id}`, access_token)).status).toBe(404);
  });

  it("leaves other applications and other people alone", async () => {
    const [app, other] = [
      await registerApplication(server, { firstParty: false, name: "A" }),
      await registerApplication(server, { firstParty: false, name: "B" }),
    ];
    const browser = await signedInBrowser(server, user);
    await consented(app, browser);
    const kept = await consented(other, browser);
    const neighbour = await addUser(server, `neighbour${people}`);
    const theirs = await consented(app, await signedInBrowser(server, neighbour));
    const { access_token } = await login();
    const grant = (await grantsOf(access_token)).find(({ client: { name } }) => name === "A");
    await call("DELETE", `/me/grants/${grant?.id}`, access_token);
    expect(await userinfoStatus(server, kept.access_token)).toBe(200);
    expect(await userinfoStatus(server, theirs.access_token)).toBe(200);
  });

  it("takes a code back that is on its way", async () => {
    const app = await registerApplication(server, { firstParty: false });
    const browser = await signedInBrowser(server, user);
    await consented(app, browser);
    const pending = await app.begin({ scope: "openid" });
    const answer = await browser.open(pending.url);
    const { access_token } = await login();
    const [grant] = await grantsOf(access_token);
    await call("DELETE", `/me/grants/${grant?.id}`, access_token);
    await expect(client.authorizationCodeGrant(app.config, answer.url, pending.checks)).rejects.toMatchObject(
      { error: "invalid_grant" },
    );
  });

  it("leaves no token behind when the code is exchanged at that very moment", async () => {
    const app = await registerApplication(server, { firstParty: false });
    const browser = await signedInBrowser(server, user);
    const { access_token } = await login();
    for (let round = 0; round < 8; round++) {
      await consented(app, browser, "openid");
      const pending = await app.begin({ scope: "openid" });
      const answer = await browser.open(pending.url);
      const [grant] = await grantsOf(access_token);
      const [exchanged] = await Promise.all([
        client.authorizationCodeGrant(app.config, answer.url, pending.checks).catch(() => undefined),
        call("DELETE", `/me/grants/${grant?.id}`, access_token),
      ]);
      if (exchanged) expect(await userinfoStatus(server, exchanged.access_token)).toBe(401);
    }
    const left = await server.deps.db
      .select()
      .from(authorizationCodes)
      .where(eq(authorizationCodes.clientId, app.registered.client.id));
    expect(left.filter(({ consumedAt }) => consumedAt === null)).toEqual([]);
  });
});

describe("whose application it is", () => {
  it("has to be the service's own: others get 403, whatever scopes they have", async () => {
    const scope = "openid profile email";
    const stranger = await registerApplication(server, { firstParty: false });
    const own = await registerApplication(server, { firstParty: true });
    const browser = await signedInBrowser(server, user);
    const theirs = await consented(stranger, browser, scope);
    const ours = await logIn(own, browser, user, { scope });
    for (const [method, path] of [
      ["GET", "/me/sessions"],
      ["DELETE", "/me/sessions"],
      ["DELETE", `/me/sessions/${newId("session")}`],
      ["GET", "/me/grants"],
      ["DELETE", `/me/grants/${newId("grant")}`],
    ] as const) {
      expect((await call(method, path, theirs.access_token)).status).toBe(403);
    }
    expect(await sessionsOf(ours.tokens.access_token)).toHaveLength(1);
  });
});
