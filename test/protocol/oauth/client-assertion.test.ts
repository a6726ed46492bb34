import { beforeAll, describe, expect, it } from "bun:test";
import fc from "fast-check";
import {
  CLIENT_ASSERTION_TYPE,
  readClientAssertion,
  verifyClientAssertion,
} from "../../../src/protocol/oauth/client-assertion.ts";
import {
  authenticateClient,
  readClientCredentials,
} from "../../../src/protocol/oauth/client-authentication.ts";
import { singleValued } from "../../../src/protocol/oauth/parameters.ts";
import { createSigner, NOW_SECONDS, type Signer, unsignedJwt } from "../signer.ts";
import { NOW, oauthError, throwsOnlyOAuthErrors } from "../support.ts";

const ISSUER = "https://id.example.com";
const claims = {
  iss: "c1",
  sub: "c1",
  aud: ISSUER,
  jti: "1",
  iat: NOW_SECONDS,
  exp: NOW_SECONDS + 60,
};
let signer: Signer;
beforeAll(async () => {
  signer = await createSigner();
});

const form = (assertion: string, more: Record<string, string> = {}) =>
  singleValued(
    new URLSearchParams({
      client_assertion_type: CLIENT_ASSERTION_TYPE,
      client_assertion: assertion,
      ...more,
    }),
  );
const read = (assertion: string, more?: Record<string, string>) => {
  const found = readClientAssertion(form(assertion, more));
  if (!found) throw new Error("no assertion was read");
  return found;
};
const verify = async (changes: Record<string, unknown> = {}, header = {}, signingAlg: string | null = null) =>
  verifyClientAssertion(read(await signer.sign({ ...claims, ...changes }, header)), signer.key, {
    issuer: ISSUER,
    now: NOW,
    signingAlg,
  });
/** What the client is told: the same status always, and why only when the signature held. */
const refusal = async (...change: Parameters<typeof verify>) => {
  const jwt = await verify(...change).then(
    () => undefined,
    (error: unknown) => error,
  );
  const error = oauthError(() => {
    if (jwt) throw jwt;
  });
  expect([error.code, error.status]).toEqual(["invalid_client", 401]);
  return error.message;
};

describe("reading a client assertion (RFC 7521 §4.2, RFC 7523 §2.2)", () => {
  it("tells the client by its iss and sub", async () => {
    const assertion = read(await signer.sign(claims, { kid: "k" }));
    expect([assertion.clientId, assertion.jwt.hint]).toEqual(["c1", { alg: "ES256", kid: "k" }]);
  });

  it("finds none where there is none", () => {
    expect(readClientAssertion(singleValued(new URLSearchParams("client_id=c1")))).toBeUndefined();
  });

  it("takes both parameters, of the one type", async () => {
    const jwt = await signer.sign(claims);
    const codeOf = (search: Record<string, string>) =>
      oauthError(() => readClientAssertion(singleValued(new URLSearchParams(search)))).code;
    expect(codeOf({ client_assertion: jwt })).toBe("invalid_request");
    expect(codeOf({ client_assertion_type: CLIENT_ASSERTION_TYPE })).toBe("invalid_request");
    const saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
    expect(codeOf({ client_assertion: jwt, client_assertion_type: saml })).toBe("invalid_client");
  });

  it("refuses iss, sub and client_id that differ", async () => {
    const other = await signer.sign({ ...claims, iss: "c2" });
    for (const jwt of [other, await signer.sign({ ...claims, sub: undefined })])
      expect(oauthError(() => read(jwt)).code).toBe("invalid_client");
    const aboutAnother = await signer.sign({ ...claims, sub: "c2" });
    expect(oauthError(() => read(aboutAnother, { client_id: "c1" })).code).toBe("invalid_client");
    const good = await signer.sign(claims);
    expect(read(good, { client_id: "c1" }).clientId).toBe("c1");
    expect(oauthError(() => read(good, { client_id: "c2" })).code).toBe("invalid_client");
  });

  it("refuses what is not signed with an algorithm of ours, or brings its key", async () => {
    for (const alg of ["none", "HS256", "ES384", "RSA1_5"])
      expect(oauthError(() => read(unsignedJwt({ alg }, claims, "AAAA"))).code).toBe("invalid_client");
    expect(oauthError(() => read(unsignedJwt({ alg: "none" }, claims))).code).toBe("invalid_client");
    const embedded = await signer.sign(claims, { jwk: signer.jwk });
    expect(oauthError(() => read(embedded)).code).toBe("invalid_client");
  });

  it("throws nothing but OAuthErrors", () => {
    fc.assert(
      fc.property(fc.string(), (text) => throwsOnlyOAuthErrors(() => readClientAssertion(form(text)))),
    );
  });

  it("is the one method of its request (RFC 6749 §2.3)", async () => {
    const jwt = await signer.sign(claims);
    expect(readClientCredentials(null, form(jwt))).toMatchObject({
      method: "private_key_jwt",
      clientId: "c1",
    });
    expect(oauthError(() => readClientCredentials("Basic YTpi", form(jwt))).code).toBe("invalid_request");
    expect(oauthError(() => readClientCredentials(null, form(jwt, { client_secret: "x" }))).code).toBe(
      "invalid_request",
    );
  });
});

