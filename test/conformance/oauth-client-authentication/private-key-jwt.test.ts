/** Client authentication by private_key_jwt (RFC 7521 §4.2, RFC 7523 §2.2 and §3): our reading of it. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import * as client from "openid-client";
import { startTestServer, postForm, type TestServer } from "../../support/server.ts";
import {
  assertionClaims,
  assertionFields,
  jwksOf,
  newTestKey,
  signTestJwt,
  type TestKey,
} from "../../support/signed.ts";
import { type Application, refusal, registerApplication } from "../support.ts";

let server: TestServer;
let key: TestKey;
let app: Application;
let jwks: {
  readonly url: string;
  readonly visits: () => number;
  publish(...keys: TestKey[]): void;
  stop(): void;
};

beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE: "127.0.0.1" } });
  key = await newTestKey();
  app = await registerMachine({ jwks: jwksOf(key) });
  jwks = serveJwks();
});
afterAll(async () => {
  jwks.stop();
  await server.stop();
});

function serveJwks() {
  let published = jwksOf();
  let visits = 0;
  const host = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch() {
      visits++;
      return Response.json(published);
    },
  });
  return {
    url: `http://127.0.0.1:${host.port}/jwks.json`,
    visits: () => visits,
    publish: (...keys: TestKey[]) => {
      published = jwksOf(...keys);
    },
    stop: () => host.stop(true),
  };
}

type Row = NonNullable<Parameters<typeof registerApplication>[1]>["row"];

const registerMachine = (row: Row) =>
  registerApplication(server, {
    grantTypes: ["client_credentials"],
    scopes: ["a"],
    tokenEndpointAuthMethod: "private_key_jwt",
    row: { ...row },
  });

/** The client as openid-client authenticates it, by this key. */
async function configured({ registered }: Application, by: TestKey): Promise<client.Configuration> {
  const signing = { key: by.pair.privateKey, kid: by.kid };
  return client.discovery(
    new URL(server.url),
    registered.client.clientId,
    {},
    client.PrivateKeyJwt(signing),
    { execute: [client.allowInsecureRequests] },
  );
}

async function request(changes: {
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
  by?: TestKey;
  fields?: Record<string, string>;
  headers?: Record<string, string>;
}): Promise<[number, string | undefined]> {
  const { clientId } = app.registered.client;
  const assertion = await signTestJwt(
    changes.by ?? key,
    { ...assertionClaims(server, clientId), ...changes.claims },
    changes.header,
  );
  const answer = await postForm(
    `${server.url}/oauth/token`,
    { grant_type: "client_credentials", ...assertionFields(assertion), ...changes.fields },
    changes.headers,
  );
  const { error } = await answer.json();
  return [answer.status, error];
}

const refused: [number, string] = [401, "invalid_client"];
const accepted: [number, undefined] = [200, undefined];

describe("RFC 7523 §2.2: openid-client authenticates with a key", () => {
  it.each(["ES256", "RS256", "PS256", "EdDSA"] as const)("of %s", async (alg) => {
    const own = await newTestKey(alg);
    const machine = await registerMachine({ jwks: jwksOf(own) });
    const issued = await client.clientCredentialsGrant(await configured(machine, own));
    expect(issued.access_token).toBeString();
  });

  it("at the introspection and revocation endpoints too", async () => {
    const config = await configured(app, key);
    const { access_token } = await client.clientCredentialsGrant(config);
    expect(await client.tokenIntrospection(config, access_token)).toMatchObject({ active: true });
    await client.tokenRevocation(config, access_token);
    expect(await client.tokenIntrospection(config, access_token)).toEqual({ active: false });
  });

  it("of a key set that it publishes, and goes on doing so after it rotated its key", async () => {
    const [first, second] = [await newTestKey(), await newTestKey()];
    jwks.publish(first);
    const machine = await registerMachine({ jwksUri: jwks.url });
    await client.clientCredentialsGrant(await configured(machine, first));
    await client.clientCredentialsGrant(await configured(machine, first));
    expect(jwks.visits()).toBe(1);
    jwks.publish(second);
    // A key that is not known is asked for again, but not at every request of whoever invents one.
    server.clock.advance(31);
    const claims = assertionClaims(server, machine.registered.client.clientId);
    const answer = await postForm(`${server.url}/oauth/token`, {
      grant_type: "client_credentials",
      ...assertionFields(await signTestJwt(second, claims)),
    });
    expect([answer.status, jwks.visits()]).toEqual([200, 2]);
  });
});

describe("RFC 7523 §3: an assertion", () => {
  it("names the client as iss and sub, us as aud, its end and an id of its own", async () => {
    expect(await request({})).toEqual(accepted);
    expect(await request({ claims: { iss: undefined } })).toEqual(refused);
    expect(await request({ claims: { sub: "somebody" } })).toEqual(refused);
    expect(await request({ claims: { exp: undefined } })).toEqual(refused);
    expect(await request({ claims: { jti: undefined } })).toEqual(refused);
    expect(await request({ claims: { aud: undefined } })).toEqual(refused);
  });

  it("may be typed as what it is, and as nothing else (draft-ietf-oauth-rfc7523bis)", async () => {
    expect(await request({ header: { typ: "client-authentication+jwt" } })).toEqual(accepted);
    expect(await request({ header: { typ: "JWT" } })).toEqual(accepted);
    expect(await request({ header: { typ: "dpop+jwt" } })).toEqual(refused);
  });

  it("is over when its time is, begins when it says, and lives for five minutes at most", async () => {
    const now = Math.floor(server.clock.now().getTime() / 1000);
    expect(await request({ claims: { exp: now } })).toEqual(refused);
    expect(await request({ claims: { nbf: now + 120 } })).toEqual(refused);
    expect(await request({ claims: { exp: now + 3600 } })).toEqual(refused);
  });

  it("names the client that the form names, where it does (RFC 7521 §4.2)", async () => {
    const { clientId } = app.registered.client;
    expect(await request({ fields: { client_id: clientId } })).toEqual(accepted);
    expect(await request({ fields: { client_id: "somebody" } })).toEqual(refused);
  });

  it("is the only method of its request (RFC 6749 §2.3)", async () => {
    expect(await request({ fields: { client_secret: "x" } })).toEqual([400, "invalid_request"]);
    const headers = { authorization: `Basic ${btoa("a:b")}` };
    expect(await request({ headers })).toEqual([400, "invalid_request"]);
  });

  it("is by the algorithm that the client is registered for, where it is for one", async () => {
    const [own, other] = [await newTestKey("RS256"), await newTestKey("ES256")];
    const machine = await registerMachine({
      jwks: jwksOf(own, other),
      tokenEndpointAuthSigningAlg: "RS256",
    });
    expect((await client.clientCredentialsGrant(await configured(machine, own))).access_token).toBeString();
    expect(await refusal(client.clientCredentialsGrant(await configured(machine, other)))).toBe(
      "invalid_client",
    );
  });
});

describe("RFC 8414 §2: metadata", () => {
  it("names the method and the algorithms for each endpoint", () => {
    const metadata = app.config.serverMetadata();
    for (const endpoint of ["token", "introspection", "revocation"]) {
      expect(metadata[`${endpoint}_endpoint_auth_methods_supported`]).toContain("private_key_jwt");
      expect(metadata[`${endpoint}_endpoint_auth_signing_alg_values_supported`]).toEqual([
        "ES256",
        "EdDSA",
        "Ed25519",
        "PS256",
        "RS256",
      ]);
    }
  });
});
