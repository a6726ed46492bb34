/**
 * OpenID Connect RP-Initiated Logout 1.0, as we read the modules `oidcc-rp-initiated-logout*` of the OpenID
 * Foundation's suite.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { decodeJwt, decodeProtectedHeader } from "jose";
import * as client from "openid-client";
import { clients } from "../../../src/db/schema/index.ts";
import { createTenant } from "../../../src/domain/tenants/service.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser, type HttpBrowser, type Visit } from "../../support/browser.ts";
import { postForm, startTestServer, type TestServer } from "../../support/server.ts";
import { newTestKey, signTestJwt } from "../../support/signed.ts";
import { addUser, type Application, logIn, registerApplication, signedInBrowser } from "../support.ts";

const POST_LOGOUT_URI = "https://app.example.com/signed-out";
const WITH_QUERY = "https://app.example.com/signed-out?from=op";

let server: TestServer;
let app: Application;
let user: User;
beforeAll(async () => {
  server = await startTestServer();
  app = await registerApplication(server, { postLogoutRedirectUris: [POST_LOGOUT_URI, WITH_QUERY] });
  user = await addUser(server, "ada");
});
afterAll(() => server.stop());

interface SignedIn {
  browser: HttpBrowser;
  idToken: string;
  tokens: Awaited<ReturnType<typeof logIn>>["tokens"];
}

async function signedIn(of: Application = app): Promise<SignedIn> {
  const browser = await signedInBrowser(server, user);
  const { tokens } = await logIn(of, browser, user);
  return { browser, tokens, idToken: tokens.id_token ?? "" };
}

const logoutUrl = (parameters: Record<string, string>) =>
  client.buildEndSessionUrl(app.config, parameters).href;

/** As some send it: without a client_id beside the hint, which `buildEndSessionUrl` always adds. */
const bareUrl = (parameters: Record<string, string>) =>
  `${server.url}/oauth/logout?${new URLSearchParams(parameters)}`;

const heading = (visit: Visit) => /<h1>([^<]*)/.exec(visit.html)?.[1];
const isSignedIn = async (browser: HttpBrowser) =>
  (await browser.open("/account")).url.pathname === "/account";

describe("the end_session_endpoint (§2.1)", () => {
  /** oidcc-rp-initiated-logout-discovery-endpoint-verification */
  it("is in the provider's metadata", () => {
    expect(app.config.serverMetadata().end_session_endpoint).toBe(`${server.url}/oauth/logout`);
  });
});

describe("oidcc-rp-initiated-logout", () => {
  it("signs out at once with an id_token_hint, and sends the browser back with the state", async () => {
    const { browser, idToken } = await signedIn();
    const visit = await browser.open(
      logoutUrl({ id_token_hint: idToken, post_logout_redirect_uri: POST_LOGOUT_URI, state: "s 1" }),
    );
    expect(visit.url.href).toBe(`${POST_LOGOUT_URI}?state=s+1`);
    expect(await isSignedIn(browser)).toBe(false);
  });

  it("forgets the browser: the next authorization request asks for a sign-in", async () => {
    const { browser, idToken } = await signedIn();
    await browser.open(logoutUrl({ id_token_hint: idToken }));
    expect([...browser.cookies.keys()]).not.toContain("__Host-gw_session");
    expect((await browser.open((await app.begin()).url)).url.pathname).toBe("/signin");
  });

  it("takes a hint that has expired", async () => {
    const { browser, idToken } = await signedIn();
    server.clock.advance(20 * 3600);
    const visit = await browser.open(
      logoutUrl({ id_token_hint: idToken, post_logout_redirect_uri: POST_LOGOUT_URI }),
    );
    expect(visit.url.href).toBe(POST_LOGOUT_URI);
    expect(await isSignedIn(browser)).toBe(false);
  });

  it("takes a hint of a client with pairwise subjects", async () => {
    const pairwise = await registerApplication(server, { postLogoutRedirectUris: [POST_LOGOUT_URI] });
    await server.deps.db
      .update(clients)
      .set({ subjectType: "pairwise" })
      .where(eq(clients.id, pairwise.registered.client.id));
    server.deps.caches.clear();
    const { browser, idToken, tokens } = await signedIn(pairwise);
    expect(tokens.claims()?.sub).not.toBe(user.id);
    await browser.open(bareUrl({ id_token_hint: idToken }));
    expect(await isSignedIn(browser)).toBe(false);
  });

  it("takes a POST, for which the browser brings its cookie only after a redirect", async () => {
    const { browser, idToken } = await signedIn();
    const visit = await browser.postFromElsewhere(`${server.url}/oauth/logout`, {
      id_token_hint: idToken,
      post_logout_redirect_uri: POST_LOGOUT_URI,
      state: "posted",
    });
    expect(visit.url.href).toBe(`${POST_LOGOUT_URI}?state=posted`);
    expect(await isSignedIn(browser)).toBe(false);
  });

  it("redirects who has signed out already", async () => {
    const { idToken } = await signedIn();
    const visit = await createHttpBrowser(server.url).open(
      logoutUrl({ id_token_hint: idToken, post_logout_redirect_uri: POST_LOGOUT_URI }),
    );
    expect(visit.url.href).toBe(POST_LOGOUT_URI);
  });

  it("works for a tenant under its own path, whose session alone it ends", async () => {
    const tenant = await createTenant(server.deps, { slug: "globex", name: "Globex" });
    const theirApp = await registerApplication(server, { postLogoutRedirectUris: [POST_LOGOUT_URI] }, tenant);
    const theirUser = await addUser(server, "grace", tenant);
    const { browser } = await signedIn();
    const { tokens } = await logIn(theirApp, browser, theirUser);
    const url = client.buildEndSessionUrl(theirApp.config, {
      id_token_hint: tokens.id_token ?? "",
      post_logout_redirect_uri: POST_LOGOUT_URI,
    });
    expect(url.pathname).toBe("/t/globex/oauth/logout");
    expect((await browser.open(url)).url.href).toBe(POST_LOGOUT_URI);
    expect((await browser.open("/t/globex/account")).url.pathname).toBe("/t/globex/signin");
    expect(await isSignedIn(browser)).toBe(true);
  });
});

