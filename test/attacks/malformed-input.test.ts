/** Input that is broken on purpose: each is refused with a documented error, none is our failure (CWE-20, CWE-915). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import { users } from "../../src/db/schema/index.ts";
import { isId } from "../../src/lib/ids.ts";
import { postForm, postJson, startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  authorizationParameters,
  basicAuthorization,
  type Browser,
  createApp,
  exchangeCode,
  newVerifier,
  obtainCode,
  PASSWORD,
  rawGet,
  readForm,
  register,
  signedIn,
} from "./support.ts";
import { s256Challenge } from "../../src/protocol/oauth/pkce.ts";

let server: TestServer;
let app: App;
let browser: Browser;

beforeAll(async () => {
  server = await startTestServer();
  app = await createApp(server);
  ({ browser } = await signedIn(server.url));
});
afterAll(() => server.stop());

/** Text that PostgreSQL, UTF-8, a pattern or a page may choke on. */
const nasty: [name: string, text: string][] = [
  ["NUL", "a\0b"],
  ["NUL alone", "\0"],
  ["lone surrogate", "\ud800x"],
  ["reversed surrogates", "\udc00\ud800"],
  ["not a character", "\uffff\ufffe"],
  ["direction marks", "\u202eevil\u202c"],
  ["very long", "x".repeat(300_000)],
  ["many combining marks", `e${"\u0301".repeat(50_000)}`],
  ["SQL", "x'; drop table users; --"],
  ["markup", "<script>alert(1)</script>"],
  ["LDAP and format", "*)(uid=*))(|(uid=* %n%s{{7*7}}"],
];
const suffix = () => crypto.randomUUID().slice(0, 8);

const bodies: Record<string, () => Record<string, string>> = {
  "/register": () => ({
    username: `user-${suffix()}`,
    email: `user-${suffix()}@example.com`,
    password: PASSWORD,
    given_name: "Ada",
    family_name: "Lovelace",
  }),
  "/login": () => ({ identifier: "somebody", password: PASSWORD }),
  "/logout": () => ({ refresh_token: "x" }),
  "/token/refresh": () => ({ refresh_token: "x" }),
  "/forgot-password": () => ({ email: "a@example.com" }),
  "/reset-password": () => ({ token: "x", new_password: PASSWORD }),
  "/verify-email/send": () => ({ email: "a@example.com" }),
};

