/** FAPI 2.0 Security Profile Final, continued: what clients may leave out, whose clocks differ, and who they have to be. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import * as client from "openid-client";
import { users } from "../../../src/db/schema/index.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { postForm, type TestServer } from "../../support/server.ts";
import {
  assertionClaims,
  assertionFields,
  dpopProof,
  jwksOf,
  newTestKey,
  signTestJwt,
} from "../../support/signed.ts";
import { answerOf, refusal, registerApplication, REDIRECT_URI } from "../support.ts";
import { type Fapi, type FapiClient, startFapi } from "./support.ts";

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

const now = () => Math.floor(server.clock.now().getTime() / 1000);
const INVALID_CLIENT = { status: 401, error: "invalid_client" };

/** The form of the exchange of a fresh code. */
async function exchangeFields(parameters: Record<string, string> = {}) {
  const { visit, pkceCodeVerifier } = await authorize(fapi, parameters);
  return {
    grant_type: "authorization_code",
    code: answerOf(visit)["code"] ?? "",
    redirect_uri: REDIRECT_URI,
    code_verifier: pkceCodeVerifier,
  };
}

describe("what a request may leave out, and what not", () => {
  /** FAPI2SPFinalEnsureAuthorizationRequestWithoutStateSuccess */
  it("is state: none is answered then", async () => {
    const { visit, exchange } = await authorize(fapi, { nonce: "n" });
    expect(Object.keys(answerOf(visit)).toSorted()).toEqual(["code", "iss"]);
    expect((await exchange()).token_type).toBe("dpop");
  });

  /** FAPI2SPFinalEnsureAuthorizationRequestWith64CharNonceSuccess */
  it("is no part of a nonce: one of 64 characters comes back as it was", async () => {
    const sent = "n".repeat(64);
    const tokens = await (await authorize(fapi, { nonce: sent, state: "s" })).exchange();
    expect(tokens.claims()?.nonce).toBe(sent);
  });

  /** FAPI2SPFinalTolerateUnregisteredRedirectUri: RFC 9126 §2.4 lets a server take it, and this one does not. */
  it("is not the registration of a redirect_uri", async () => {
    expect((await push({ redirect_uri: "https://new.example.com/callback" })).status).toBe(400);
  });

  /**
   * For a pushed request: FAPI2SPFinalStateOnlyOutsideRequestObjectNotUsed,
   * FAPI2SPFinalEnsureDifferentStateInsideAndOutsideRequestObject,
   * FAPI2SPFinalEnsureDifferentNonceInsideAndOutsideRequestObject
   */
  it("is not made up for, nor changed, by what stands beside the request_uri", async () => {
    const { browser } = await authorize(fapi);
    for (const state of [undefined, "inside"]) {
      const pkceCodeVerifier = client.randomPKCECodeVerifier();
      const code_challenge = await client.calculatePKCECodeChallenge(pkceCodeVerifier);
      const { request_uri } = await push({ state, nonce: "inside", code_challenge });
      const beside = { client_id: fapi.id, request_uri, state: "outside", nonce: "outside" };
      const visit = await browser.open(`${server.url}/oauth/authorize?${new URLSearchParams(beside)}`);
      expect(answerOf(visit)["state"]).toBe(state);
      const checks = {
        pkceCodeVerifier,
        expectedNonce: "inside",
        ...(state ? { expectedState: state } : {}),
      };
      const { config, options } = fapi;
      const tokens = await client.authorizationCodeGrant(config, visit.url, checks, undefined, options);
      expect(tokens.claims()?.nonce).toBe("inside");
    }
  });
});

