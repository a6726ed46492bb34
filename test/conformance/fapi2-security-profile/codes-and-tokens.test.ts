/** FAPI 2.0 Security Profile Final, continued: the flow, its codes and tokens, and what metadata tells. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import * as client from "openid-client";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import type { TestServer } from "../../support/server.ts";
import { dpopProof, newTestKey } from "../../support/signed.ts";
import { answerOf, fillSignIn, refusal, registerApplication, REDIRECT_URI } from "../support.ts";
import { type Fapi, type FapiClient, request, startFapi } from "./support.ts";

let server: TestServer;
let fapi: FapiClient;
let authorize: Fapi["authorize"];
let raw: Fapi["raw"];
let push: Fapi["push"];
let register: Fapi["register"];
let ada: User;
let nonce: string;

beforeAll(async () => {
  ({ server, fapi, authorize, raw, push, register, ada, nonce } = await startFapi());
});
afterAll(() => server.stop());

describe("§5.3.2: the flow", () => {
  /**
   * FAPI2SPFinalHappyFlow, FAPI2SPFinalParWithoutDuplicateParameters,
   * FAPI2SPFinalEnsureAuthorizationRequestWithLongState, FAPI2SPFinalEnsureAuthorizationRequestWithLongNonce
   */
  it("goes from a pushed request to bound tokens and UserInfo", async () => {
    const [state, nonceOfRequest] = ["s".repeat(1000), "n".repeat(384)];
    const { visit, exchange } = await authorize(fapi, { state, nonce: nonceOfRequest });
    expect(answerOf(visit)).toEqual({ code: expect.any(String), state, iss: server.url });
    const tokens = await exchange();
    expect(tokens.token_type).toBe("dpop");
    const claims = await client.fetchUserInfo(fapi.config, tokens.access_token, ada.id, fapi.options);
    expect(claims.email).toBe(ada.email ?? "");
  });

  /** FAPI2SPFinalRefreshToken */
  it("goes on with a refresh token", async () => {
    const { refresh_token = "" } = await (await authorize(fapi, { state: "s" })).exchange();
    const next = await client.refreshTokenGrant(fapi.config, refresh_token, {}, fapi.options);
    expect(next.token_type).toBe("dpop");
  });

  /** FAPI2SPFinalEnsureOtherScopeOrderSucceeds */
  it("takes scopes in any order", async () => {
    const { exchange } = await authorize(fapi, { state: "s", scope: "email profile openid" });
    expect((await exchange()).access_token).toBeString();
  });

  /** FAPI2SPFinalAccessTokenTypeHeaderCaseSensitivity */
  it("knows the scheme of the Authorization header in any case", async () => {
    const { access_token } = await (await authorize(fapi, { state: "s" })).exchange();
    const url = `${server.url}/oauth/userinfo`;
    for (const scheme of ["DPoP", "dpop", "DPOP"]) {
      const options = { method: "GET", url, nonce, accessToken: access_token };
      const answer = await fetch(url, {
        headers: {
          authorization: `${scheme} ${access_token}`,
          dpop: await dpopProof(server, fapi.dpopKey, options),
        },
      });
      expect(answer.status).toBe(200);
    }
  });
});

describe("§5.3.2.3: sender-constrained tokens", () => {
  /** FAPI2SPFinalEnsureHolderOfKeyRequired */
  it("are the only ones", async () => {
    const { visit, pkceCodeVerifier } = await authorize(fapi, { state: "s" });
    const fields = {
      grant_type: "authorization_code",
      code: answerOf(visit)["code"] ?? "",
      redirect_uri: REDIRECT_URI,
      code_verifier: pkceCodeVerifier,
    };
    expect(await raw("/oauth/token", fields, { proof: null })).toMatchObject({
      status: 400,
      error: "invalid_dpop_proof",
    });
  });

  /** FAPI2SPFinalDpopNegativeTests */
  it("are given for a proof that is sound alone", async () => {
    const fields = { grant_type: "refresh_token", refresh_token: "x" };
    const now = Math.floor(server.clock.now().getTime() / 1000);
    for (const proof of [
      { htm: "GET" },
      { htu: `${server.url}/oauth/par` },
      { jti: undefined },
      { iat: now - 300 },
      { iat: undefined },
    ])
      expect(await raw("/oauth/token", fields, { proof })).toMatchObject({
        status: 400,
        error: "invalid_dpop_proof",
      });
  });

  /**
   * FAPI2SPFinalEnsureDpopProofAtParEndpointBindingSuccess,
   * FAPI2SPFinalEnsureTokenEndpointFailsWithMismatchedDpopProofJkt
   */
  it("come of a code that is bound to the key which pushed the request", async () => {
    const { visit, pkceCodeVerifier, exchange } = await authorize(fapi, { state: "s" });
    const fields = {
      grant_type: "authorization_code",
      code: answerOf(visit)["code"] ?? "",
      redirect_uri: REDIRECT_URI,
      code_verifier: pkceCodeVerifier,
    };
    const dpopKey = await newTestKey();
    expect(await raw("/oauth/token", fields, { dpopKey })).toMatchObject({
      status: 400,
      error: "invalid_grant",
    });
    expect((await exchange()).token_type).toBe("dpop");
  });

  /** FAPI2SPFinalEnsureDpopAuthCodeBindingSuccess, FAPI2SPFinalEnsureMismatchedDpopJktFails */
  it("may be asked for by dpop_jkt, which is that of the proof", async () => {
    expect((await push({ dpop_jkt: fapi.dpopKey.jkt })).status).toBe(201);
    const other = await newTestKey();
    expect((await push({ dpop_jkt: other.jkt })).status).toBe(400);
  });
});