/** A refusal or a success that was deserved, told in the documented shape and without an echo of what was sent. */
async function expectHandled(response: Response, sent: string): Promise<void> {
  const text = await response.text();
  expect([sent.slice(0, 40), response.status < 500, response.status]).toEqual([
    sent.slice(0, 40),
    true,
    response.status,
  ]);
  expect(text).not.toMatch(/\bat .*\.ts:\d+|node_modules|PostgresError|DrizzleQueryError|select "/);
  if (response.headers.get("content-type")?.includes("html")) expect(text).not.toContain("<script>alert");
  if (response.status >= 400 && response.headers.get("content-type")?.startsWith("application/json")) {
    expect(JSON.parse(text)).toMatchObject({ error: expect.any(String), request_id: expect.any(String) });
    if (sent.length > 8) expect(text).not.toContain(sent);
  }
}

describe("a broken string", () => {
  /** CWE-158: PostgreSQL takes no U+0000. Guard: the routes' schemas, before any query. */
  it.each(nasty)("in any field of the JSON API is handled: %s", async (_, text) => {
    for (const [path, body] of Object.entries(bodies)) {
      for (const field of Object.keys(body())) {
        await expectHandled(await postJson(server.url + path, { ...body(), [field]: text }), text);
      }
      const email = { ...body(), ...("email" in body() ? { email: `${text}@example.com` } : {}) };
      await expectHandled(await postJson(server.url + path, email), text);
    }
  });

  /** The same for forms of pages, where fields are read one by one. Guard: web/*.routes.ts. */
  it.each(nasty)("in any field of a page's form is handled: %s", async (_, text) => {
    const forms: Record<string, Record<string, string>> = {
      "/signin": { identifier: "x", password: PASSWORD, interaction: "", remember_me: "" },
      "/signup": { ...bodies["/register"]?.(), interaction: "" },
      "/signup/resend": { email: "x@example.com", interaction: "" },
      "/recover": { email: "x@example.com", interaction: "" },
      "/recover/reset": { token: "x", password: PASSWORD },
      "/verify-email/confirm": { token: "x" },
      "/oauth/consent": { interaction: "x", decision: "allow" },
    };
    const { fields: hidden } = readForm(await (await browser.get("/recover")).text());
    const csrf = hidden["csrf"] ?? "";
    const short = text.slice(0, 5000);
    for (const [path, fields] of Object.entries(forms)) {
      for (const field of [...Object.keys(fields), "csrf"]) {
        const unique = field === "username" ? {} : { username: `user-${suffix()}` };
        await expectHandled(await browser.post(path, { csrf, ...fields, ...unique, [field]: short }), short);
      }
    }
  });

  /** The same for OAuth: parameters of the query, of forms and of the Authorization header. */
  it.each(nasty)("in any OAuth parameter is handled: %s", async (_, text) => {
    const short = text.slice(0, 3000);
    const parameters = [
      "client_id",
      "redirect_uri",
      "response_type",
      "response_mode",
      "scope",
      "state",
      "nonce",
    ];
    parameters.push(
      "code_challenge",
      "code_challenge_method",
      "prompt",
      "max_age",
      "acr_values",
      "login_hint",
    );
    parameters.push("id_token_hint", "ui_locales", "claims", "interaction", "resource", "request", short);
    for (const name of parameters) {
      const search = authorizationParameters(app, { [name]: short });
      await expectHandled(await browser.get(`/oauth/authorize?${search}`), short);
      await expectHandled(await postForm(`${server.url}/oauth/authorize`, search), short);
    }
    const token = [
      "grant_type",
      "code",
      "redirect_uri",
      "code_verifier",
      "refresh_token",
      "scope",
      "client_id",
    ];
    for (const grant_type of ["authorization_code", "refresh_token", "client_credentials"]) {
      for (const name of [...token, "client_secret", short]) {
        const fields = { grant_type, code: "x", refresh_token: "x", client_id: "x", [name]: text };
        await expectHandled(await postForm(`${server.url}/oauth/token`, fields), text);
        const basic = `${encodeURIComponent(short.toWellFormed())}:${encodeURIComponent(short.toWellFormed())}`;
        const authorization = `Basic ${Buffer.from(basic).toString("base64")}`;
        await expectHandled(
          await postForm(`${server.url}/oauth/token`, { grant_type }, { authorization }),
          text,
        );
      }
    }
    await expectHandled(await postForm(`${server.url}/oauth/userinfo`, { access_token: text }), text);
    const { code, verifier } = await obtainCode(browser, app);
    for (const changes of [{ redirect_uri: text }, { scope: text }, { code_verifier: text }]) {
      await expectHandled(await exchangeCode(app, { code, verifier }, changes), text);
    }
  });

  /** A nonce goes into the database and from there into the ID token. */
  it("in a nonce does no harm", async () => {
    for (const nonce of ["\0", "x".repeat(5000), "\ud800"]) {
      const code_challenge = s256Challenge(newVerifier());
      const search = authorizationParameters(app, { nonce, code_challenge });
      await expectHandled(await browser.get(`/oauth/authorize?${search}`), nonce);
    }
  });

  /** CWE-158 in queries and paths, as they come. Guard: isId, parseSecretToken, isValidSlug and the routes' schemas. */
  it("in a query or a path is handled", async () => {
    const targets = [
      "/verify-email?token=",
      "/reset-password?token=",
      "/signin?notice=",
      "/signin?interaction=",
    ];
    targets.push(
      "/signin?ui_locales=",
      "/dev/mailbox?message=",
      "/dev/mailbox?limit=",
      "/oauth/consent?interaction=",
    );
    targets.push(
      "/assets/",
      "/docs/files/",
      "/t/",
      "/t/x/",
      "/.well-known/oauth-authorization-server/t/",
      "/?",
    );
    for (const target of targets) {
      for (const raw of [
        "%00",
        "%",
        "%zz",
        "%E0%A4%A",
        "%ff%fe",
        "%ed%a0%80",
        "..%2f..%2fetc%2fpasswd",
        "x".repeat(9000),
      ]) {
        for (const accept of ["application/json", "text/html"]) {
          const [head = ""] = (await rawGet(server, target + raw, [`Accept: ${accept}`])).split("\r\n");
          expect([target + raw.slice(0, 30), head]).toEqual([
            target + raw.slice(0, 30),
            expect.not.stringMatching(/^HTTP\/1\.1 5/),
          ]);
        }
      }
    }
  });

  /** Headers reach the audit trail, the session and the tenant's look-up. */
  it("in a header is handled", async () => {
    for (const value of ["\xff\xfe", "x".repeat(8000), "%00", "'; drop table users; --", "\t"]) {
      for (const name of [
        "User-Agent",
        "X-Request-Id",
        "X-Forwarded-For",
        "X-Ovlt-Tenant-Slug",
        "X-Ovlt-Tenant-Id",
      ]) {
        const [head = ""] = (await rawGet(server, "/signin", [`${name}: ${value}`])).split("\r\n");
        expect([name, head]).toEqual([name, expect.not.stringMatching(/^HTTP\/1\.1 5/)]);
      }
      const [host = ""] = (await rawGet(server, "/signin", [`Host: ${value}`])).split("\r\n");
      expect(host).not.toMatch(/^HTTP\/1\.1 500/);
    }
  });
});

describe("a broken body", () => {
  /** CWE-400, CWE-502. Guard: server.ts (maxRequestBodySize) and http/errors.ts. */
  it.each(Object.keys(bodies))("is refused as such: POST %s", async (path) => {
    const json = JSON.stringify(bodies[path]?.());
    type Attempt = [body: string | Uint8Array<ArrayBuffer>, contentType: string, statuses: number[]];
    const attempts: Attempt[] = [
      ["", "application/json", [400, 422]],
      ["{", "application/json", [400]],
      ["null", "application/json", [400, 422]],
      ["[]", "application/json", [422]],
      ['"x"', "application/json", [422]],
      ["1e999", "application/json", [422]],
      [`{"a":`.repeat(90_000), "application/json", [400]],
      [new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), "application/json", [400, 422]],
      [json, "text/plain", [400, 415, 422]],
      [json, "application/xml", [400, 415, 422]],
      [json, "", [400, 415, 422]],
      [json, "multipart/form-data", [400, 415, 422]],
      [json, "multipart/form-data; boundary=x", [400, 415, 422]],
      [json, "application/x-www-form-urlencoded", [400, 415, 422]],
      ["x".repeat(1_100_000), "application/json", [413]],
    ];
    for (const [body, contentType, statuses] of attempts) {
      const headers = contentType ? { "content-type": contentType } : undefined;
      const response = await fetch(server.url + path, { method: "POST", body: new Blob([body]), headers });
      expect([path, contentType, String(body.slice(0, 20)), statuses]).toEqual([
        path,
        contentType,
        String(body.slice(0, 20)),
        expect.arrayContaining([response.status]),
      ]);
      await response.text();
    }
  });

  /**
   * CWE-674, CWE-407: Elysia describes a value that failed validation by printing it, indented: quadratic in its depth,
   * so that one request of a megabyte would hold the whole process up for 20 s, and end in a stack overflow.
   * Guard: the depth of JSON is bounded before it is validated.
   */
  it("of JSON in JSON in JSON is refused at once, and holds nobody up", async () => {
    const started = performance.now();
    for (const depth of [100, 5_000, 50_000]) {
      for (const [open, close] of [
        ["[", "]"],
        ['{"a":', "}"],
      ] as const) {
        const body = open.repeat(depth) + "1" + close.repeat(depth);
        expect([400, 422]).toContain((await postJson(`${server.url}/login`, body)).status);
      }
    }
    expect(performance.now() - started).toBeLessThan(2000);
  });

  /** The same for routes that read forms. */
  it.each(["/oauth/token", "/oauth/userinfo", "/oauth/authorize", "/signin", "/recover"])(
    "is no failure of ours: POST %s",
    async (path) => {
      for (const contentType of ["application/json", "multipart/form-data; boundary=x", "text/plain", ""]) {
        for (const body of ["", "\0", "a=%ff&b=%zz", "&&&=&=", "x".repeat(100_000)]) {
          const headers: Record<string, string> = { ...basicAuthorization(app) };
          if (contentType) headers["content-type"] = contentType;
          const response = await fetch(server.url + path, {
            method: "POST",
            body,
            headers,
            redirect: "manual",
          });
          await expectHandled(response, body);
        }
      }
      const huge = await fetch(server.url + path, { method: "POST", body: "x".repeat(1_100_000) });
      expect(huge.status).toBe(413);
    },
  );

  /** Guard: the models; a number or an object is no string. */
  it.each(Object.keys(bodies))("with values of another type is refused: POST %s", async (path) => {
    for (const field of Object.keys(bodies[path]?.() ?? {})) {
      for (const value of [null, 7, true, {}, [], ["x"], { $ne: "" }, { toString: "x" }]) {
        const response = await postJson(server.url + path, { ...bodies[path]?.(), [field]: value });
        const optional = value === null && /_name$/.test(field) ? [422, 201] : [422];
        expect([field, value, optional]).toEqual([field, value, expect.arrayContaining([response.status])]);
      }
    }
  });
});