describe("OpenID Connect Core §5.5: identity claims", () => {
  /** FAPI2SPFinalTestClaimsParameterIdentityClaims */
  it("are given one by one, and unknown ones are passed over", async () => {
    const profile = { locale: "en", zoneinfo: "Europe/London" };
    await server.deps.db.update(users).set(profile).where(eq(users.id, ada.id));
    const wanted = { name: { essential: true }, locale: null, zoneinfo: { value: "x" }, made_up: null };
    const claims = JSON.stringify({ userinfo: wanted, id_token: wanted });
    const tokens = await (await authorize(fapi, { state: "s", scope: "openid", claims })).exchange();
    const told = { name: "Ada Lovelace", ...profile };
    expect(tokens.claims()).toMatchObject(told);
    const userinfo = await client.fetchUserInfo(fapi.config, tokens.access_token, ada.id, fapi.options);
    expect(userinfo).toEqual({ sub: ada.id, ...told });
  });

  /** FAPI2SPFinalTestEssentialAcrScaClaim, with the class of ours that it stands for */
  it("are refused where an essential acr cannot be reached", async () => {
    const claims = JSON.stringify({
      id_token: { acr: { essential: true, value: "urn:openbanking:psd2:sca" } },
    });
    const { visit } = await authorize(fapi, { state: "s", claims });
    expect(answerOf(visit)["error"]).toBe("unmet_authentication_requirements");
  });
});

describe("§5.3.2.1: DPoP proofs of clocks that differ", () => {
  /**
   * FAPI2SPFinalEnsureDpopProofWithIat10SecondsBeforeSucceeds, FAPI2SPFinalEnsureDpopProofWithIat10SecondsAfterSucceeds,
   * FAPI2SPFinalCheckDpopProofNbfExp
   */
  it("are taken ten seconds early or late, with nbf and exp beside", async () => {
    for (const proof of [{ iat: now() - 10 }, { iat: now() + 10 }, { nbf: now(), exp: now() + 300 }])
      expect(await raw("/oauth/token", await exchangeFields(), { proof })).toMatchObject({
        status: 200,
        token_type: "DPoP",
      });
  });

  it("are refused once their own exp is past, and before their nbf (RFC 7519 §4.1)", async () => {
    for (const proof of [{ exp: now() - 1 }, { nbf: now() + 90 }, { exp: "later" }])
      expect(await raw("/oauth/token", await exchangeFields(), { proof })).toMatchObject({
        status: 400,
        error: "invalid_dpop_proof",
      });
  });

  /** FAPI2SPFinalEnsureTokenEndpointFailsWithMismatchedDpopJkt */
  it("have to be of the key that dpop_jkt named, where the request was pushed without a proof", async () => {
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const other = await newTestKey();
    const pushed = await push(
      {
        dpop_jkt: other.jkt,
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      },
      { proof: null },
    );
    const { browser } = await authorize(fapi);
    const query = new URLSearchParams({ client_id: fapi.id, request_uri: pushed.request_uri });
    const visit = await browser.open(`${server.url}/oauth/authorize?${query}`);
    const fields = {
      grant_type: "authorization_code",
      code: answerOf(visit)["code"] ?? "",
      redirect_uri: REDIRECT_URI,
      code_verifier: pkceCodeVerifier,
    };
    expect(await raw("/oauth/token", fields)).toMatchObject({ status: 400, error: "invalid_grant" });
    expect((await raw("/oauth/token", fields, { dpopKey: other })).status).toBe(200);
  });

  /** FAPI2SPFinalDpopNegativeTests, at a protected resource */
  it("are needed at UserInfo, of the right key, for this request and this token", async () => {
    const { access_token } = await (await authorize(fapi, { state: "s" })).exchange();
    const url = `${server.url}/oauth/userinfo`;
    const ask = async (claims: Record<string, unknown>, key = fapi.dpopKey, scheme = "DPoP") => {
      const options = { method: "GET", url, nonce, accessToken: access_token, claims };
      const dpop = await dpopProof(server, key, options);
      return (await fetch(url, { headers: { authorization: `${scheme} ${access_token}`, dpop } })).status;
    };
    expect(await ask({})).toBe(200);
    expect(await ask({}, await newTestKey())).toBe(401);
    expect(await ask({}, fapi.dpopKey, "Bearer")).toBe(401);
    for (const claims of [
      { ath: undefined },
      { ath: "x" },
      { htm: "POST" },
      { htu: `${url}/x` },
      { jti: "" },
    ])
      expect(await ask(claims)).toBe(401);
    expect((await fetch(url, { headers: { authorization: `DPoP ${access_token}` } })).status).toBe(401);
  });
});

