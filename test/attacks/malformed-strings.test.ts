/** Strings that are broken on purpose: each is refused with a documented error, none is our failure (CWE-20). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { s256Challenge } from "../../src/protocol/oauth/pkce.ts";
import { postForm, postJson, startTestServer, type TestServer } from "../support/server.ts";
import { bodies, expectHandled, suffix } from "./api-bodies.ts";
import {
  type App,
  authorizationParameters,
  type Browser,
  createApp,
  exchangeCode,
  newVerifier,
  obtainCode,
  PASSWORD,
  rawGet,
  readForm,
  signedIn,
} from "./support.ts";

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
        const filled = { csrf, ...fields, username: `user-${suffix()}`, [field]: short };
        await expectHandled(await browser.post(path, filled), short);
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
    for (const name of ["redirect_uri", "scope", "code_verifier"]) {
      await expectHandled(await exchangeCode(app, { code, verifier }, { [name]: text }), text);
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