describe("§5.3.2.2: authorization codes", () => {
  /** FAPI2SPFinalEnsureAuthorizationCodeIsBoundToClient */
  it("are worth nothing to another client", async () => {
    const other = await register();
    const { exchange } = await authorize(fapi, { state: "s" });
    expect(await refusal(exchange(other))).toBe("invalid_grant");
  });

  /** FAPI2SPFinalAttemptReuseAuthorizationCodeAfterOneSecond */
  it("work once, and end what they gave when they come again", async () => {
    const { exchange } = await authorize(fapi, { state: "s" });
    const tokens = await exchange();
    expect(await refusal(exchange())).toBe("invalid_grant");
    expect(
      await refusal(client.refreshTokenGrant(fapi.config, tokens.refresh_token ?? "", {}, fapi.options)),
    ).toBe("invalid_grant");
  });

  /** FAPI2SPFinalUserRejectsAuthentication */
  it("are not given where the person says no", async () => {
    const { registered } = await registerApplication(server, { firstParty: false, public: true });
    const query = new URLSearchParams({ client_id: registered.client.clientId, ...request });
    const browser = createHttpBrowser(server.url);
    const page = await browser.open(`${server.url}/oauth/authorize?${query}`);
    const consent = await fillSignIn(browser, page, ada.username);
    const denied = await browser.submit(consent, consent.url.pathname, { decision: "deny" });
    expect(answerOf(denied)).toMatchObject({ error: "access_denied", state: "state" });
  });

  /** FAPI2SPFinalAttemptToUseExpiredAuthCode, FAPI2SPFinalPARAttemptToUseExpiredRequestUri: last, for the time moves */
  it("are over after 60 seconds, and pushed requests before ten minutes", async () => {
    const { visit, pkceCodeVerifier } = await authorize(fapi, { state: "s" });
    const { request_uri, expires_in } = await push();
    expect(expires_in).toBeLessThan(600);
    server.clock.advance(61);
    const fields = {
      grant_type: "authorization_code",
      code: answerOf(visit)["code"] ?? "",
      redirect_uri: REDIRECT_URI,
      code_verifier: pkceCodeVerifier,
    };
    expect(await raw("/oauth/token", fields)).toMatchObject({ status: 400, error: "invalid_grant" });
    server.clock.advance(expires_in);
    const query = new URLSearchParams({ client_id: fapi.id, request_uri });
    const late = await createHttpBrowser(server.url).open(`${server.url}/oauth/authorize?${query}`);
    expect(late.status).toBeGreaterThanOrEqual(400);
  });
});

describe("§5.3.2.1: discovery", () => {
  /** FAPI2SPFinalDiscoveryEndpointVerification */
  it("tells of all that", () => {
    expect(fapi.config.serverMetadata()).toMatchObject({
      issuer: server.url,
      pushed_authorization_request_endpoint: `${server.url}/oauth/par`,
      authorization_response_iss_parameter_supported: true,
      code_challenge_methods_supported: ["S256"],
      response_types_supported: ["code"],
      token_endpoint_auth_methods_supported: expect.arrayContaining(["private_key_jwt"]),
      token_endpoint_auth_signing_alg_values_supported: expect.arrayContaining(["PS256", "ES256"]),
      dpop_signing_alg_values_supported: expect.arrayContaining(["PS256", "ES256"]),
    });
  });
});
