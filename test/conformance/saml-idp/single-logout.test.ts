/** SAML Profiles §4.4, Single Logout, with `@node-saml/node-saml` as the service providers. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { authorizationCodeGrant } from "openid-client";
import { type Profile, ValidateInResponseTo } from "@node-saml/node-saml";
import { and, eq } from "drizzle-orm";
import { auditEvents, outbox, samlSessions, sessions } from "../../../src/db/schema/index.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser, type HttpBrowser, type Visit } from "../../support/browser.ts";
import { signXml } from "../../support/saml-identity-provider.ts";
import {
  beginAt,
  postedForm,
  realTime,
  registerServiceProvider,
  type ServiceProvider,
} from "../../support/saml-service-provider.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { addUser, fillSignIn, registerApplication, signedInBrowser } from "../support.ts";

let server: TestServer;
let ada: User;
let browser: HttpBrowser;

beforeAll(async () => {
  server = await startTestServer({ clock: realTime });
  ada = await addUser(server, "ada");
});
afterAll(() => server.stop());
beforeEach(async () => {
  browser = await signedInBrowser(server, ada);
});

const signInTo = async (sp: ServiceProvider): Promise<Profile> =>
  (await sp.take(await beginAt(sp, browser))).profile;

const isSignedIn = async (one = browser) => (await one.open("/account")).url.pathname === "/account";

/** What came to the application in its address. */
async function received(sp: ServiceProvider, url: URL) {
  expect(url.origin + url.pathname).toBe(sp.sloUrl);
  const query = Object.fromEntries(url.searchParams);
  const { profile, loggedOut } = await sp.saml.validateRedirectAsync(query, url.search.slice(1));
  return { profile, loggedOut, relayState: query["RelayState"] ?? "" };
}

/** The application did as it was asked, and sends the browser back. */
async function answer(sp: ServiceProvider, url: URL, success = true): Promise<Visit> {
  const { profile, relayState } = await received(sp, url);
  if (!profile) throw new Error("no LogoutRequest");
  return browser.open(await sp.saml.getLogoutResponseUrlAsync(profile, relayState, {}, success));
}

/** Where a page of ours leads by itself. */
function leadsTo(page: Visit): URL {
  const [, url = ""] = /http-equiv="refresh" content="0;url=([^"]*)"/.exec(page.html) ?? [];
  return new URL(url.replaceAll("&amp;", "&"));
}

