/** Attacks on the authorization request: redirect_uri (RFC 9700 §4.1), parameter pollution, old response types. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { s256Challenge } from "../../src/protocol/oauth/pkce.ts";
import { postForm, startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  authorizationParameters,
  basicAuthorization,
  type Browser,
  createApp,
  createOtherTenant,
  errorOf,
  exchangeCode,
  newVerifier,
  obtainCode,
  signedIn,
} from "./support.ts";

let server: TestServer;
let app: App;
let browser: Browser;

beforeAll(async () => {
  server = await startTestServer();
  app = await createApp(server, { redirectUris: ["https://app.example/callback?keep=1&x=%2F"] });
  ({ browser } = await signedIn(server.url));
});
afterAll(() => server.stop());

const ask = (search: URLSearchParams | string) => browser.get(`/oauth/authorize?${search}`);

/** Shown to the person and redirected nowhere, since the target is in doubt (RFC 6749 §4.1.2.1). */
async function expectShown(response: Response): Promise<void> {
  expect([response.status, response.headers.get("location")]).toEqual([400, null]);
  expect(response.headers.get("content-type")).toContain("text/html");
  expect(await response.text()).not.toContain("evil");
}

describe("a redirect_uri that only looks registered", () => {
  const registered = "https://app.example/callback?keep=1&x=%2F";
  /** RFC 9700 §2.1, §4.1.3; CVE-2023-6927, CVE-2024-2419. Guard: redirect-uri.ts, isRegisteredRedirectUri. */
  it.each([
    ["another host", "https://evil.example/callback?keep=1&x=%2F"],
    ["the host as user info", "https://app.example@evil.example/callback?keep=1&x=%2F"],
    ["a longer host", "https://app.example.evil.example/callback?keep=1&x=%2F"],
    ["path traversal", "https://app.example/callback/../evil?keep=1&x=%2F"],
    ["encoded traversal", "https://app.example/callback/%2e%2e/evil?keep=1&x=%2F"],
    ["a backslash", "https://app.example\\@evil.example/callback?keep=1&x=%2F"],
    ["another case of the host", "https://APP.example/callback?keep=1&x=%2F"],
    ["another case of the path", "https://app.example/Callback?keep=1&x=%2F"],
    ["an extra parameter", `${registered}&next=https://evil.example`],
    ["no query", "https://app.example/callback"],
    ["a decoded query", "https://app.example/callback?keep=1&x=/"],
    ["a trailing slash", "https://app.example/callback/?keep=1&x=%2F"],
    ["a fragment", `${registered}#evil`],
    ["an explicit port", "https://app.example:443/callback?keep=1&x=%2F"],
    ["another scheme", "http://app.example/callback?keep=1&x=%2F"],
    ["no scheme", "//app.example/callback?keep=1&x=%2F"],
    ["a script", "javascript:alert('evil')//https://app.example/callback"],
    ["a line break", `${registered}\r\nSet-Cookie: evil=1`],
    ["a NUL", `${registered}\0`],
    ["white space", ` ${registered}`],
    ["full-width letters", "https://ａpp.example/callback?keep=1&x=%2F"],
    ["nothing", undefined],
  ])("is refused: %s", async (_, redirect_uri) => {
    await expectShown(await ask(authorizationParameters(app, { redirect_uri })));
  });

  /** RFC 8252 §7.3 is for native clients alone. Guard: isRegisteredRedirectUri (applicationType). */
  it("is refused: another loopback port of a web client", async () => {
    const uri = "http://127.0.0.1:4000/callback";
    const web = await createApp(server, { redirectUris: [uri] });
    const native = await createApp(server, { redirectUris: [uri], applicationType: "native" });
    const other = { redirect_uri: "http://127.0.0.1:4001/callback" };
    await expectShown(await ask(authorizationParameters(web, other)));
    expect((await ask(authorizationParameters(native, other))).headers.get("location")).toStartWith(
      "http://127.0.0.1:4001/callback?code=",
    );
    for (const evil of ["http://127.0.0.1:4001@evil.example/callback", "http://localhost:4001/callback"]) {
      await expectShown(await ask(authorizationParameters(native, { redirect_uri: evil })));
    }
  });

  /** Guard: findClient (by tenant). */
  it("is refused: the client of another tenant", async () => {
    const theirs = await createApp(server, {}, await createOtherTenant(server, "redirect-thief"));
    await expectShown(await ask(authorizationParameters(theirs)));
  });
});

describe("the answer to a sound request", () => {
  /** RFC 6749 §3.1.2: the registered query is kept, and RFC 9207 §2: `iss` tells servers apart. */
  it("goes to the registered address, with state and iss", async () => {
    const location = (await ask(authorizationParameters(app))).headers.get("location") ?? "";
    expect(location).toStartWith("https://app.example/callback?keep=1&x=%2F&code=");
    const parameters = new URL(location).searchParams;
    expect([parameters.get("state"), parameters.get("iss")]).toEqual(["state-1", server.url]);
  });

  /** CWE-113. Guard: authorization-response.ts builds the query with URLSearchParams. */
  it("carries a state with line breaks and quotes without splitting the response", async () => {
    const state = '\r\nSet-Cookie: evil=1\r\n\r\n<script>alert("1")</script>&code=forged';
    const response = await ask(authorizationParameters(app, { state }));
    expect(response.headers.get("set-cookie")).toBeNull();
    const parameters = new URL(response.headers.get("location") ?? "").searchParams;
    expect([parameters.get("state"), parameters.getAll("code").length]).toEqual([state, 1]);
    const posted = await ask(authorizationParameters(app, { state, response_mode: "form_post" }));
    expect(await posted.text()).not.toContain("<script>alert");
  });
});