describe("mass assignment", () => {
  /** CWE-915. Guard: api/native/account.ts passes on the documented fields alone; registration.ts, draft. */
  it("at the registration changes nothing that was not asked for", async () => {
    const extra = {
      id: "user_00000000000000000000000001",
      tenant_id: "tenant_00000000000000000000000001",
      tenantId: "tenant_00000000000000000000000001",
      org_id: "tenant_00000000000000000000000001",
      roles: ["admin", "super_admin"],
      role: "admin",
      email_verified: true,
      emailVerified: true,
      enabled: false,
      locale: "de",
      picture: "https://evil.example/x.png",
      zoneinfo: "Evil/Place",
      created_at: "2000-01-01T00:00:00Z",
      createdAt: "2000-01-01T00:00:00Z",
    };
    const username = `mass-${suffix()}`;
    const body = { username, email: `${username}@example.com`, password: PASSWORD, ...extra };
    const response = await postJson(`${server.url}/register`, body);
    expect([201, 422]).toContain(response.status);
    const person =
      response.status === 201 ? ((await response.json()) as { id: string }) : await register(server.url);
    if (!isId("user", person.id)) throw new Error("not a user's id");
    const [stored] = await server.deps.db
      .select()
      .from(users)
      .where(and(eq(users.tenantId, server.tenant.id), eq(users.id, person.id)));
    expect(stored).toMatchObject({ enabled: true, locale: null, picture: null, zoneinfo: null });
    expect(person).toMatchObject({ roles: [], email_verified: false, org_id: server.tenant.id });
    expect(person.id).not.toBe(extra.id);
  });

  /** CWE-915: a field that no model names reaches no column. Guard: the same. */
  it("with a value that no column takes is no failure of ours", async () => {
    for (const locale of [{ a: 1 }, ["de"], 7, "\0", "x".repeat(500_000)]) {
      const response = await postJson(`${server.url}/register`, { ...bodies["/register"]?.(), locale });
      expect([201, 422]).toContain(response.status);
    }
  });

  /** CVE-2019-10744, CWE-1321. Guard: JSON.parse makes own properties, and nothing merges them. */
  it("of __proto__ and constructor pollutes nothing", async () => {
    for (const poison of [
      `"__proto__":{"polluted":true,"roles":["admin"]}`,
      `"constructor":{"prototype":{"polluted":true}}`,
      `"__proto__":null`,
    ]) {
      const username = `proto-${suffix()}`;
      const body = `{"username":"${username}","email":"${username}@example.com","password":"${PASSWORD}",${poison}}`;
      const response = await postJson(`${server.url}/register`, body);
      expect([201, 422]).toContain(response.status);
      expect(await response.text()).not.toContain("admin");
      expect({}).not.toHaveProperty("polluted");
    }
    const response = await postForm(
      `${server.url}/oauth/token`,
      "__proto__=1&constructor=2&grant_type=__proto__",
    );
    expect(response.status).toBe(401);
  });
});
