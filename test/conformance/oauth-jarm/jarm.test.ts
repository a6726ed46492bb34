/**
 * Signed authorization responses (JARM), checked by `openid-client`. Modules of the OpenID Foundation's suite, in our
 * reading: fapi2-message-signing-final-happy-flow with response_mode=jwt, -user-rejects-authentication,
 * -ensure-response-mode-query, oidcc-response-mode-form-post.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import * as client from "openid-client";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser, type HttpBrowser, type Visit } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import {
  addUser,
  answerOf,
  type Application,
  REDIRECT_URI,
  registerApplication,
  signedInBrowser,
} from "../support.ts";

let server: TestServer;
let ada: User;
let app: Application;
let browser: HttpBrowser;

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
  app = await registerApplication(server, { row: { authorizationSignedResponseAlg: "ES256" } });
  browser = await signedInBrowser(server, ada);
});
afterAll(() => server.stop());
beforeEach(() => server.clock.advance(1));

/** What the response says, once its signature holds. */
async function responseOf(jwt: string | undefined, of: Application = app) {
  const keys = createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));
  const { payload } = await jwtVerify(jwt ?? "", keys, {
    issuer: server.url,
    audience: of.registered.client.clientId,
    currentDate: server.clock.now(),
  });
  return payload;
}

const fieldsOf = (visit: Visit) => visit.forms[0]?.fields ?? {};

describe("JARM §2: the response in a JWT", () => {
  it("is what openid-client accepts, and leads to tokens", async () => {
    const config = new client.Configuration(app.config.serverMetadata(), app.registered.client.clientId, {
      authorization_signed_response_alg: "ES256",
      client_secret: app.registered.clientSecret ?? "",
    });
    client.allowInsecureRequests(config);
    client.useJwtResponseMode(config);
    const pending = await app.begin();
    const url = client.buildAuthorizationUrl(config, pending.url.searchParams);
    expect(url.searchParams.get("response_mode")).toBe("jwt");
    const visit = await browser.open(url);
    expect([...visit.url.searchParams.keys()]).toEqual(["response"]);
    const tokens = await client.authorizationCodeGrant(config, visit.url, pending.checks);
    expect(tokens.claims()?.sub).toBe(ada.id);
  });

  it("holds iss, aud, exp, code and state (§2.1), for ten minutes at most", async () => {
    const { url, state } = await app.begin({ response_mode: "query.jwt" });
    const claims = await responseOf(answerOf(await browser.open(url))["response"]);
    const { exp = 0, ...rest } = claims;
    expect(rest).toEqual({
      iss: server.url,
      aud: app.registered.client.clientId,
      code: expect.any(String),
      state,
    });
    const lifetime = exp - server.clock.now().getTime() / 1000;
    expect(lifetime > 0 && lifetime <= 600).toBe(true);
  });

  it("goes into the fragment with fragment.jwt, and into a form with form_post.jwt (§2.3)", async () => {
    const fragment = await browser.open((await app.begin({ response_mode: "fragment.jwt" })).url);
    expect(fragment.url.search).toBe("");
    const inFragment = new URLSearchParams(fragment.url.hash.slice(1)).get("response") ?? "";
    expect(await responseOf(inFragment)).toHaveProperty("code");
    const form = await browser.open((await app.begin({ response_mode: "form_post.jwt" })).url);
    expect(form.forms[0]?.action).toBe(REDIRECT_URI);
    expect(Object.keys(fieldsOf(form))).toEqual(["response"]);
    expect(await responseOf(fieldsOf(form)["response"])).toHaveProperty("code");
  });

  it("is how errors are told too: of the person, of the request, and in each mode", async () => {
    const silent = await app.begin({ response_mode: "jwt", prompt: "none" });
    const answer = answerOf(await createHttpBrowser(server.url).open(silent.url));
    expect(Object.keys(answer)).toEqual(["response"]);
    expect(await responseOf(answer["response"])).toMatchObject({
      error: "login_required",
      state: silent.state,
    });

    const wrong = await app.begin({ response_mode: "form_post.jwt", scope: "openid everything" });
    expect(await responseOf(fieldsOf(await browser.open(wrong.url))["response"])).toMatchObject({
      error: "invalid_scope",
      error_description: expect.any(String),
      state: wrong.state,
    });
  });

  it("is signed with authorization_signed_response_alg, or like ID tokens (§3)", async () => {
    const byDefault = await registerApplication(server);
    const algorithms = await Promise.all(
      [app, byDefault].map(async (one) => {
        const visit = await browser.open((await one.begin({ response_mode: "jwt" })).url);
        return decodeProtectedHeader(answerOf(visit)["response"] ?? "").alg;
      }),
    );
    expect(algorithms).toEqual(["ES256", "RS256"]);
  });

  it("is announced by metadata (§4)", () => {
    expect(app.config.serverMetadata()).toMatchObject({
      response_modes_supported: [
        "query",
        "fragment",
        "form_post",
        "jwt",
        "query.jwt",
        "fragment.jwt",
        "form_post.jwt",
      ],
      authorization_signing_alg_values_supported: expect.arrayContaining(["ES256", "RS256"]),
    });
  });

  it("is sent unsigned in no other mode", async () => {
    const visit = await browser.open((await app.begin({ response_mode: "query" })).url);
    expect(answerOf(visit)).toMatchObject({ code: expect.any(String), iss: server.url });
  });
});
