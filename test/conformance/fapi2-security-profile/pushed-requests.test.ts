/**
 * FAPI 2.0 Security Profile Final, with private_key_jwt and DPoP: our reading of the OpenID Foundation's test modules,
 * named in each docstring as the suite names their classes. It is no run of the suite, and no certification is claimed.
 * Left out: the modules of single countries and banks, and those of mutual TLS. Those of signed request objects belong to
 * FAPI 2.0 Message Signing; `oauth-jar` and `oauth-jarm` follow them.
 *
 * Known to differ: §5.3.2.1 wants no rotation of refresh tokens; ours rotate for every client (RFC 9700 §4.14.2), and a
 * client that lost an answer may ask again for 10 seconds. TLS is the business of the proxy before the server.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import * as client from "openid-client";
import { createHttpBrowser } from "../../support/browser.ts";
import { postForm, type TestServer } from "../../support/server.ts";
import { assertionClaims, assertionFields, signTestJwt } from "../../support/signed.ts";
import { answerOf, fillSignIn, REDIRECT_URI } from "../support.ts";
import { CHALLENGE, type Fapi, type FapiClient, request, startFapi } from "./support.ts";

let server: TestServer;
let fapi: FapiClient;
let authorize: Fapi["authorize"];
let raw: Fapi["raw"];
let push: Fapi["push"];
let register: Fapi["register"];

beforeAll(async () => {
  ({ server, fapi, authorize, raw, push, register } = await startFapi());
});
afterAll(() => server.stop());

describe("§5.3.2.2: pushed requests", () => {
  /** FAPI2SPFinalEnsureUnsignedAuthorizationRequestWithoutUsingParFails */
  it("are the only ones", async () => {
    const query = new URLSearchParams({ client_id: fapi.id, ...request });
    const visit = await createHttpBrowser(server.url).open(`${server.url}/oauth/authorize?${query}`);
    expect(visit.status === 0 ? answerOf(visit)["code"] : undefined).toBeUndefined();
    expect(visit.url.pathname).not.toBe("/signin");
  });

  /** FAPI2SPFinalPAREnsurePKCERequired, FAPI2SPFinalPAREnsurePlainPKCERejected */
  it("need PKCE with S256", async () => {
    for (const fields of [
      { code_challenge: undefined, code_challenge_method: undefined },
      { code_challenge_method: "plain" },
      { code_challenge_method: undefined },
    ])
      expect(await push(fields)).toMatchObject({ status: 400, error: "invalid_request" });
  });

  /** FAPI2SPFinalPAREnsurePKCECodeVerifierRequired, FAPI2SPFinalPARIncorrectPKCECodeVerifierRejected */
  it("are answered by codes that need their verifier", async () => {
    const { visit } = await authorize(fapi, { state: "s" });
    const fields = {
      grant_type: "authorization_code",
      code: answerOf(visit)["code"] ?? "",
      redirect_uri: REDIRECT_URI,
    };
    expect((await raw("/oauth/token", fields)).status).toBe(400);
    const wrong = { ...fields, code_verifier: client.randomPKCECodeVerifier() };
    expect(await raw("/oauth/token", wrong)).toMatchObject({ status: 400, error: "invalid_grant" });
  });

  /**
   * FAPI2SPFinalEnsureRegisteredRedirectUri, FAPI2SPFinalEnsureRedirectUriInAuthorizationRequest,
   * FAPI2SPFinalEnsureRequestObjectWithoutRedirectUriFails
   */
  it("name a registered redirect_uri", async () => {
    for (const redirect_uri of [undefined, "https://evil.example.com/callback", `${REDIRECT_URI}/x`])
      expect((await push({ redirect_uri })).status).toBe(400);
  });

  /** FAPI2SPFinalEnsureResponseTypeTokenFails, FAPI2SPFinalEnsureResponseTypeCodeIdTokenFails */
  it("ask for a code and nothing else", async () => {
    for (const response_type of ["token", "code id_token", "id_token"])
      expect((await push({ response_type })).status).toBe(400);
  });

  /** FAPI2SPFinalPARRejectRequestUriInParAuthorizationFormParams */
  it("hold no request_uri", async () => {
    const answer = await push({ request_uri: "urn:ietf:params:oauth:request_uri:x" });
    expect(answer).toMatchObject({ status: 400, error: "invalid_request" });
  });

  /** FAPI2SPFinalPARRejectInvalidHttpVerb */
  it("are posted", async () => {
    for (const method of ["GET", "PUT"])
      expect((await fetch(`${server.url}/oauth/par`, { method })).status).toBe(405);
  });

  /** RFC 6749 §3.1, which no module is about. */
  it("hold each parameter once", async () => {
    const assertion = await signTestJwt(fapi.key, assertionClaims(server, fapi.id));
    const body = new URLSearchParams({ client_id: fapi.id, ...request, ...assertionFields(assertion) });
    body.append("scope", "openid");
    const answer = await postForm(`${server.url}/oauth/par`, body);
    expect([answer.status, (await answer.json()).error]).toEqual([400, "invalid_request"]);
  });

  /** FAPI2SPFinalPARAttemptReuseRequestUri */
  it("are used up once they were answered", async () => {
    const { url } = await authorize(fapi, { state: "s" });
    const again = await createHttpBrowser(server.url).open(url);
    expect(again.status).toBeGreaterThanOrEqual(400);
  });

  /** FAPI2SPFinalPAREnsureServerAcceptsReusedRequestUriBeforeAuthenticationCompletion */
  it("may be opened more than once before they are answered", async () => {
    const { request_uri } = await push();
    const url = `${server.url}/oauth/authorize?${new URLSearchParams({ client_id: fapi.id, request_uri })}`;
    expect((await createHttpBrowser(server.url).open(url)).url.pathname).toBe("/signin");
    const browser = createHttpBrowser(server.url);
    expect(answerOf(await fillSignIn(browser, await browser.open(url), "ada"))).toHaveProperty("code");
  });

  /** FAPI2SPFinalPAREnsureRequestUriIsBoundToClient */
  it("are worth nothing to another client", async () => {
    const other = await register();
    const { request_uri } = await push();
    const query = new URLSearchParams({ client_id: other.id, request_uri });
    const visit = await createHttpBrowser(server.url).open(`${server.url}/oauth/authorize?${query}`);
    expect(visit.status).toBeGreaterThanOrEqual(400);
  });

  /** FAPI2SPFinalEnsureAuthorizationRequestWithoutNonceSuccess */
  it("need no nonce, since PKCE does its work", async () => {
    expect((await push({})).status).toBe(201);
  });
});

