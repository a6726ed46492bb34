import { beforeAll, describe, expect, it } from "bun:test";
import fc from "fast-check";
import { readParameters } from "../../../src/protocol/oauth/parameters.ts";
import {
  readRequestObject,
  type RequestObject,
  verifyRequestObject,
} from "../../../src/protocol/oauth/request-object.ts";
import { createSigner, NOW_SECONDS, type Signer, unsignedJwt } from "../signer.ts";
import { NOW, oauthError, throwsOnlyOAuthErrors } from "../support.ts";

const ISSUER = "https://id.example.com";
const claims = {
  iss: "c1",
  aud: ISSUER,
  nbf: NOW_SECONDS,
  exp: NOW_SECONDS + 300,
  jti: "1",
  client_id: "c1",
  response_type: "code",
  scope: "openid",
};
let signer: Signer;
beforeAll(async () => {
  signer = await createSigner();
});

const parametersOf = (search: Record<string, string> | string) => readParameters(new URLSearchParams(search));
const read = (request: string, more: Record<string, string> = {}): RequestObject => {
  const found = readRequestObject(parametersOf({ client_id: "c1", request, ...more }));
  if (!found) throw new Error("no request object was read");
  return found;
};
const verify = async (changes: Record<string, unknown> = {}, header = {}, signingAlg: string | null = null) =>
  verifyRequestObject(read(await signer.sign({ ...claims, ...changes }, header)), signer.key, {
    issuer: ISSUER,
    now: NOW,
    signingAlg,
  });
const refusal = async (...change: Parameters<typeof verify>) => {
  const thrown = await verify(...change).then(
    () => undefined,
    (error: unknown) => error,
  );
  const error = oauthError(() => {
    if (thrown) throw thrown;
  });
  expect(error.code).toBe("invalid_request_object");
  return error.message;
};

describe("reading a request object (RFC 9101 §5)", () => {
  it("tells the client by the client_id beside it", async () => {
    const { clientId, jwt } = read(await signer.sign(claims, { kid: "k" }));
    expect([clientId, jwt.hint.kid]).toEqual(["c1", "k"]);
  });

  it("finds none where there is none", () => {
    expect(readRequestObject(parametersOf("client_id=c1"))).toBeUndefined();
  });

  it("needs a client_id, and no request_uri", async () => {
    const request = await signer.sign(claims);
    expect(oauthError(() => readRequestObject(parametersOf({ request }))).code).toBe("invalid_request");
    expect(oauthError(() => read(request, { request_uri: "urn:x" })).code).toBe("invalid_request");
    expect(oauthError(() => readRequestObject(parametersOf("client_id=c1&request=a&request=b"))).code).toBe(
      "invalid_request_object",
    );
  });

  it("refuses one that is not signed, or signed with a shared secret", () => {
    for (const alg of ["none", "HS256"])
      for (const signature of ["", "AAAA"])
        expect(oauthError(() => read(unsignedJwt({ alg }, claims, signature))).code).toBe(
          "invalid_request_object",
        );
  });

  it("throws nothing but OAuthErrors", () => {
    fc.assert(fc.property(fc.string({ minLength: 1 }), (text) => throwsOnlyOAuthErrors(() => read(text))));
  });
});

describe("verifying a request object (RFC 9101 §6)", () => {
  it("gives its parameters, and none of the claims about it", async () => {
    const { parameters } = await verify();
    expect(Object.fromEntries(parameters)).toEqual({
      client_id: "c1",
      response_type: "code",
      scope: "openid",
    });
  });

  it("makes of each value what would stand in a query (§4)", async () => {
    const { parameters } = await verify({
      max_age: 60,
      claims: { userinfo: { email: null } },
      resource: ["https://a.example", "https://b.example"],
    });
    expect(parameters.get("max_age")).toBe("60");
    expect(parameters.get("claims")).toBe('{"userinfo":{"email":null}}');
    expect(parameters.getAll("resource")).toEqual(["https://a.example", "https://b.example"]);
    expect(await refusal({ state: null })).toContain("without a value");
  });

  it("leaves what is stored of it, so that it is used once", async () => {
    const { use } = await verify();
    expect(use.kind).toBe("request_object");
    expect(use.expiresAt.getTime() / 1000).toBeGreaterThan(claims.exp);
    expect((await verify({ scope: "email" })).use.hash).toEqual(use.hash);
    expect((await verify({ jti: "2" })).use.hash).not.toEqual(use.hash);
  });

  it("is its own identifier where it has no jti, however its signature is spelled", async () => {
    const [first, again] = [await verify({ jti: undefined }), await verify({ jti: undefined })];
    expect(first.use.hash).toEqual(again.use.hash);
    expect((await verify({ jti: undefined, scope: "email" })).use.hash).not.toEqual(first.use.hash);
  });

  it("is signed by a key of the client, with the registered algorithm", async () => {
    const object = read(await signer.sign(claims));
    const expected = { issuer: ISSUER, now: NOW, signingAlg: null };
    for (const key of [undefined, (await createSigner()).key])
      expect(oauthError(() => verifyRequestObject(object, key, expected)).message).toContain("signature");
    expect(await refusal({}, {}, "PS256")).toContain("signature");
  });

  it("is from the client, which it names inside as well (§5, §6.3)", async () => {
    for (const changes of [{ iss: "c2" }, { iss: undefined }, { client_id: "c2" }, { client_id: undefined }])
      expect(await refusal(changes)).toContain("client_id");
  });

  it("is for us (§4)", async () => {
    expect((await verify({ aud: ["https://other.example", ISSUER] })).use.kind).toBe("request_object");
    for (const aud of [undefined, "https://other.example", [], `${ISSUER}/`])
      expect(await refusal({ aud })).toContain("aud");
  });

  it("is no client assertion (§10.8)", async () => {
    expect(await refusal({ sub: "c1" })).toContain("sub");
    expect(await refusal({}, { typ: "client-authentication+jwt" })).toContain("typ");
    for (const typ of ["oauth-authz-req+jwt", "application/oauth-authz-req+jwt", "JWT"])
      expect((await verify({}, { typ })).use.kind).toBe("request_object");
  });

  it("is young, and not for long (FAPI 2.0 Message Signing §5.3.1)", async () => {
    expect(await refusal({ exp: undefined })).toContain("exp is missing");
    expect(await refusal({ exp: NOW_SECONDS })).toContain("exp is past");
    expect(await refusal({ nbf: undefined })).toContain("nbf is missing");
    expect((await verify({ nbf: undefined, iat: NOW_SECONDS })).use.kind).toBe("request_object");
    expect(await refusal({ nbf: NOW_SECONDS + 61 })).toContain("in the future");
    expect(await refusal({ nbf: NOW_SECONDS - 3661, exp: NOW_SECONDS + 10 })).toContain("too long past");
    expect(await refusal({ exp: NOW_SECONDS + 3601 })).toContain("too long after nbf");
    expect(await refusal({ exp: NOW_SECONDS + 3661 })).toContain("ahead");
  });

  it("does not hold another request (§4)", async () => {
    for (const name of ["request", "request_uri"])
      expect(await refusal({ [name]: "x" })).toContain("another");
  });
});