describe("oidcc-rp-initiated-logout-no-params and oidcc-rp-initiated-logout-only-state", () => {
  it.each<Record<string, string>>([{}, { state: "alone" }])(
    "asks the person, and then shows that they are signed out: %j",
    async (parameters) => {
      const { browser } = await signedIn();
      const page = await browser.open(bareUrl(parameters));
      expect(heading(page)).toBe("Sign out");
      expect(await isSignedIn(browser)).toBe(true);
      const done = await browser.submit(page, "/oauth/logout/confirm", { decision: "sign_out" });
      expect([done.status, heading(done)]).toEqual([200, "You are signed out"]);
      expect(await isSignedIn(browser)).toBe(false);
    },
  );

  it("says so to who is not signed in", async () => {
    const page = await createHttpBrowser(server.url).open(bareUrl({}));
    expect([page.status, heading(page)]).toEqual([200, "You are signed out"]);
  });
});

describe("oidcc-rp-initiated-logout-no-id-token-hint", () => {
  it("asks the person, and sends them back when they agree and the client named itself", async () => {
    const { browser } = await signedIn();
    const page = await browser.open(logoutUrl({ post_logout_redirect_uri: POST_LOGOUT_URI, state: "s" }));
    expect(heading(page)).toBe("Sign out");
    expect(page.html).toContain("Conformance");
    const done = await browser.submit(page, "/oauth/logout/confirm", { decision: "sign_out" });
    expect(done.url.href).toBe(`${POST_LOGOUT_URI}?state=s`);
    expect(await isSignedIn(browser)).toBe(false);
  });

  it("leaves who does not agree signed in", async () => {
    const { browser } = await signedIn();
    const page = await browser.open(logoutUrl({ post_logout_redirect_uri: POST_LOGOUT_URI }));
    const stayed = await browser.submit(page, "/oauth/logout/confirm", { decision: "stay" });
    expect(stayed.url.pathname).toBe("/account");
    expect(await isSignedIn(browser)).toBe(true);
  });

  it("refuses to redirect for nobody", async () => {
    const { browser } = await signedIn();
    const page = await browser.open(bareUrl({ post_logout_redirect_uri: POST_LOGOUT_URI }));
    expect(page.status).toBe(400);
    expect(await isSignedIn(browser)).toBe(true);
  });
});

describe("oidcc-rp-initiated-logout-no-post-logout-redirect-uri and oidcc-rp-initiated-logout-no-state", () => {
  it("shows a page of its own", async () => {
    const { browser, idToken } = await signedIn();
    const page = await browser.open(logoutUrl({ id_token_hint: idToken, state: "s" }));
    expect([page.status, heading(page)]).toEqual([200, "You are signed out"]);
  });

  it("redirects without a state when there was none", async () => {
    const { browser, idToken } = await signedIn();
    const visit = await browser.open(
      logoutUrl({ id_token_hint: idToken, post_logout_redirect_uri: POST_LOGOUT_URI }),
    );
    expect(visit.url.href).toBe(POST_LOGOUT_URI);
  });
});