describe("parameter pollution", () => {
  /** RFC 6749 §3.1, OAuth 2.1 §4.1.1. Guard: protocol/oauth/parameters.ts, readParameters. */
  it("of client_id or redirect_uri redirects nowhere", async () => {
    for (const extra of ["&client_id=x", "&redirect_uri=https%3A%2F%2Fevil.example"]) {
      await expectShown(await ask(`${authorizationParameters(app)}${extra}`));
      await expectShown(await ask(extra.slice(1) + "&" + authorizationParameters(app)));
    }
  });

  /** RFC 6749 §3.1. Guard: refuseRepeated. */
  it("of any other parameter is an error for the client", async () => {
    for (const extra of [
      "scope=openid",
      "code_challenge=x",
      "prompt=none",
      "response_type=token",
      "state=2",
    ]) {
      const response = await ask(`${authorizationParameters(app, { prompt: "none" })}&${extra}`);
      const location = new URL(response.headers.get("location") ?? "");
      expect([location.host, location.searchParams.get("error")]).toEqual(["app.example", "invalid_request"]);
    }
  });

  /** RFC 6749 §3.1 in the body. Guard: the same, since the form goes on as it came. */
  it("in a posted request is refused the same way", async () => {
    const sealed = await browser.post("/oauth/authorize", {});
    expect(sealed.headers.get("location")).toStartWith("/oauth/authorize?interaction=");
    const body = `${authorizationParameters(app)}&redirect_uri=https%3A%2F%2Fevil.example`;
    const response = await postForm(`${server.url}/oauth/authorize`, body);
    await expectShown(await browser.get(response.headers.get("location") ?? ""));
  });

  /** RFC 6749 §3.2. Guard: singleValued. */
  it("of the token request is refused, whatever is repeated", async () => {
    for (const repeated of [
      "grant_type=client_credentials",
      "code=x",
      "client_id=x",
      "unknown=1&unknown=2",
    ]) {
      const { code, verifier } = await obtainCode(browser, app);
      const body = new URLSearchParams({
        grant_type: "authorization_code",
        code,
        code_verifier: verifier,
        client_id: app.client.clientId,
      });
      const polluted = postForm(`${server.url}/oauth/token`, `${body}&${repeated}`, basicAuthorization(app));
      expect(await errorOf(polluted)).toEqual([400, "invalid_request"]);
      expect((await exchangeCode(app, { code, verifier })).status).toBe(200);
    }
  });

  /** RFC 6749 §3.2: parameters of the token endpoint are in the body alone. Guard: api/oauth/form.ts. */
  it("by the query of the token endpoint has no effect", async () => {
    const { code, verifier } = await obtainCode(browser, app);
    const query = new URLSearchParams({ grant_type: "authorization_code", code, code_verifier: verifier });
    const url = `${server.url}/oauth/token?${query}`;
    expect(await errorOf(postForm(url, "", basicAuthorization(app)))).toEqual([400, "invalid_request"]);
  });

  /** RFC 6749 §2.3. Guard: client-authentication.ts, readClientCredentials. */
  it("by two ways of client authentication, or two client ids, is refused", async () => {
    for (const [name, value] of [
      ["client_secret", app.secret ?? ""] as const,
      ["client_id", "another"] as const,
    ]) {
      const fields = { grant_type: "client_credentials", [name]: value };
      const answer = postForm(`${server.url}/oauth/token`, fields, basicAuthorization(app));
      expect(await errorOf(answer)).toEqual([400, "invalid_request"]);
    }
  });
});

describe("an old response type", () => {
  /** OAuth 2.1 §10.1, RFC 9700 §2.1.2. Guard: authorization-request.ts, requireResponseType. */
  it.each(["token", "id_token", "code token", "code id_token", "none", "CODE"])(
    "is refused, and no token travels by the browser: %s",
    async (response_type) => {
      for (const response_mode of ["query", "fragment"]) {
        const response = await ask(authorizationParameters(app, { response_type, response_mode }));
        const location = response.headers.get("location") ?? "";
        expect(location).toContain("error=unsupported_response_type");
        expect(location).not.toMatch(/(?:access_token|id_token|code)=/);
      }
    },
  );

  /** OpenID Connect Core §6. Guard: refuseReferences, readRequestObject: what is not understood must not be ignored. */
  it("an unsigned request object or a request_uri to fetch is refused", async () => {
    for (const [name, error] of [
      ["request", "invalid_request_object"],
      ["request_uri", "request_uri_not_supported"],
    ] as const) {
      const response = await ask(authorizationParameters(app, { [name]: "https://evil.example/" }));
      expect(response.headers.get("location")).toContain(`error=${error}`);
    }
  });

  /** RFC 6749 §2.3.1, OAuth 2.1 §2.4: the password and the implicit grants are gone. Guard: requestedGrantType. */
  it("a password grant is refused", async () => {
    const fields = { grant_type: "password", username: "admin", password: "x" };
    const answer = postForm(`${server.url}/oauth/token`, fields, basicAuthorization(app));
    expect(await errorOf(answer)).toEqual([400, "unsupported_grant_type"]);
  });

  /** RFC 7636 §4.2: the challenge of one request does not serve another's code. */
  it("a code is bound to the challenge of its own request", async () => {
    const first = await obtainCode(browser, app);
    const second = await obtainCode(browser, app, { code_challenge: s256Challenge(newVerifier()) });
    expect(await errorOf(exchangeCode(app, { code: second.code, verifier: first.verifier }))).toEqual([
      400,
      "invalid_grant",
    ]);
  });
});