const statusIn = (url: URL) => {
  const xml = Bun.inflateSync(Buffer.from(url.searchParams.get("SAMLResponse") ?? "", "base64"));
  return [
    ...Buffer.from(xml)
      .toString()
      .matchAll(/:status:([A-Za-z]+)"/g),
  ].map(([, code]) => code);
};

describe("§4.4.3.1: a logout that a service provider asks for", () => {
  it("by the redirect binding ends our session, and is answered", async () => {
    const sp = await registerServiceProvider(server);
    const profile = await signInTo(sp);
    const page = await browser.open(await sp.saml.getLogoutUrlAsync(profile, "back", {}));
    expect(await received(sp, page.url)).toMatchObject({ loggedOut: true, relayState: "back" });
    expect(statusIn(page.url)).toEqual(["Success"]);
    expect(await isSignedIn()).toBe(false);
    const events = await server.deps.db
      .select()
      .from(auditEvents)
      .where(and(eq(auditEvents.type, "saml.logout_requested"), eq(auditEvents.targetId, sp.client.id)));
    expect(events).toHaveLength(1);
  });

  it("by the POST binding does too, though no cookie comes with it", async () => {
    const sp = await registerServiceProvider(server, { slo_binding: "post" });
    const profile = await signInTo(sp);
    // oxlint-disable-next-line no-underscore-dangle -- the library has no other way to a form
    const plain = await sp.saml._generateLogoutRequest(profile);
    const request = signXml(plain, "LogoutRequest", sp.credentials);
    const page = await browser.postFromElsewhere(`${server.url}/saml/${sp.client.id}/slo`, {
      SAMLRequest: Buffer.from(request).toString("base64"),
      RelayState: "back",
    });
    const { action, fields } = postedForm(page);
    expect(action).toBe(sp.sloUrl);
    expect(fields["RelayState"]).toBe("back");
    const xml = Buffer.from(fields["SAMLResponse"] ?? "", "base64").toString();
    expect(xml).toContain(` InResponseTo="${/ ID="([^"]+)"/.exec(plain)?.[1]}"`);
    // Of a form it looks for InResponseTo in a Response alone.
    sp.saml.options.validateInResponseTo = ValidateInResponseTo.never;
    expect(await sp.saml.validatePostResponseAsync({ ...fields })).toMatchObject({ loggedOut: true });
    expect(await isSignedIn()).toBe(false);
  });

  it("is of the session that it names, and no other of the user's", async () => {
    const sp = await registerServiceProvider(server);
    const profile = await signInTo(sp);
    const other = await signedInBrowser(server, ada);
    await sp.take(await beginAt(sp, other));
    await browser.open(await sp.saml.getLogoutUrlAsync(profile, "", {}));
    expect(await isSignedIn()).toBe(false);
    expect(await isSignedIn(other)).toBe(true);
    // Without a session it means all of them (Core §3.7.1).
    const { sessionIndex: _, ...named } = profile;
    await other.open(await sp.saml.getLogoutUrlAsync(named, "", {}));
    expect(await isSignedIn(other)).toBe(false);
  });

  it("that comes when nothing is left to end is answered as one that was done", async () => {
    const sp = await registerServiceProvider(server);
    const profile = await signInTo(sp);
    for (let times = 0; times < 2; times++) {
      const page = await browser.open(await sp.saml.getLogoutUrlAsync(profile, "", {}));
      expect(await received(sp, page.url)).toMatchObject({ loggedOut: true });
    }
  });

  it("goes by the other service providers of the session, each of which answers", async () => {
    const [first, second, third] = await Promise.all([
      registerServiceProvider(server),
      registerServiceProvider(server),
      registerServiceProvider(server),
    ]);
    const profile = await signInTo(first);
    await signInTo(second);
    await signInTo(third);
    let page = await browser.open(await first.saml.getLogoutUrlAsync(profile, "mine", {}));
    // Whatever they do with it, the session here is over.
    expect(await isSignedIn()).toBe(false);
    for (let times = 0; times < 2; times++) {
      const asked = [second, third].find(({ sloUrl }) => sloUrl === page.url.origin + page.url.pathname);
      if (!asked) throw new Error(`nobody was asked at ${page.url.origin}`);
      page = await answer(asked, page.url);
    }
    expect(await received(first, page.url)).toMatchObject({ loggedOut: true, relayState: "mine" });
    expect(statusIn(page.url)).toEqual(["Success"]);
  });

  it("says so where one of them could not be told, or did not do it", async () => {
    const sp = await registerServiceProvider(server);
    const without = await registerServiceProvider(server, { slo_url: null });
    await signInTo(without);
    const page = await browser.open(await sp.saml.getLogoutUrlAsync(await signInTo(sp), "", {}));
    expect(statusIn(page.url)).toEqual(["Success", "PartialLogout"]);

    browser = await signedInBrowser(server, ada);
    const unwilling = await registerServiceProvider(server);
    await signInTo(unwilling);
    const asked = await browser.open(await sp.saml.getLogoutUrlAsync(await signInTo(sp), "", {}));
    expect(statusIn((await answer(unwilling, asked.url, false)).url)).toEqual(["Success", "PartialLogout"]);
  });

  it("tells the applications that listen by OpenID Connect, too", async () => {
    const sp = await registerServiceProvider(server);
    const app = await registerApplication(server, {
      row: { backchannelLogoutUri: "https://oidc.example/logout" },
    });
    const pending = await app.begin();
    const arrived = await browser.open(pending.url);
    await authorizationCodeGrant(app.config, arrived.url, pending.checks);
    await browser.open(await sp.saml.getLogoutUrlAsync(await signInTo(sp), "", {}));
    const jobs = await server.deps.db.select().from(outbox).where(eq(outbox.name, "backchannel_logout"));
    expect(jobs.map(({ payload }) => payload)).toMatchObject([
      { client_id: app.registered.client.id, user_id: ada.id },
    ]);
  });
});

describe("§4.4.3.3: a logout that begins here", () => {
  it("on the account page goes by the service providers, and back to the sign-in page", async () => {
    const sp = await registerServiceProvider(server);
    await signInTo(sp);
    const account = await browser.open("/account");
    const page = await browser.submit(account, "/signout");
    expect(await isSignedIn()).toBe(false);
    const back = await answer(sp, leadsTo(page));
    expect(back.url.pathname + back.url.search).toBe("/signin?notice=signed_out");
  });

  it("by a form, to one that takes forms", async () => {
    const sp = await registerServiceProvider(server, { slo_binding: "post" });
    const { sessionIndex } = await signInTo(sp);
    const page = await browser.submit(await browser.open("/account"), "/signout");
    const { action, fields } = postedForm(page);
    expect(action).toBe(sp.sloUrl);
    const { profile } = await sp.saml.validatePostRequestAsync({ ...fields });
    expect(profile.sessionIndex).toBe(sessionIndex ?? "");
  });

  it("by an OpenID Connect application goes back to that one in the end", async () => {
    const sp = await registerServiceProvider(server);
    const back = "https://oidc.example/bye";
    const app = await registerApplication(server, { row: { postLogoutRedirectUris: [back] } });
    await signInTo(sp);
    const query = new URLSearchParams({
      client_id: app.registered.client.clientId,
      post_logout_redirect_uri: back,
      state: "s1",
    });
    const confirm = await browser.open(`/oauth/logout?${query}`);
    const page = await browser.submit(confirm, "/oauth/logout/confirm");
    expect((await answer(sp, leadsTo(page))).url.href).toBe(`${back}?state=s1`);
  });

  it("tells nobody twice, and nobody who was not signed in to", async () => {
    await registerServiceProvider(server);
    const page = await browser.submit(await browser.open("/account"), "/signout");
    expect(page.url.pathname).toBe("/signin");
  });
});

describe("what is noted of a session", () => {
  it("goes when the session does", async () => {
    const sp = await registerServiceProvider(server);
    const person = createHttpBrowser(server.url);
    await sp.take(await fillSignIn(person, await beginAt(sp, person), "ada"));
    const noted = () =>
      server.deps.db.select().from(samlSessions).where(eq(samlSessions.samlClientId, sp.client.id));
    const [row] = await noted();
    if (!row) throw new Error("nothing was noted");
    expect(row).toMatchObject({ userId: ada.id });
    await server.deps.db.delete(sessions).where(eq(sessions.id, row.sessionId));
    expect(await noted()).toEqual([]);
  });
});