describe("verifying a client assertion (RFC 7523 §3)", () => {
  it("accepts it once: it leaves what is stored of it", async () => {
    const use = await verify();
    expect(use.kind).toBe("client_assertion");
    expect(use.expiresAt.getTime() / 1000).toBeGreaterThan(claims.exp);
    expect((await verify()).hash).toEqual(use.hash);
    expect((await verify({ jti: "2" })).hash).not.toEqual(use.hash);
  });

  it("accepts every algorithm of ours", async () => {
    for (const alg of ["RS256", "PS256", "EdDSA", "Ed25519"]) {
      const { key, sign } = await createSigner(alg);
      const assertion = read(await sign(claims));
      expect(verifyClientAssertion(assertion, key, { issuer: ISSUER, now: NOW, signingAlg: null }).kind).toBe(
        "client_assertion",
      );
    }
  });

  it("is signed by the client's key, with the algorithm of that key and of its registration", async () => {
    const assertion = read(await signer.sign(claims));
    const other = await createSigner();
    const expected = { issuer: ISSUER, now: NOW, signingAlg: null };
    const messages = [undefined, other.key, { ...signer.key, algs: [] }].map(
      (key) => oauthError(() => verifyClientAssertion(assertion, key, expected)).message,
    );
    expect(messages).toEqual(Array(3).fill("Client authentication failed."));
    expect(await refusal({}, {}, "PS256")).toBe("Client authentication failed.");
    expect((await verify({}, {}, "ES256")).kind).toBe("client_assertion");
  });

  it("has our issuer as its only audience, as a string (draft-ietf-oauth-rfc7523bis, FAPI 2.0 §5.3.2.1)", async () => {
    const audiences = [
      `${ISSUER}/oauth/token`,
      `${ISSUER}/`,
      [ISSUER],
      [ISSUER, "https://evil.example"],
      "https://evil.example",
      undefined,
    ];
    for (const aud of audiences) expect(await refusal({ aud })).toContain("aud");
  });

  it("has a short time to live", async () => {
    expect(await refusal({ exp: undefined })).toContain("exp is missing");
    expect(await refusal({ exp: String(NOW_SECONDS + 60) })).toContain("exp is missing");
    expect(await refusal({ exp: NOW_SECONDS })).toContain("exp is past");
    expect(await refusal({ exp: NOW_SECONDS + 361 })).toContain("exp is more than 300 seconds ahead");
    expect((await verify({ exp: NOW_SECONDS + 360 })).kind).toBe("client_assertion");
  });

  it("was made before now, by clocks a minute apart (FAPI 2.0 §5.3.2.1)", async () => {
    for (const name of ["nbf", "iat"]) {
      expect((await verify({ [name]: NOW_SECONDS + 60 })).kind).toBe("client_assertion");
      expect(await refusal({ [name]: NOW_SECONDS + 61 })).toContain("in the future");
      expect(await refusal({ [name]: "soon" })).toContain("in the future");
    }
  });

  it("has a jti, which is not endless", async () => {
    for (const jti of [undefined, "", 7, "x".repeat(513)]) expect(await refusal({ jti })).toContain("jti");
  });

  it("is typed as one, or not at all (RFC 8725 §3.11)", async () => {
    for (const typ of ["JWT", "client-authentication+jwt", "application/client-authentication+jwt"])
      expect((await verify({}, { typ })).kind).toBe("client_assertion");
    for (const typ of ["dpop+jwt", "at+jwt", "oauth-authz-req+jwt", "logout+jwt"])
      expect(await refusal({}, { typ })).toContain("typ");
  });
});

describe("authenticating with an assertion", () => {
  const client = { clientId: "c1", tokenEndpointAuthMethod: "private_key_jwt", secretHashes: [] };

  it("is for clients that are registered for it, once it is verified", async () => {
    const credentials = readClientCredentials(null, form(await signer.sign(claims)));
    expect(authenticateClient(credentials, client, undefined, true)).toBe(client);
    const refused = [
      () => authenticateClient(credentials, client),
      () => authenticateClient(credentials, { ...client, tokenEndpointAuthMethod: "none" }, undefined, true),
      () => authenticateClient(credentials, { ...client, clientId: "c2" }, undefined, true),
      () => authenticateClient(credentials, undefined, undefined, true),
      () => authenticateClient({ method: "none", clientId: "c1" }, client, undefined, true),
    ];
    for (const act of refused) expect(oauthError(act).code).toBe("invalid_client");
  });
});