/** oidcc-rp-initiated-logout-bad-post-logout-redirect-uri, oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri */
describe("a post_logout_redirect_uri that is not registered (§3)", () => {
  it.each([
    "https://app.example.com/elsewhere",
    `${POST_LOGOUT_URI}?added=1`,
    `${WITH_QUERY}&added=1`,
    "https://app.example.com/callback",
  ])("shows an error for %s, and signs nobody out", async (uri) => {
    const { browser, idToken } = await signedIn();
    const page = await browser.open(logoutUrl({ id_token_hint: idToken, post_logout_redirect_uri: uri }));
    expect([page.status, page.url.pathname]).toEqual([400, "/oauth/logout"]);
    expect(await isSignedIn(browser)).toBe(true);
  });

  it("adds the state to a registered query", async () => {
    const { browser, idToken } = await signedIn();
    const visit = await browser.open(
      logoutUrl({ id_token_hint: idToken, post_logout_redirect_uri: WITH_QUERY, state: "s" }),
    );
    expect(visit.url.href).toBe(`${WITH_QUERY}&state=s`);
  });
});

describe("oidcc-rp-initiated-logout-bad-id-token-hint and oidcc-rp-initiated-logout-modified-id-token-hint", () => {
  it("shows an error for a hint that is none, was changed, is unsigned or another's, and signs nobody out", async () => {
    const { browser, idToken } = await signedIn();
    const [header = "", , signature = ""] = idToken.split(".");
    const changed = Buffer.from(JSON.stringify({ sub: user.id, iss: server.url })).toString("base64url");
    const [, payload = ""] = idToken.split(".");
    const unsigned = `${Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url")}.${payload}.`;
    const other = await newTestKey("RS256");
    const foreign = await signTestJwt(other, decodeJwt(idToken), { ...decodeProtectedHeader(idToken) });
    const hints = ["none", `${header}.${changed}.${signature}`, idToken.slice(0, -4), unsigned, foreign];
    for (const hint of hints) {
      const page = await browser.open(
        logoutUrl({ id_token_hint: hint, post_logout_redirect_uri: POST_LOGOUT_URI }),
      );
      expect(page.status).toBe(400);
    }
    expect(await isSignedIn(browser)).toBe(true);
  });

  it("shows an error when the hint is another client's than client_id says (§2)", async () => {
    const other = await registerApplication(server);
    const { browser } = await signedIn();
    const { tokens } = await logIn(other, browser, user);
    const page = await browser.open(logoutUrl({ id_token_hint: tokens.id_token ?? "" }));
    expect(page.status).toBe(400);
    expect(await isSignedIn(browser)).toBe(true);
  });
});

describe("what a sign-out ends", () => {
  it("ends refresh tokens at once, but not those for offline access (OpenID Connect Core §11)", async () => {
    const { browser, idToken, tokens } = await signedIn();
    const offline = await logIn(app, browser, user, { scope: "openid offline_access" });
    await browser.open(logoutUrl({ id_token_hint: idToken }));
    await expect(client.refreshTokenGrant(app.config, tokens.refresh_token ?? "")).rejects.toMatchObject({
      error: "invalid_grant",
    });
    const kept = await client.refreshTokenGrant(app.config, offline.tokens.refresh_token ?? "");
    expect(kept.access_token).toBeTruthy();
    const userinfo = await fetch(`${server.url}/oauth/userinfo`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    expect(userinfo.status).toBe(401);
  });
});

describe("a request that is malformed", () => {
  it.each(["id_token_hint", "post_logout_redirect_uri", "client_id", "state"])(
    "is refused when %s comes twice",
    async (name) => {
      const page = await createHttpBrowser(server.url).open(`/oauth/logout?${name}=a&${name}=b`);
      expect(page.status).toBe(400);
    },
  );

  it("is refused when it is too long for an address", async () => {
    const response = await postForm(`${server.url}/oauth/logout`, { state: "x".repeat(9000) });
    expect(response.status).toBe(400);
  });
});

describe("ui_locales", () => {
  it("decides the language of the page", async () => {
    const { browser } = await signedIn();
    expect(heading(await browser.open(bareUrl({ ui_locales: "de" })))).toBe("Abmelden");
  });
});
