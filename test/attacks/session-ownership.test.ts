/** Attacks on other people's sessions and grants, by the API and by the account page's forms. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import { grants, sessions } from "../../src/db/schema/index.ts";
import { newId } from "../../src/lib/ids.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  authorizationParameters,
  bearer,
  Browser,
  createApp,
  createOtherTenant,
  login,
  type Person,
  readForm,
  register,
} from "./support.ts";

let server: TestServer;
let app: App;
let victim: Person;
let victims: Browser;
let sessionId: string;
let grantId: string;

beforeAll(async () => {
  server = await startTestServer();
  app = await createApp(server, { firstParty: false });
  victim = await register(server.url);
  victims = new Browser(server.url);
  await victims.signIn(victim.username);
  const asked = await victims.get(`/oauth/authorize?${authorizationParameters(app)}`);
  await victims.submit(asked.headers.get("location") ?? "", { decision: "allow" });
  const [grant] = await server.deps.db.select().from(grants);
  const [session] = await server.deps.db.select().from(sessions);
  grantId = grant?.id ?? "";
  sessionId = session?.id ?? "";
});
afterAll(() => server.stop());

const grantStands = async () => (await server.deps.db.select().from(grants)).some(({ id }) => id === grantId);
const sessionStands = async () =>
  (
    await server.deps.db
      .select()
      .from(sessions)
      .where(and(eq(sessions.tenantId, server.tenant.id)))
  ).some(({ id, revokedAt }) => id === sessionId && !revokedAt);

async function refusedLikeNothing(base: string, token: string): Promise<void> {
  const remove = async (path: string) => {
    const response = await fetch(base + path, { method: "DELETE", headers: bearer(token) });
    const { request_id: _, ...body } = (await response.json()) as Record<string, unknown>;
    return { status: response.status, body };
  };
  const [theirSession, noSession] = [
    await remove(`/me/sessions/${sessionId}`),
    await remove(`/me/sessions/${newId("session")}`),
  ];
  expect(theirSession.status).toBe(404);
  expect(theirSession).toEqual(noSession);
  const [theirGrant, noGrant] = [
    await remove(`/me/grants/${grantId}`),
    await remove(`/me/grants/${newId("grant")}`),
  ];
  expect(theirGrant.status).toBe(404);
  expect(theirGrant).toEqual(noGrant);
  expect(await sessionStands()).toBe(true);
  expect(await grantStands()).toBe(true);
}

/** OWASP API1. Guard: sessions/repo.ts, markRevoked (userId); grants/repo.ts, deleteGrant (userId). */
describe("another person of the same tenant", () => {
  it("can neither see nor end them by the API, and learns not even that they exist", async () => {
    const attacker = await register(server.url);
    const { access_token } = await login(server.url, attacker.username);
    await refusedLikeNothing(server.url, access_token);
    for (const path of ["/me/sessions", "/me/grants"]) {
      const text = await (await fetch(server.url + path, { headers: bearer(access_token) })).text();
      expect(text).not.toContain(sessionId);
      expect(text).not.toContain(grantId);
    }
  });

  it("cannot end them by the account page's forms", async () => {
    const attacker = new Browser(server.url);
    await attacker.signIn((await register(server.url)).username);
    const more = new Browser(server.url);
    await more.signIn((await register(server.url)).username);
    const html = await (await attacker.get("/account")).text();
    const { fields } = readForm(html, "/signout");
    for (const [action, field] of [
      ["/account/sessions/end", { session_id: sessionId }],
      ["/account/grants/revoke", { grant_id: grantId }],
    ] as const) {
      // The page has no such form of its own for them: with its token, and with the one of a form that is bound.
      await attacker.post(action, { ...fields, ...field });
      const own = await ownForm(attacker);
      const response = await attacker.post(action, { ...own, ...field });
      expect(response.status).toBe(303);
    }
    expect(await sessionStands()).toBe(true);
    expect(await grantStands()).toBe(true);
  });

  /** The token of a form that is bound to the session, from the page with a second session on it. */
  async function ownForm(of: Browser): Promise<Record<string, string>> {
    const second = new Browser(server.url);
    const page = await (await of.get("/account")).text();
    const username = /<bdi>(person\d+)<\/bdi>/.exec(page)?.[1] ?? "";
    await second.signIn(username);
    return readForm(await (await of.get("/account")).text(), "/account/sessions/end").fields;
  }
});

/** Guard: resolveTenant and the issuer in access tokens; tenant_id in every statement. */
describe("a person of another tenant", () => {
  it("can end neither, at their own tenant's address or at this one's", async () => {
    const theirs = await createOtherTenant(server, "intruders");
    const intruder = await register(theirs.base);
    const { access_token } = await login(theirs.base, intruder.username);
    await refusedLikeNothing(theirs.base, access_token);
    const here = await fetch(`${server.url}/me/sessions/${sessionId}`, {
      method: "DELETE",
      headers: bearer(access_token),
    });
    expect(here.status).toBe(401);
    expect(await sessionStands()).toBe(true);
  });
});

/** CWE-352. Guard: readPageForm with the session in web/account/account-access.routes.ts. */
describe("another site, or the next person at the same browser", () => {
  it("cannot have the victim's browser end anything", async () => {
    const other = new Browser(server.url);
    await other.signIn(victim.username);
    const { fields } = readForm(await (await victims.get("/account")).text(), "/account/sessions/end");
    const foreign = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    for (const action of [
      "/account/sessions/end",
      "/account/sessions/end-others",
      "/account/grants/revoke",
    ]) {
      const body = { ...fields, grant_id: grantId };
      expect((await victims.post(action, { ...body, csrf: "" })).status).toBe(403);
      expect((await victims.post(action, body, foreign)).status).toBe(403);
    }
    expect((await other.get("/account")).status).toBe(200);
    expect(await grantStands()).toBe(true);
  });

  it("cannot send the form of who was signed in before", async () => {
    const shared = new Browser(server.url);
    const first = await register(server.url);
    await shared.signIn(first.username);
    await new Browser(server.url).signIn(first.username);
    const { action, fields } = readForm(
      await (await shared.get("/account")).text(),
      "/account/sessions/end-others",
    );
    await shared.signOut();
    await shared.signIn((await register(server.url)).username);
    expect((await shared.post(action, fields)).status).toBe(403);
  });
});
