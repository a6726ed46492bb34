/** Attacks on client authentication by signed assertions (RFC 7521, RFC 7523; CVE-2025-27370 and CVE-2025-27371). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createHmac } from "node:crypto";
import { configureClient } from "../support/client-row.ts";
import { postForm, startTestServer, type TestServer } from "../support/server.ts";
import {
  assertionClaims,
  assertionFields,
  jwksOf,
  newTestKey,
  signTestJwt,
  type TestKey,
} from "../support/signed.ts";
import { type App, createApp, createOtherTenant, errorOf } from "./support.ts";

let server: TestServer;
let key: TestKey;
let app: App;

beforeAll(async () => {
  server = await startTestServer();
  key = await newTestKey();
  app = await registered(key);
});
afterAll(() => server.stop());

/** An application that authenticates by assertions with this key. */
async function registered(by: TestKey, of?: Parameters<typeof createApp>[2]): Promise<App> {
  const made = await createApp(server, { grantTypes: ["client_credentials"], scopes: ["a"] }, of);
  await configureClient(server, made, { tokenEndpointAuthMethod: "private_key_jwt", jwks: jwksOf(by) });
  return made;
}

const refused: [number, string] = [401, "invalid_client"];

const send = (assertion: string, base = server.url, path = "/oauth/token") =>
  postForm(base + path, {
    grant_type: "client_credentials",
    token: "x",
    ...assertionFields(assertion),
  });

const sign = (changes: Record<string, unknown> = {}, header: Record<string, unknown> = {}, by = key) =>
  signTestJwt(by, { ...assertionClaims(server, app.client.clientId), ...changes }, header);

describe("a sound assertion", () => {
  it("is accepted, or nothing below would prove anything", async () => {
    expect((await send(await sign())).status).toBe(200);
  });
});

describe("an assertion with another audience", () => {
  /**
   * Whoever runs another server, or can make the client believe in its endpoints, gets assertions that are also for us.
   * Guard: protocol/oauth/client-assertion.ts, `aud` is the issuer and nothing besides.
   */
  it.each([
    ["the issuer and another server", () => [server.url, "https://evil.example"]],
    ["the issuer, in a list", () => [server.url]],
    ["the token endpoint", () => `${server.url}/oauth/token`],
    ["the issuer with a slash", () => `${server.url}/`],
    ["another tenant of ours", () => `${server.url}/t/other`],
    ["another server", () => "https://evil.example"],
    ["nobody", () => undefined],
  ])("is refused: %s", async (_, audience) => {
    expect(await errorOf(send(await sign({ aud: audience() })))).toEqual(refused);
  });

  /** The same key in two tenants. Guard: the same, by the tenant's own issuer. */
  it("is refused by another tenant where the client exists under the same id and key", async () => {
    const other = await createOtherTenant(server, "assertions");
    const twin = await registered(key, other);
    await configureClient(server, twin, { clientId: app.client.clientId });
    expect(await errorOf(send(await sign(), other.base))).toEqual(refused);
    expect((await send(await sign({ aud: other.base }), other.base)).status).toBe(200);
  });
});

describe("an assertion that was used", () => {
  /** RFC 7523 §3 (7). Guard: api/oauth/client-authentication.ts, useOnce. */
  it("is refused the second time, at every endpoint", async () => {
    const assertion = await sign();
    expect((await send(assertion)).status).toBe(200);
    for (const path of ["/oauth/token", "/oauth/introspect", "/oauth/revoke", "/oauth/device_authorization"])
      expect(await errorOf(send(assertion, server.url, path))).toEqual(refused);
  });

  /** Guard: domain/replay/repo.ts, one statement. */
  it("by 20 requests at once opens for one", async () => {
    const assertion = await sign();
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(assertion)));
    expect(answers.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
  });

  /** Two clients may choose the same jti. Guard: protocol/oauth/single-use.ts, by owner. */
  it("does not shut another client out that chose the same jti", async () => {
    const [otherKey, jti] = [await newTestKey(), crypto.randomUUID()];
    const other = await registered(otherKey);
    expect((await send(await sign({ jti }))).status).toBe(200);
    const claims = { ...assertionClaims(server, other.client.clientId), jti };
    expect((await send(await signTestJwt(otherKey, claims))).status).toBe(200);
  });
});

