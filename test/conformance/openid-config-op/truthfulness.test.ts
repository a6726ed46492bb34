/**
 * Whether the metadata is the truth: all that it names works, and nothing works that it hides. What it names is read from it,
 * and not written down here.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { decodeProtectedHeader } from "jose";
import * as client from "openid-client";
import { users } from "../../../src/db/schema/index.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { isSigningAlgorithm } from "../../../src/protocol/jose/algorithms.ts";
import { eq } from "drizzle-orm";
import { createHttpBrowser, type HttpBrowser } from "../../support/browser.ts";
import { postForm, postJson, startTestServer, type TestServer } from "../../support/server.ts";
import {
  assertionClaims,
  assertionFields,
  dpopProof,
  jwksOf,
  newTestKey,
  signTestJwt,
} from "../../support/signed.ts";
import {
  addUser,
  answerOf,
  type Application,
  logIn,
  REDIRECT_URI,
  registerApplication,
  signedInBrowser,
} from "../support.ts";

let server: TestServer;
let ada: User;
let app: Application;
let browser: HttpBrowser;
let metadata: Record<string, unknown>;

beforeAll(async () => {
  server = await startTestServer();
  await server.configure({ dynamic_registration: "open", dpop_nonce_required: false });
  ada = await addUser(server, "ada");
  const profile = { picture: "https://cdn.example.com/ada.png", locale: "en-GB", zoneinfo: "Europe/London" };
  await server.deps.db.update(users).set(profile).where(eq(users.id, ada.id));
  app = await registerApplication(server);
  browser = await signedInBrowser(server, ada);
  metadata = await fetch(`${server.url}/.well-known/openid-configuration`).then((answer) => answer.json());
});
afterAll(() => server.stop());

/** A list of the metadata, which has to be there and to have something in it. */
function named(member: string): string[] {
  const values = metadata[member];
  if (!Array.isArray(values) || values.length === 0) throw new Error(`the metadata has no ${member}`);
  return values.map(String);
}

const errorOf = async (parameters: Record<string, string>) => {
  const visit = await browser.open((await app.begin(parameters)).url);
  const inside = visit.status === 0 ? visit.url.searchParams.get("error") : visit.forms[0]?.fields["error"];
  return inside ?? undefined;
};

const register = async (more: Record<string, unknown>) =>
  (await postJson(`${server.url}/oauth/register`, { redirect_uris: [REDIRECT_URI], ...more })).status;

describe("endpoints", () => {
  const urls = () =>
    Object.entries(metadata).filter(([name]) => name.endsWith("_endpoint") || name === "jwks_uri");

  it("are all served, and each refuses the methods it does not have by 405 (RFC 9110 §15.5.6)", async () => {
    expect(urls().length).toBeGreaterThan(9);
    for (const [name, url] of urls()) {
      const { status, headers } = await fetch(String(url), { method: "PATCH" });
      expect([name, status]).toEqual([name, 405]);
      for (const method of (headers.get("allow") ?? "").split(", ")) {
        const served = await fetch(String(url), { method, redirect: "manual" });
        expect([name, method, [404, 405, 500].includes(served.status)]).toEqual([name, method, false]);
      }
    }
  });

  it("are all that there are, besides the pages that they lead to", async () => {
    const { paths } = await fetch(`${server.url}/docs/json`).then((answer) => answer.json());
    const listed = new Set(urls().map(([, url]) => new URL(String(url)).pathname));
    const hidden = Object.keys(paths).filter((path) => path.startsWith("/oauth/") && !listed.has(path));
    expect(hidden.toSorted()).toEqual([
      "/oauth/consent",
      "/oauth/logout/confirm",
      "/oauth/register/{client_id}",
      "/oauth/select-account",
      // Where people go to sign in through somebody else, and come back from there.
      "/oauth/social/{provider}",
      "/oauth/social/{provider}/callback",
      "/oauth/social/{provider}/cancel",
      // Another spelling of the introspection endpoint.
      "/oauth/token_info",
    ]);
  });
});

