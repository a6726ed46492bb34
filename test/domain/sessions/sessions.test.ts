import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import * as client from "openid-client";
import { auditEvents, sessions, signingKeys, tokenFamilies } from "../../../src/db/schema/index.ts";
import { cleanUp } from "../../../src/domain/maintenance/service.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { revokeOtherSessions } from "../../../src/domain/sessions/ending.ts";
import { listSessions } from "../../../src/domain/sessions/listing.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { newId } from "../../../src/lib/ids.ts";
import {
  addUser,
  type Application,
  logIn,
  PASSWORD,
  registerApplication,
  signedInBrowser,
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
  await server.configure({ session_idle_timeout: 0 });
});

const isSignedIn = async (browser: HttpBrowser) =>
  (await browser.open("/account")).url.pathname === "/account";

const rowsOf = (of: User) => server.deps.db.select().from(sessions).where(eq(sessions.userId, of.id));

describe("the idle timeout of a browser session", () => {
  it("ends a session that nobody used for so long, and none that is in use", async () => {
    await server.configure({ session_idle_timeout: 1800 });
    const [used, left] = [await signedInBrowser(server, user), await signedInBrowser(server, user)];
    for (let minutes = 0; minutes < 40; minutes += 10) {
      server.clock.advance(600);
      expect(await isSignedIn(used)).toBe(true);
    }
    expect(await isSignedIn(left)).toBe(false);
    server.clock.advance(1799);
    expect(await isSignedIn(used)).toBe(true);
    server.clock.advance(1800);
    expect(await isSignedIn(used)).toBe(false);
  });

  it("counts short timeouts as exactly as long ones", async () => {
    await server.configure({ session_idle_timeout: 60 });
    const browser = await signedInBrowser(server, user);
    for (let seconds = 0; seconds < 300; seconds += 40) {
      server.clock.advance(40);
      expect(await isSignedIn(browser)).toBe(true);
    }
    server.clock.advance(61);
    expect(await isSignedIn(browser)).toBe(false);
  });

  it("is none unless the tenant sets one; then the session's lifetime ends it", async () => {
    const browser = await signedInBrowser(server, user);
    server.clock.advance(server.tenant.settings.session_lifetime - 60);
    expect(await isSignedIn(browser)).toBe(true);
    server.clock.advance(61);
    expect(await isSignedIn(browser)).toBe(false);
  });

  it("ends its refresh tokens with it, save those for offline access; using one is a use of the session", async () => {
    await server.configure({ session_idle_timeout: 1800 });
    const app = await registerApplication(server);
    const browser = await signedInBrowser(server, user);
    const { tokens } = await logIn(app, browser, user);
    const offline = await logIn(app, browser, user, { scope: "openid offline_access" });
    server.clock.advance(1700);
    const refreshed = await client.refreshTokenGrant(app.config, tokens.refresh_token ?? "");
    server.clock.advance(1700);
    expect(await isSignedIn(browser)).toBe(true);
    server.clock.advance(1801);
    await expect(client.refreshTokenGrant(app.config, refreshed.refresh_token ?? "")).rejects.toMatchObject({
      error: "invalid_grant",
    });
    const kept = await client.refreshTokenGrant(app.config, offline.tokens.refresh_token ?? "");
    expect(kept.access_token).toBeTruthy();
  });

  it("does not concern native sign-ins, which no browser holds", async () => {
    await server.configure({ session_idle_timeout: 60 });
    const response = await postJson(`${server.url}/login`, { identifier: user.username, password: PASSWORD });
    const { refresh_token } = (await response.json()) as { refresh_token: string };
    server.clock.advance(600);
    expect((await postJson(`${server.url}/token/refresh`, { refresh_token })).status).toBe(200);
  });

  it("keeps a session from the list, and its user from being told of it", async () => {
    await server.configure({ session_idle_timeout: 1800 });
    await signedInBrowser(server, user);
    const tenant = { ...server.tenant, settings: { ...server.tenant.settings, session_idle_timeout: 1800 } };
    expect(await listSessions(server.deps, tenant, user)).toHaveLength(1);
    server.clock.advance(1801);
    expect(await listSessions(server.deps, tenant, user)).toHaveLength(0);
  });
});

describe("when a session was last seen", () => {
  it("is written once a minute, however often it is used", async () => {
    const browser = await signedInBrowser(server, user);
    const [before] = await rowsOf(user);
    server.clock.advance(59);
    await isSignedIn(browser);
    const [soon] = await rowsOf(user);
    expect(soon?.lastSeenAt).toEqual(before?.lastSeenAt ?? new Date(0));
    server.clock.advance(1);
    await Promise.all([isSignedIn(browser), isSignedIn(browser), isSignedIn(browser)]);
    const [later] = await rowsOf(user);
    expect(later?.lastSeenAt).toEqual(server.clock.now());
  });
});