describe("an assertion that somebody else made", () => {
  /** Guard: protocol/jose/foreign-jwt.ts, verifiedClaims. */
  it("is refused, whatever key it names", async () => {
    const thief = await newTestKey();
    expect(await errorOf(send(await sign({}, {}, thief)))).toEqual(refused);
    expect(await errorOf(send(await sign({}, { kid: key.kid }, thief)))).toEqual(refused);
    expect(await errorOf(send(await sign({}, { kid: undefined }, thief)))).toEqual(refused);
  });

  /** RFC 8725 §2.1, §3.10. Guard: protocol/jose/compact.ts, hasForbiddenHeader. */
  it("is refused when it brings its own key", async () => {
    const thief = await newTestKey();
    for (const header of [{ jwk: thief.publicJwk }, { jku: "https://evil.example/jwks" }, { x5c: ["AA=="] }])
      expect(await errorOf(send(await sign({}, { ...header, kid: thief.kid }, thief)))).toEqual(refused);
  });

  /** RFC 8725 §2.1. Guard: protocol/jose/foreign-jwt.ts, readForeignJwt (algorithms). */
  it("is refused without a signature, or with one by our knowledge of the public key", async () => {
    const claims = assertionClaims(server, app.client.clientId);
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const payload = encode(claims);
    for (const alg of ["none", "None", "NONE"])
      expect(await errorOf(send(`${encode({ alg })}.${payload}.`))).toEqual(refused);
    const input = `${encode({ alg: "HS256", kid: key.kid })}.${payload}`;
    const mac = createHmac("sha256", JSON.stringify(key.publicJwk)).update(input).digest("base64url");
    expect(await errorOf(send(`${input}.${mac}`))).toEqual(refused);
  });

  /** Guard: readClientAssertion (iss and sub are the client). */
  it("is refused for another client than its own", async () => {
    const victim = await registered(await newTestKey());
    const { clientId } = victim.client;
    expect(await errorOf(send(await sign({ iss: clientId, sub: clientId })))).toEqual(refused);
    expect(await errorOf(send(await sign({ sub: clientId })))).toEqual(refused);
  });
});

describe("another way in", () => {
  /** Guard: authenticateClient (the client's own method). */
  it("is shut for a client that has keys: no secret, no bare client_id", async () => {
    const url = `${server.url}/oauth/token`;
    const fields = { grant_type: "client_credentials", client_id: app.client.clientId };
    expect(await errorOf(postForm(url, fields))).toEqual(refused);
    expect(await errorOf(postForm(url, { ...fields, client_secret: app.secret ?? "" }))).toEqual(refused);
  });

  /** Guard: authenticateClient (the client's own method), and before it isVerified, which asks for no keys then. */
  it("is shut for a client that has a secret, and keys for its request objects", async () => {
    const own = await newTestKey();
    const other = await registered(own);
    await configureClient(server, other, { tokenEndpointAuthMethod: "client_secret_basic" });
    const assertion = await signTestJwt(own, assertionClaims(server, other.client.clientId));
    expect(await errorOf(send(assertion))).toEqual(refused);
  });

  /** A request object or a DPoP proof of the client's, presented as its assertion. Guard: client-assertion.ts, TYPES. */
  it("is shut for a JWT of another purpose by the same key", async () => {
    for (const typ of ["oauth-authz-req+jwt", "dpop+jwt", "at+jwt"])
      expect(await errorOf(send(await sign({}, { typ })))).toEqual(refused);
  });
});