describe("§5.3.2.1: client assertions", () => {
  /**
   * FAPI2SPFinalPAREndpointAsAudienceFails, FAPI2SPFinalPAREndpointAsArrayAudienceFails,
   * FAPI2SPFinalPARTokenEndpointAsAudienceFails
   */
  it("have our issuer as their only audience, as a string", async () => {
    const [par, token] = [`${server.url}/oauth/par`, `${server.url}/oauth/token`];
    for (const aud of [par, token, [par], [server.url], [server.url, token]])
      expect(await push({}, { assertion: { aud } })).toMatchObject({ status: 401, error: "invalid_client" });
  });

  /**
   * FAPI2SPFinalPAREnsureJWTClientAssertionWithIatNbf8SecondsInTheFutureIsAccepted,
   * FAPI2SPFinalPAREnsureJWTClientAssertionWithIatNbfOver60SecondsInTheFutureFails
   */
  it("may be of a clock that is a little ahead, and not of one that is wrong", async () => {
    const now = Math.floor(server.clock.now().getTime() / 1000);
    expect((await push({}, { assertion: { iat: now + 8, nbf: now + 8 } })).status).toBe(201);
    for (const assertion of [{ iat: now + 61 }, { nbf: now + 61 }])
      expect(await push({}, { assertion })).toMatchObject({ status: 401, error: "invalid_client" });
  });

  /** FAPI2SPFinalEnsureClientAssertionInTokenEndpoint, FAPI2SPFinalEnsureClientAssertionWithNoSubFails */
  it("are needed, with every claim, at the token endpoint too", async () => {
    const fields = { grant_type: "authorization_code", code: "x", code_verifier: CHALLENGE };
    for (const claim of ["iss", "sub", "aud", "exp", "jti"])
      expect(await raw("/oauth/token", fields, { assertion: { [claim]: undefined } })).toMatchObject({
        status: 401,
        error: "invalid_client",
      });
    const answer = await postForm(`${server.url}/oauth/token`, { ...fields, client_id: fapi.id });
    expect([answer.status, (await answer.json()).error]).toEqual([401, "invalid_client"]);
  });
});