describe("the list of sessions", () => {
  it("names the applications of each, and leaves out what has ended", async () => {
    const app = await registerApplication(server, { name: "Calendar" });
    const browser = await signedInBrowser(server, user);
    await logIn(app, browser, user);
    const other = await signedInBrowser(server, user);
    await postJson(`${server.url}/login`, { identifier: user.username, password: PASSWORD });
    const listed = await listSessions(server.deps, server.tenant, user);
    expect(listed.map(({ applications }) => applications).toSorted()).toEqual([[], [], ["Calendar"]]);
    const page = await other.open("/account");
    await other.submit(page, "/signout");
    expect(await listSessions(server.deps, server.tenant, user)).toHaveLength(2);
  });
});

describe("ending all other sessions", () => {
  it("ends tokens that hang on no session, too (RFC 7523 §2.1)", async () => {
    const { client: registered } = await server.createClient({
      redirectUris: ["https://app.example/callback"],
    });
    const now = server.clock.now();
    const id = newId("tokenFamily");
    const of = { tenantId: server.tenant.id, userId: user.id, clientId: registered.id, sessionId: null };
    const expiresAt = new Date(now.getTime() + 3_600_000);
    await server.deps.db
      .insert(tokenFamilies)
      .values({ ...of, id, scope: ["openid"], offline: true, createdAt: now, expiresAt });
    await signedInBrowser(server, user);
    const [current] = await rowsOf(user);
    await revokeOtherSessions(server.deps, user, {
      actor: { type: "user", id: user.id },
      context: systemContext,
      except: current?.id ?? null,
    });
    const [family] = await server.deps.db.select().from(tokenFamilies).where(eq(tokenFamilies.id, id));
    expect(family?.revokedAt).toEqual(now);
    expect((await rowsOf(user)).map(({ revokedAt }) => revokedAt)).toEqual([null]);
  });
});

describe("signing out", () => {
  it("leaves one line in the audit trail, and a second time none", async () => {
    const browser = await signedInBrowser(server, user);
    const page = await browser.open("/account");
    await Promise.all([browser.submit(page, "/signout"), browser.submit(page, "/signout")]);
    const rows = await server.deps.db.select().from(auditEvents).where(eq(auditEvents.actorId, user.id));
    expect(rows.filter(({ type }) => type === "user.logout")).toHaveLength(1);
  });
});

describe("clean-up", () => {
  async function familiesAfter(of: Application, days: number): Promise<number> {
    await logIn(of, await signedInBrowser(server, user), user);
    const now = server.clock.now();
    await server.deps.db
      .update(sessions)
      .set({ expiresAt: new Date(now.getTime() + 60 * 86_400_000) })
      .where(eq(sessions.userId, user.id));
    server.clock.advance(days * 86_400);
    await cleanUp(server.deps);
    const rows = await server.deps.db.select().from(tokenFamilies).where(eq(tokenFamilies.userId, user.id));
    return rows.length;
  }

  it("keeps what says who has to be told when a session ends, for as long as the session lives", async () => {
    const told = await registerApplication(server, {
      row: { backchannelLogoutUri: "https://app.example/out" },
    });
    expect(await familiesAfter(told, 20)).toBe(1);
    server.clock.advance(60 * 86_400);
    await cleanUp(server.deps);
    const rows = await server.deps.db.select().from(tokenFamilies).where(eq(tokenFamilies.userId, user.id));
    expect(rows).toEqual([]);
  });

  it("keeps no other families that have expired", async () => {
    expect(await familiesAfter(await registerApplication(server), 20)).toBe(0);
  });

  it("removes signing keys when not even an id_token_hint needs them", async () => {
    const now = server.clock.now();
    const [some] = await server.deps.db.select().from(signingKeys).limit(1);
    if (!some) throw new Error("there are no keys");
    const retired = (days: number) => ({
      ...some,
      id: newId("signingKey"),
      retiredAt: new Date(now.getTime() - days * 86_400_000),
    });
    const [kept, gone] = [retired(89), retired(91)];
    await server.deps.db.insert(signingKeys).values([kept, gone]);
    await cleanUp(server.deps);
    const ids = (await server.deps.db.select().from(signingKeys)).map(({ id }) => id);
    expect(ids).toContain(kept.id);
    expect(ids).not.toContain(gone.id);
    expect(ids).toContain(some.id);
  });
});
