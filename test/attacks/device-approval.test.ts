/** Attacks on the approval of a device (RFC 8628 §5): by another session, by guessing, by a link, by a race. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { postForm, startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  basicAuthorization,
  bearer,
  Browser,
  createApp,
  createOtherTenant,
  errorOf,
  type Person,
  readForm,
  signedIn,
  tokenRequest,
  tokensOf,
} from "./support.ts";

let server: TestServer;
let app: App;
let victim: Browser;
let attacker: Browser;
let person: Person;

const GRANT = "urn:ietf:params:oauth:grant-type:device_code";

beforeAll(async () => {
  server = await startTestServer();
  app = await createApp(server, { grantTypes: [GRANT], firstParty: false });
});
afterAll(() => server.stop());
beforeEach(async () => {
  ({ browser: victim, person } = await signedIn(server.url));
  ({ browser: attacker } = await signedIn(server.url));
  server.clock.advance(5);
});

interface Started {
  device_code: string;
  user_code: string;
  verification_uri_complete: string;
}

async function begin(of: App = app): Promise<Started> {
  const response = await postForm(
    `${of.base}/oauth/device_authorization`,
    { scope: "openid" },
    basicAuthorization(of),
  );
  return response.json();
}

const poll = ({ device_code }: Started) => tokenRequest(app, { grant_type: GRANT, device_code });

/** The form with which this browser would decide. */
async function decisionForm(browser: Browser, userCode: string) {
  const page = await browser.submit("/device", { user_code: userCode });
  return readForm(await page.text(), "/device/decision");
}

describe("a device that another session approves", () => {
  /** RFC 8628 §5.4, CWE-352. Guard: web/oauth/device.routes.ts, readPageForm with the session. */
  it("is not let in: a decision form is the session's that it was shown to", async () => {
    const started = await begin();
    const form = await decisionForm(attacker, started.user_code);
    const forged = await victim.post(form.action, { ...form.fields, decision: "allow" });
    expect(forged.status).toBe(403);
    expect(await errorOf(poll(started))).toEqual([400, "authorization_pending"]);
  });

  /** Guard: the same: a session that came since is another one. */
  it("is not let in by who signed in since in another tab", async () => {
    const started = await begin();
    const form = await decisionForm(victim, started.user_code);
    await victim.signOut();
    const { person: other } = await signedIn(server.url);
    await victim.signIn(other.username);
    expect((await victim.post(form.action, { ...form.fields, decision: "allow" })).status).toBe(403);
    expect(await errorOf(poll(started))).toEqual([400, "authorization_pending"]);
  });

  /** Guard: web/oauth/device.routes.ts (no session, no decision). */
  it("is not let in without a session", async () => {
    const started = await begin();
    const nobody = new Browser(server.url);
    const { fields } = readForm(await (await nobody.get("/signin")).text());
    const response = await nobody.post("/device/decision", {
      ...fields,
      user_code: started.user_code,
      decision: "allow",
    });
    expect([response.status, response.headers.get("location")]).toEqual([303, "/signin"]);
    expect(await errorOf(poll(started))).toEqual([400, "authorization_pending"]);
  });

  /** Guard: domain/device/repo.ts, answer (status = pending in the one statement). */
  it("has one answer, whoever races for it, and is theirs who gave it", async () => {
    const started = await begin();
    const racers = await Promise.all(
      [victim, attacker].map(async (browser) => ({
        browser,
        form: await decisionForm(browser, started.user_code),
      })),
    );
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => racers).flatMap((both) =>
        both.map(async ({ browser, form }) => {
          const { status } = await browser.post(form.action, { ...form.fields, decision: "allow" });
          return { browser, status };
        }),
      ),
    );
    const winners = answers.filter(({ status }) => status === 200);
    expect(winners.length).toBe(1);
    const tokens = await tokensOf(poll(started));
    const info = await fetch(`${server.url}/oauth/userinfo`, { headers: bearer(tokens.access_token) });
    const { sub }: { sub: string } = await info.json();
    expect(sub === person.id).toBe(winners[0]?.browser === victim);
  });
});

describe("a link with the code in it, sent to the victim", () => {
  /** RFC 8628 §5.4, remote phishing. Guard: web/oauth/device.routes.ts (GET fills in the code, and does nothing with it). */
  it("lets nobody in by being opened", async () => {
    const started = await begin();
    const page = await (await victim.get(started.verification_uri_complete)).text();
    expect(page).toContain(started.user_code);
    expect(() => readForm(page, "/device/decision")).toThrow();
    expect(await errorOf(poll(started))).toEqual([400, "authorization_pending"]);
  });

  /** Guard: web/pages/device.tsx (the warning, and where the request comes from). */
  it("leads to a page that says whose device it may be", async () => {
    const started = await begin();
    const page = await (await victim.submit("/device", { user_code: started.user_code })).text();
    expect(page).toContain("If somebody sent you the code or the link, deny it");
    expect(page).toContain("Asked from");
  });
});

describe("a guessed code", () => {
  /** RFC 8628 §5.1. Guard: domain/authorization/device-approval.ts, lookUpDevice (beginAttempt). */
  it("is no longer looked up after five wrong ones, be it the right one", async () => {
    const started = await begin();
    for (const guess of ["BCDFGHJK", "BCDFGHJL", "BCDFGHJM", "BCDFGHJN", "BCDFGHJP"])
      expect((await attacker.submit("/device", { user_code: guess })).status).toBe(400);
    expect((await attacker.submit("/device", { user_code: started.user_code })).status).toBe(429);
    expect((await victim.submit("/device", { user_code: started.user_code })).status).toBe(200);
  });

  /** Guard: lookUpDevice (counted beside the attempts to sign in). */
  it("does not lock the account that guesses", async () => {
    const { browser, person: someone } = await signedIn(server.url);
    for (let guess = 0; guess < 6; guess++) await browser.submit("/device", { user_code: "BCDFGHJK" });
    const again = new Browser(server.url);
    expect((await again.signIn(someone.username)).status).toBe(303);
  });

  /** Guard: domain/device/repo.ts, findPending, and service.ts, findClient (tenantId, each by itself). */
  it("of another tenant is unknown here", async () => {
    const other = await createOtherTenant(server, "device-thief");
    const theirs = await createApp(server, { grantTypes: [GRANT] }, other);
    const started = await begin(theirs);
    expect((await victim.submit("/device", { user_code: started.user_code })).status).toBe(400);
  });
});
