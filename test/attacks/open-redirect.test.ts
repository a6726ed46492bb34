/** Open redirects and confused paths (CWE-601, RFC 9700 §4.11), and authorization requests that were meddled with. */
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { clients } from "../../src/db/schema/index.ts";
import { postForm, startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  authorizationParameters,
  Browser,
  createApp,
  createOtherTenant,
  type OtherTenant,
  rawGet,
  rawRequest,
  register,
} from "./support.ts";

let server: TestServer;
let app: App;
let other: OtherTenant;

beforeAll(async () => {
  server = await startTestServer();
  app = await createApp(server);
  other = await createOtherTenant(server, "x");
});
afterAll(() => server.stop());

/** Where a browser that is at this server would go. */
const targetOf = (location: string) => new URL(location.trim(), `${server.url}/`).origin;

describe("a path that a redirect might take for a host", () => {
  const targets = [
    "//evil.example/",
    "//evil.example//",
    "///evil.example/",
    "/\\evil.example/",
    "/\\/evil.example/",
    "\\\\evil.example/",
    "/%2Fevil.example/",
    "/%5Cevil.example/",
    "/%09/evil.example/",
    "/.//evil.example/",
    "/t/x//evil.example",
    "/t/x//evil.example/",
    "/t/x//evil.example/signin/",
    "/t/x/\\evil.example/",
    "/t//evil.example/",
    "/t/x//",
    "/t/x//:99999",
    "/t/x//[",
    "/t/x//a%b",
    "/t/%2F%2Fevil.example/",
    "/t/x/%0d%0aLocation:%20https://evil.example/",
    "/%0d%0aSet-Cookie:%20evil=1/",
    "/signin/?next=https://evil.example//",
    "/signin//?redirect_uri=//evil.example",
    "http://evil.example/signin/",
    "http://evil.example//",
  ];
  /** CVE-2021-23435 and many like it. Guard: http/gateway.ts, withoutTrailingSlash. */
  it.each(targets)("leads nowhere else, and is no error of ours: %s", async (target) => {
    for (const accept of ["text/html", "application/json"]) {
      const answer = await rawGet(server, target, [`Accept: ${accept}`]);
      const [head = ""] = answer.split("\r\n\r\n");
      expect(head).toMatch(/^HTTP\/1\.1 [234]\d\d /);
      expect(head).not.toMatch(/\r\n(?:set-cookie: evil|location: https:\/\/evil)/i);
      const location = /\r\nlocation: ([^\r]*)/i.exec(head)?.[1];
      // An absolute-form target names a host itself (RFC 9112 §3.2.2): the answer stays a path all the same.
      if (location !== undefined) expect(targetOf(location)).toBe(server.url);
    }
  });

  /**
   * What one part of the house takes for a path, another must not take for a host: whoever filters by path
   * in front of us, or reads our log, would see another route than the one that answers (CWE-436).
   * Guard: http/gateway.ts, the tenant's path is cut out of the text and not resolved as a reference.
   */
  it("is not routed as if the host were its path: /t/x//evil.example/healthz", async () => {
    expect(await rawGet(server, "/t/x/healthz")).toStartWith("HTTP/1.1 200 ");
    for (const target of [
      "/t/x//evil.example/healthz",
      "/t/x//user:pass@evil.example/healthz",
      "/t/x//e/signin",
    ]) {
      expect(await rawGet(server, target)).toStartWith("HTTP/1.1 404 ");
    }
  });

  /** One spelling each: 301 keeps GET, 308 keeps the rest. Guard: the same. */
  it("with a trailing slash only loses the slash", async () => {
    const get = await fetch(`${server.url}/signin///?a=//evil.example/`, { redirect: "manual" });
    expect([get.status, get.headers.get("location")]).toEqual([301, "/signin?a=//evil.example/"]);
    const post = await postForm(`${server.url}/oauth/token/`, "a=b");
    expect([post.status, post.headers.get("location")]).toEqual([308, "/oauth/token"]);
  });

  /** CWE-113. Guard: Bun refuses the request; nothing of it reaches an answer's head. */
  it("with bare line breaks and control characters splits nothing", async () => {
    for (const head of [
      `GET /signin/\rSet-Cookie: evil=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      `GET /signin/\0/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      `GET /signin/\xff/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    ]) {
      const [answer = ""] = (await rawRequest(server, Buffer.from(head, "latin1"))).split("\r\n\r\n");
      expect(answer).not.toMatch(/^HTTP\/1\.1 500/);
      expect(answer).not.toMatch(/\r\nset-cookie: evil/i);
    }
  });
});

describe("a parameter that asks for a way on", () => {
  /** CWE-601. Guard: pages go on to paths of ours alone (web/http.ts, linkTo). */
  it.each(["next", "redirect", "redirect_uri", "return_to", "continue", "url", "redirect_url"])(
    "leads nowhere after the sign-in: %s",
    async (name) => {
      const person = await register(server.url);
      const browser = new Browser(server.url);
      const query = new URLSearchParams({ [name]: "https://evil.example/" });
      const response = await browser.signIn(person.username, `/signin?${query}`);
      expect([response.status, response.headers.get("location")]).toEqual([303, "/account"]);
    },
  );
});

describe("an authorization request that the browser carries", () => {
  const sealed = async (browser: Browser) => {
    const response = await browser.get(`/oauth/authorize?${authorizationParameters(app)}`);
    const location = response.headers.get("location") ?? "";
    const interaction = new URL(location, server.url).searchParams.get("interaction");
    if (!interaction) throw new Error("no interaction");
    return interaction;
  };
  const query = (interaction: string) => new URLSearchParams({ interaction });

  /** Guard: domain/authorization/interaction.ts, openInteraction (AES-256-GCM). */
  it("is refused when a bit of it was changed, at every place", async () => {
    const browser = new Browser(server.url);
    const good = Buffer.from(await sealed(browser), "base64url");
    expect((await browser.get(`/oauth/authorize?${query(good.toString("base64url"))}`)).status).toBe(302);
    for (const at of [0, 12, 20, good.length - 17, good.length - 1]) {
      const changed = Buffer.from(good);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      const response = await browser.get(`/oauth/authorize?${query(changed.toString("base64url"))}`);
      expect([response.status, response.headers.get("location")]).toEqual([400, null]);
      expect((await browser.get(`/oauth/consent?${query(changed.toString("base64url"))}`)).status).toBe(400);
    }
    for (const junk of ["x", "\0", "%", "a".repeat(9000), "AAAA", "null"]) {
      expect((await browser.get(`/oauth/authorize?${query(junk)}`)).status).toBe(400);
    }
  });

  /** Guard: the seal's context is the tenant (interaction.ts, contextOf). */
  it("is refused in another tenant", async () => {
    const browser = new Browser(server.url);
    const interaction = await sealed(browser);
    // A client of the same client_id there: the request itself would be sound.
    const [row] = await server.deps.db.select().from(clients).where(eq(clients.id, app.client.id));
    if (!row) throw new Error("the client is gone");
    await server.deps.db.insert(clients).values({ ...row, tenantId: other.tenant.id });
    const response = await new Browser(other.base).get(`/oauth/authorize?${query(interaction)}`);
    expect([response.status, response.headers.get("location")]).toEqual([400, null]);
    const page = await (await new Browser(other.base).get(`/signin?${query(interaction)}`)).text();
    expect(page).not.toContain(interaction);
  });

  /** Guard: openInteraction (LIFETIME_SECONDS). */
  it("is refused three hours later", async () => {
    const browser = new Browser(server.url);
    const interaction = await sealed(browser);
    server.clock.advance(3 * 3600);
    expect((await browser.get(`/oauth/authorize?${query(interaction)}`)).status).toBe(400);
    expect((await browser.get(`/oauth/consent?${query(interaction)}`)).status).toBe(400);
  });

  /** OpenID Connect Core §3.1.2.1: prompt=login cannot be stripped. Guard: the whole request is sealed. */
  it("keeps what it asked for, whatever is added beside it", async () => {
    const person = await register(server.url);
    const browser = new Browser(server.url);
    await browser.signIn(person.username);
    server.clock.advance(1);
    const first = await browser.get(`/oauth/authorize?${authorizationParameters(app, { prompt: "login" })}`);
    const location = first.headers.get("location") ?? "";
    expect(location).toStartWith("/signin?interaction=");
    server.clock.advance(1);
    const again = location.replace("/signin?", "/oauth/authorize?prompt=none&");
    expect((await browser.get(again)).headers.get("location")).toStartWith("/signin?interaction=");
  });
});