describe("the authorization endpoint", () => {
  it("answers in each of response_modes_supported, and in no other", async () => {
    for (const mode of named("response_modes_supported")) {
      const visit = await browser.open((await app.begin({ response_mode: mode })).url);
      const answer = visit.forms[0]
        ? visit.forms[0].fields
        : Object.fromEntries(new URLSearchParams(visit.url.hash.slice(1) || visit.url.search));
      const member = mode === "jwt" || mode.endsWith(".jwt") ? "response" : "code";
      expect([mode, Object.keys(answer).includes(member)]).toEqual([mode, true]);
    }
    for (const mode of ["web_message", "query.jwt.jwt"])
      expect(await errorOf({ response_mode: mode })).toBe("invalid_request");
  });

  it("knows the response_types_supported, and no other", async () => {
    for (const type of named("response_types_supported"))
      expect(await errorOf({ response_type: type })).toBeUndefined();
    for (const type of ["token", "id_token", "code id_token", "code token", "id_token token", "none"])
      expect(await errorOf({ response_type: type })).toBe("unsupported_response_type");
  });

  it("knows the prompt_values_supported, and no other", async () => {
    for (const prompt of named("prompt_values_supported"))
      expect([prompt, await errorOf({ prompt })]).toEqual([prompt, undefined]);
    expect(await errorOf({ prompt: "hard" })).toBe("invalid_request");
  });

  it("takes the code_challenge_methods_supported, and no other", async () => {
    for (const method of named("code_challenge_methods_supported"))
      expect(await errorOf({ code_challenge_method: method })).toBeUndefined();
    expect(await errorOf({ code_challenge_method: "plain" })).toBe("invalid_request");
  });

  it("can be asked for the scopes_supported, and no others of OpenID Connect", async () => {
    for (const scope of named("scopes_supported"))
      expect([scope, await errorOf({ scope: `openid ${scope}` })]).toEqual([scope, undefined]);
    const standard = ["openid", "profile", "email", "address", "phone", "offline_access"];
    for (const scope of standard.filter((one) => !named("scopes_supported").includes(one)))
      expect([scope, await errorOf({ scope: `openid ${scope}` })]).toEqual([scope, "invalid_scope"]);
  });

  it("can be asked for the acr_values_supported, and refuses others where they are essential", async () => {
    const essential = (value: string) =>
      errorOf({ claims: JSON.stringify({ id_token: { acr: { essential: true, value } } }) });
    for (const acr of named("acr_values_supported")) expect(await essential(acr)).toBeUndefined();
    expect(await essential("urn:unknown")).toBe("unmet_authentication_requirements");
  });

  it("speaks the ui_locales_supported", async () => {
    for (const locale of named("ui_locales_supported")) {
      const page = await createHttpBrowser(server.url).open((await app.begin({ ui_locales: locale })).url);
      expect(page.html).toContain(`<html lang="${locale}"`);
    }
  });

  it("takes request objects by each of their algorithms, and none by reference, as it says", async () => {
    for (const alg of named("request_object_signing_alg_values_supported")) {
      const { id, key, header } = await keyedClient(alg);
      const { url } = await app.begin();
      const now = Math.floor(server.clock.now().getTime() / 1000);
      const claims = {
        ...Object.fromEntries(url.searchParams),
        client_id: id,
        iss: id,
        aud: server.url,
        nbf: now,
        exp: now + 60,
        jti: crypto.randomUUID(),
      };
      const request = await signTestJwt(key, claims, { ...header, typ: "oauth-authz-req+jwt" });
      url.search = new URLSearchParams({ client_id: id, request }).toString();
      expect([alg, "code" in answerOf(await browser.open(url))]).toEqual([alg, true]);
    }
    expect(metadata["request_uri_parameter_supported"]).toBe(false);
    expect(await errorOf({ request_uri: "https://app.example.com/r" })).toBe("request_uri_not_supported");
  });
});

/** A client with a key of this algorithm, by whatever name the algorithm goes. */
async function keyedClient(alg: string) {
  const ours = alg === "Ed25519" ? "EdDSA" : alg;
  if (!isSigningAlgorithm(ours)) throw new Error(`the metadata names the unknown algorithm ${alg}`);
  const key = await newTestKey(ours);
  const { registered } = await registerApplication(server, {
    grantTypes: ["client_credentials", "authorization_code"],
    tokenEndpointAuthMethod: "private_key_jwt",
    row: { jwks: jwksOf(key) },
  });
  return { id: registered.client.clientId, key, header: { alg } };
}

