/**
 * Adding a connection to somebody's account without their will: whoever manages it signs in as them from then on
 * (link CSRF; RFC 6749 §10.12).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { sessions } from "../../../src/db/schema/index.ts";
import type { Connection } from "../../../src/domain/connections/model.ts";
import { linkExternally } from "../../../src/domain/federation/sign-in.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { findUserById } from "../../../src/domain/users/service.ts";
import { isId } from "../../../src/lib/ids.ts";
import { csrfToken } from "../../../src/web/csrf.ts";
import {
  arriveIn,
  connectOidc,
  linkedTo,
  refusalOf,
  travel,
  upstreamsAllowed,
  visit,
} from "../../support/federation.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { startUpstream, type Upstream } from "../../support/upstream.ts";
import { Browser, type Person, readForm, register } from "../support.ts";

let server: TestServer;
let upstream: Upstream;
let connection: Connection;
let subject: string;
let person: Person;
let browser: Browser;

beforeAll(async () => {
  server = await startTestServer({ env: upstreamsAllowed });
  upstream = startUpstream(() => server.clock.now());
  connection = await connectOidc(server, upstream);
});
afterAll(async () => {
  await upstream.stop();
  await server.stop();
});
beforeEach(async () => {
  subject = crypto.randomUUID();
  upstream.person = { sub: subject };
  person = await register(server.url);
  browser = new Browser(server.url);
  await browser.signIn(person.username);
});

const PATH = "/account/external-accounts/connect";

/** The token of the forms of this session. */
async function formToken(of: Browser): Promise<string> {
  return readForm(await (await of.get("/account/security/password")).text()).fields["csrf"] ?? "";
}

/** Where the page after the form leads to. */
async function leaveToConnect(of: Browser, csrf: string, headers: Record<string, string> = {}): Promise<URL> {
  const response = await of.post(PATH, { csrf, connection: connection.key }, headers);
  const html = await response.text();
  const url = /http-equiv="refresh" content="0;url=([^"]*)"/.exec(html)?.[1];
  if (!url) throw new Error(`led nowhere: ${response.status} ${response.headers.get("location")}`);
  return new URL(url.replaceAll("&amp;", "&"));
}

const ownerOf = async () => (await linkedTo(server, connection, subject))?.userId;

describe("connecting a provider", () => {
  it("adds it to the account of who asked, and signs nobody in anew", async () => {
    const callback = await visit(await leaveToConnect(browser, await formToken(browser)));
    expect((await browser.get(callback.href)).headers.get("location")).toBe(
      "/account/security?notice=account_connected",
    );
    expect<unknown>(await ownerOf()).toBe(person.id);
    const signedIn = await arriveIn(server.url, connection);
    expect(await (await signedIn.browser.get("/account")).text()).toContain(person.username);
  });

  /** Guard: readPageForm (csrf and origin), by takeForm of web/account/security-scope.ts. */
  it("is begun by no form of another site", async () => {
    const csrf = await formToken(browser);
    for (const [token, headers] of [
      ["", {}],
      [csrfToken(server.deps.secrets.csrf, "another-browser"), {}],
      [csrf, { origin: "https://evil.example" }],
      [csrf, { "sec-fetch-site": "cross-site" }],
    ] as const)
      expect((await browser.post(PATH, { csrf: token, connection: connection.key }, headers)).status).toBe(
        403,
      );
  });

  /** Guard: there is no GET that begins it: a link, an image or a redirect would do. */
  it("is begun by no address", async () => {
    expect((await browser.get(`${PATH}?connection=${connection.key}`)).status).toBe(404);
    await travel(browser, connection, { purpose: "link", csrf: await formToken(browser) });
    expect<unknown>(await ownerOf()).not.toBe(person.id);
  });

  /** Guard: takeForm's freshFor, in web/federation/connect.routes.ts. */
  it("needs a proof of lately: an unlocked screen is not enough", async () => {
    server.clock.advance(16 * 60);
    const response = await browser.post(PATH, { csrf: await formToken(browser), connection: connection.key });
    expect(response.headers.get("location")).toStartWith("/signin/step-up");
  });

  /** Guard: consumeRoundTrip (isBrowsers). */
  it("is not finished in a victim's browser with an attacker's answer", async () => {
    const attacker = new Browser(server.url);
    await attacker.signIn((await register(server.url)).username);
    const callback = await visit(await leaveToConnect(attacker, await formToken(attacker)));
    const response = await browser.get(callback.href);
    expect(response.status).toBe(400);
    expect(await ownerOf()).toBeUndefined();
  });

  /** Guard: web/federation/arrival.ts, connectAccount (session.user.id). */
  it("is not finished for who signed in to the browser meanwhile", async () => {
    const callback = await visit(await leaveToConnect(browser, await formToken(browser)));
    const second = await register(server.url);
    await browser.signIn(second.username, "/signin?again=1");
    const response = await browser.get(callback.href);
    expect(response.status).toBe(403);
    expect(await refusalOf(response)).toContain("somebody else");
    expect(await ownerOf()).toBeUndefined();
  });

  /** Guard: the same (session). */
  it("is not finished for who signed out meanwhile", async () => {
    const callback = await visit(await leaveToConnect(browser, await formToken(browser)));
    await browser.signOut();
    expect((await browser.get(callback.href)).status).toBe(403);
    expect(await ownerOf()).toBeUndefined();
  });

  /** Guard: federation/linking.ts, linkExternally (lockLiveSession). */
  it("is not finished for a session that ended while the provider was asked", async () => {
    const { deps, tenant } = server;
    const user = isId("user", person.id) ? await findUserById(deps, tenant.id, person.id) : undefined;
    if (!user) throw new Error("no user");
    const [session] = await deps.db.select().from(sessions).where(eq(sessions.userId, user.id));
    if (!session) throw new Error("no session");
    await browser.signOut();
    const identity = { subject, emailVerified: false, claims: {} };
    const late = linkExternally(deps, tenant, { id: session.id, user }, connection, identity, systemContext);
    expect(await late.catch((error: unknown) => error)).toMatchObject({ problem: "link_lost" });
    expect(await ownerOf()).toBeUndefined();
  });

  /** Guard: federation/linking.ts, linkExternally (known.userId). */
  it("takes nothing from another account that has it", async () => {
    await arriveIn(server.url, connection);
    const owner = await ownerOf();
    const callback = await visit(await leaveToConnect(browser, await formToken(browser)));
    const response = await browser.get(callback.href);
    expect(response.status).toBe(409);
    expect<unknown>(await ownerOf()).toBe(owner);
  });
});

describe("the answer to a sign-in", () => {
  /** Guard: the purpose is in the trip, on our side. */
  it("connects nothing to the account of who is signed in", async () => {
    await travel(browser, connection);
    expect<unknown>(await ownerOf()).not.toBe(person.id);
  });
});
