/** Connections on the hosted pages: their buttons, and the way that an address's domain leads (home-realm discovery). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { updateConnection } from "../../../src/domain/connections/administration.ts";
import type { Connection } from "../../../src/domain/connections/model.ts";
import { createOrganization } from "../../../src/domain/organizations/service.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { type App, authorizationParameters, Browser, createApp, register } from "../../attacks/support.ts";
import { connect, connectOidc, isSignedIn, upstreamsAllowed } from "../../support/federation.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { startUpstream, type Upstream } from "../../support/upstream.ts";

let server: TestServer;
let upstream: Upstream;
let app: App;
const by = { actor: { type: "system" } as const, context: systemContext, superAdmin: true };

beforeAll(async () => {
  server = await startTestServer({ env: upstreamsAllowed });
  upstream = startUpstream(() => server.clock.now());
  app = await createApp(server);
});
afterAll(async () => {
  await upstream.stop();
  await server.stop();
});

const newBrowser = () => new Browser(server.url);
const pageOf = async (path: string, browser = newBrowser()) => (await browser.get(path)).text();

/** The page that an application's request leads to, and its interaction. */
async function asked(browser: Browser, changes: Record<string, string> = {}): Promise<Response> {
  const begun = await browser.get(`/oauth/authorize?${authorizationParameters(app, changes)}`);
  return browser.get(begun.headers.get("location") ?? "");
}

describe("buttons", () => {
  const buttons = async (path: string) =>
    [
      ...(await pageOf(path)).matchAll(
        /<a class="button secondary provider" href="([^"]*)">([\s\S]*?)<\/a>/g,
      ),
    ].map(([, href = "", inner = ""]) => ({
      href,
      name: inner.replaceAll(/<svg[\s\S]*?<\/svg>|<[^>]*>/g, ""),
    }));

  it("lead to each connection of the tenant that signs people in, by its name", async () => {
    const shown = await connectOidc(server, upstream, { name: "Upstream & Sons" });
    const off = await connectOidc(server, upstream, { enabled: false });
    const noSignIn = await connectOidc(server, upstream, { allowSignIn: false });
    const found = await buttons("/signin");
    expect(found).toContainEqual({
      href: `/oauth/social/${shown.key}`,
      name: "Continue with Upstream &amp; Sons",
    });
    const keys = found.map(({ href }) => href);
    for (const { key } of [off, noSignIn]) expect(keys).not.toContain(`/oauth/social/${key}`);
  });

  it("are on the sign-up page for those that take new people", async () => {
    const open = await connectOidc(server, upstream);
    const closed = await connectOidc(server, upstream, { allowSignUp: false });
    const keys = (await buttons("/signup")).map(({ href }) => href);
    expect(keys).toContain(`/oauth/social/${open.key}`);
    expect(keys).not.toContain(`/oauth/social/${closed.key}`);
  });

  it("show nobody an organization's connection", async () => {
    const organization = await createOrganization(
      server.deps,
      server.tenant.id,
      { slug: "acme", name: "Acme" },
      by,
    );
    const { key } = await connectOidc(server, upstream, { organizationId: organization.id });
    expect((await buttons("/signin")).map(({ href }) => href)).not.toContain(`/oauth/social/${key}`);
  });

  it("take the application's request along, and their marks are read out by nobody", async () => {
    const connection = await connect(server, {
      preset: "github",
      key: "github",
      config: { client_id: "us" },
      secrets: { client_secret: "s" },
    });
    const html = await (await asked(newBrowser())).text();
    expect(html).toMatch(new RegExp(`href="/oauth/social/${connection.key}\\?interaction=`));
    expect(html).toContain('aria-hidden="true"');
  });
});

describe("home-realm discovery", () => {
  let connection: Connection;
  beforeAll(async () => {
    connection = await connectOidc(server, upstream, { name: "Acme SSO", domains: ["acme.example"] });
  });

  const typed = (identifier: string, browser = newBrowser(), path = "/signin") =>
    browser.submit(path, { identifier, password: "" });

  it("leads an address of the domain, typed without a password, to its connection", async () => {
    const response = await typed("ada@ACME.example");
    expect(response.status).toBe(200);
    expect(await response.text()).toContain(
      `content="0;url=/oauth/social/${connection.key}?login_hint=ada%40ACME.example"`,
    );
  });

  it("takes the application's request along", async () => {
    const browser = newBrowser();
    const begun = await browser.get(`/oauth/authorize?${authorizationParameters(app)}`);
    const response = await typed("ada@acme.example", browser, begun.headers.get("location") ?? "");
    expect(await response.text()).toMatch(/url=\/oauth\/social\/[\w-]+\?interaction=[\w-]+&amp;login_hint=/);
  });

  /** Guard: the domain alone is looked at (home-realm.ts; connections/service.ts, connectionForEmail). */
  it("answers the same whether an address has an account or not", async () => {
    await register(server.url, { email: "known@acme.example" });
    await register(server.url, { email: "known@else.example" });
    const told = async (email: string) => {
      const response = await typed(email);
      const html = (await response.text()).replaceAll(/csrf" value="[^"]*"/g, "");
      return [response.status, html.replaceAll(email, "…").replaceAll(encodeURIComponent(email), "…")];
    };
    expect(await told("known@acme.example")).toEqual(await told("nobody@acme.example"));
    expect(await told("known@else.example")).toEqual(await told("nobody@else.example"));
  });

  it("asks for the password of an address that leads nowhere else", async () => {
    const response = await typed("ada@else.example");
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("Please enter your password.");
  });

  it("keeps the way by a password open, for who has one", async () => {
    const person = await register(server.url, { email: `pw@acme.example` });
    const browser = newBrowser();
    await browser.signIn(person.email);
    expect(isSignedIn(browser)).toBe(true);
  });

  it("goes by the login_hint of an application's request, which the provider is given too", async () => {
    const browser = newBrowser();
    const first = await asked(browser, { login_hint: "ada@acme.example" });
    expect(first.headers.get("location")).toStartWith(`/oauth/social/${connection.key}?interaction=`);
    const there = await browser.get(first.headers.get("location") ?? "");
    const url = new URL(there.headers.get("location") ?? "");
    expect(url.searchParams.get("login_hint")).toBe("ada@acme.example");
  });

  it("goes by the connection that an application asks for, by key or id, unless that is off", async () => {
    const off = await connectOidc(server, upstream, { enabled: false });
    for (const [name, goes] of [
      [connection.key, true],
      [connection.id, true],
      [off.key, false],
      ["no-such", false],
    ] as const) {
      const response = await asked(newBrowser(), { connection: name });
      expect([name, response.status]).toEqual([name, goes ? 302 : 200]);
    }
  });

  it("lets people choose another way all the same", async () => {
    const browser = newBrowser();
    const begun = await browser.get(
      `/oauth/authorize?${authorizationParameters(app, { connection: connection.key })}`,
    );
    const response = await browser.get(`${begun.headers.get("location")}&choose=1`);
    expect(response.status).toBe(200);
  });

  it("leads nowhere while the connection is off", async () => {
    await updateConnection(server.deps, server.tenant.id, connection.id, { enabled: false }, by);
    expect((await typed("ada@acme.example")).status).toBe(400);
    await updateConnection(server.deps, server.tenant.id, connection.id, { enabled: true }, by);
  });
});