describe("the token endpoint", () => {
  it("knows the grant_types_supported, and no other", async () => {
    const answerTo = async (grantType: string) => {
      const { registered } = await registerApplication(server, {
        grantTypes: named("grant_types_supported"),
      });
      const credentials = btoa(`${registered.client.clientId}:${registered.clientSecret}`);
      const answer = await postForm(
        `${server.url}/oauth/token`,
        { grant_type: grantType },
        { authorization: `Basic ${credentials}` },
      );
      return (await answer.json()).error;
    };
    for (const grantType of named("grant_types_supported"))
      expect([undefined, "invalid_request", "invalid_grant"]).toContain(await answerTo(grantType));
    for (const grantType of ["password", "implicit", "urn:openid:params:grant-type:ciba"])
      expect(await answerTo(grantType)).toBe("unsupported_grant_type");
  });

  it("authenticates clients by the token_endpoint_auth_methods_supported, and no other", async () => {
    const jwks = jwksOf(await newTestKey());
    for (const method of named("token_endpoint_auth_methods_supported"))
      expect([method, await register({ token_endpoint_auth_method: method, jwks })]).toEqual([method, 201]);
    for (const method of ["client_secret_jwt", "tls_client_auth", "self_signed_tls_client_auth"])
      expect([method, await register({ token_endpoint_auth_method: method, jwks })]).toEqual([method, 400]);
  });

  it("takes assertions and DPoP proofs by each of their algorithms", async () => {
    const url = `${server.url}/oauth/token`;
    const proofs = named("dpop_signing_alg_values_supported");
    for (const alg of named("token_endpoint_auth_signing_alg_values_supported")) {
      expect(proofs).toContain(alg);
      const { id, key, header } = await keyedClient(alg);
      const assertion = await signTestJwt(key, assertionClaims(server, id), header);
      const answer = await postForm(
        url,
        { grant_type: "client_credentials", ...assertionFields(assertion) },
        { dpop: await dpopProof(server, key, { url, header }) },
      );
      expect([alg, answer.status, (await answer.json()).token_type]).toEqual([alg, 200, "DPoP"]);
    }
  });
});

describe("what is signed", () => {
  it("is signed by each of id_token_signing_alg_values_supported, ID tokens and UserInfo alike", async () => {
    expect(named("userinfo_signing_alg_values_supported")).toEqual(
      named("id_token_signing_alg_values_supported"),
    );
    for (const alg of named("id_token_signing_alg_values_supported")) {
      const signed = await registerApplication(server, {
        idTokenSignedResponseAlg: alg,
        row: { userinfoSignedResponseAlg: alg },
      });
      const { tokens } = await logIn(signed, browser, ada);
      expect(decodeProtectedHeader(tokens.id_token ?? "").alg).toBe(alg);
      const userinfo = await fetch(String(metadata["userinfo_endpoint"]), {
        headers: { authorization: `Bearer ${tokens.access_token}` },
      });
      expect(decodeProtectedHeader(await userinfo.text()).alg).toBe(alg);
    }
  });

  /** oidcc-idtoken-unsigned: refused at the registration. */
  it("is signed by no algorithm that nobody should use", async () => {
    for (const alg of ["none", "HS256", "RS384", "ES512"])
      for (const member of ["id_token_signed_response_alg", "userinfo_signed_response_alg"])
        expect([alg, member, await register({ [member]: alg })]).toEqual([alg, member, 400]);
  });

  it("is for the subject_types_supported, and no other", async () => {
    for (const type of named("subject_types_supported"))
      expect([type, await register({ subject_type: type })]).toEqual([type, 201]);
    expect(await register({ subject_type: "ephemeral" })).toBe(400);
  });
});

describe("claims_supported", () => {
  it("are those that a person with a whole profile has in ID token and UserInfo, and no others", async () => {
    const { tokens } = await logIn(app, browser, ada);
    const userinfo = await client.fetchUserInfo(app.config, tokens.access_token, ada.id);
    const told = new Set([...Object.keys(tokens.claims() ?? {}), ...Object.keys(userinfo)]);
    expect([...told].toSorted()).toEqual(named("claims_supported").toSorted());
  });

  it("can each be asked for by the claims parameter, as the metadata says", async () => {
    expect(metadata["claims_parameter_supported"]).toBe(true);
    const person = ["name", "given_name", "picture", "zoneinfo", "locale", "email", "updated_at"];
    expect(named("claims_supported")).toEqual(expect.arrayContaining(person));
    const claims = JSON.stringify({ userinfo: Object.fromEntries(person.map((name) => [name, null])) });
    const { tokens } = await logIn(app, browser, ada, { scope: "openid", claims });
    const userinfo = await client.fetchUserInfo(app.config, tokens.access_token, ada.id);
    expect(Object.keys(userinfo).toSorted()).toEqual(["sub", ...person].toSorted());
  });
});