describe("§5.3.2.1: who a client is", () => {
  /**
   * FAPI2SPFinalEnsureClientAssertionWithExpIs5MinutesInPastFails, FAPI2SPFinalEnsureClientAssertionWithWrongAudFails,
   * FAPI2SPFinalEnsureClientAssertionWithNoSubFails
   */
  it("is told by an assertion for us, in time, about itself", async () => {
    for (const assertion of [
      { exp: now() - 300, iat: now() - 360 },
      { aud: "https://other.example.com" },
      { sub: undefined },
    ])
      expect(await raw("/oauth/token", await exchangeFields(), { assertion })).toMatchObject(INVALID_CLIENT);
  });

  /** FAPI2SPFinalEnsureClientIdInTokenEndpoint */
  it("is not told by another client's key", async () => {
    const other = await register();
    const assertion = await signTestJwt(fapi.key, assertionClaims(server, other.id));
    const url = `${server.url}/oauth/token`;
    const answer = await postForm(
      url,
      { ...(await exchangeFields()), client_id: other.id, ...assertionFields(assertion) },
      { dpop: await dpopProof(server, fapi.dpopKey, { url, nonce }) },
    );
    expect([answer.status, (await answer.json()).error]).toEqual([401, "invalid_client"]);
  });

  /** FAPI2SPFinalEnsureSignedClientAssertionWithRS256Fails: the profile has PS256, ES256 and EdDSA alone (§5.4.1). */
  it("is not told by RS256 where its key or its registration is for another algorithm", async () => {
    const key = await newTestKey("PS256");
    const { alg: _alg, ...unnamed } = key.publicJwk;
    const asRs256 = await crypto.subtle.importKey(
      "pkcs8",
      await crypto.subtle.exportKey("pkcs8", key.pair.privateKey),
      { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
      false,
      ["sign"],
    );
    const rs256 = { ...key, alg: "RS256" as const, pair: { ...key.pair, privateKey: asRs256 } };
    for (const row of [
      { jwks: jwksOf(key) },
      { jwks: { keys: [{ ...unnamed }] }, tokenEndpointAuthSigningAlg: "PS256" },
    ]) {
      const { registered } = await registerApplication(server, {
        grantTypes: ["client_credentials"],
        tokenEndpointAuthMethod: "private_key_jwt",
        row,
      });
      const statusBy = async (by: typeof key) => {
        const assertion = await signTestJwt(by, assertionClaims(server, registered.client.clientId));
        const fields = { grant_type: "client_credentials", ...assertionFields(assertion) };
        return (await postForm(`${server.url}/oauth/token`, fields)).status;
      };
      expect([await statusBy(key), await statusBy({ ...key, ...rs256 })]).toEqual([200, 401]);
    }
  });

  /** FAPI2SPFinalRefreshToken: without credentials, without a proof, and by another client */
  it("has to be told for refreshing too, with a proof", async () => {
    const { refresh_token = "" } = await (await authorize(fapi, { state: "s" })).exchange();
    const fields = { grant_type: "refresh_token", refresh_token };
    const bare = await postForm(`${server.url}/oauth/token`, { ...fields, client_id: fapi.id });
    expect([bare.status, (await bare.json()).error]).toEqual([401, "invalid_client"]);
    expect(await raw("/oauth/token", fields, { proof: null })).toMatchObject({
      status: 400,
      error: "invalid_dpop_proof",
    });
    const other = await register();
    const stolen = client.refreshTokenGrant(other.config, refresh_token, {}, other.options);
    expect(await refusal(stolen)).toBe("invalid_grant");
    expect((await raw("/oauth/token", fields)).status).toBe(200);
  });

  it("may be told once by an assertion, at the pushing too", async () => {
    const jti = crypto.randomUUID();
    expect((await push({}, { assertion: { jti } })).status).toBe(201);
    expect(await push({}, { assertion: { jti } })).toMatchObject(INVALID_CLIENT);
  });
});
