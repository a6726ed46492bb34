import { beforeAll, describe, expect, it } from "bun:test";
import fc from "fast-check";
import {
  jwtBearerScope,
  readJwtBearerRequest,
  verifyJwtBearerAssertion,
} from "../../../../src/protocol/oauth/grants/jwt-bearer.ts";
import { singleValued } from "../../../../src/protocol/oauth/parameters.ts";
import { createSigner, NOW_SECONDS, type Signer, unsignedJwt } from "../../signer.ts";
import { NOW, oauthError, throwsOnlyOAuthErrors } from "../../support.ts";

const US = "https://id.example.com";
const claims = {
  iss: "https://sts.partner.example",
  sub: "alice@example.com",
  aud: US,
  jti: "1",
  exp: NOW_SECONDS + 60,
};
let signer: Signer;
beforeAll(async () => {
  signer = await createSigner("RS256", "k");
});

const read = (assertion: string, more: Record<string, string> = {}) =>
  readJwtBearerRequest(singleValued(new URLSearchParams({ assertion, ...more })));
const verify = async (
  changes: Record<string, unknown> = {},
  header = {},
  key: Signer["key"] | undefined = signer.key,
) =>
  verifyJwtBearerAssertion(read(await signer.sign({ ...claims, ...changes }, header)), key, {
    audience: US,
    now: NOW,
  });
const refusal = async (...change: Parameters<typeof verify>) => {
  const thrown = await verify(...change).then(
    () => undefined,
    (error: unknown) => error,
  );
  const error = oauthError(() => {
    if (thrown) throw thrown;
  });
  expect([error.code, error.status]).toEqual(["invalid_grant", 400]);
  return error.message;
};

describe("reading an assertion (RFC 7523 §2.1)", () => {
  it("tells its issuer and the scope", async () => {
    const { issuer, jwt, scope } = read(await signer.sign(claims, { kid: "k" }), { scope: "a b" });
    expect([issuer, jwt.hint, scope]).toEqual([claims.iss, { alg: "RS256", kid: "k" }, ["a", "b"]]);
  });

  it("refuses what is none", async () => {
    expect(oauthError(() => readJwtBearerRequest(singleValued(new URLSearchParams()))).code).toBe(
      "invalid_request",
    );
    for (const text of [
      "x",
      unsignedJwt({ alg: "none" }, claims),
      unsignedJwt({ alg: "HS256" }, claims, "AAAA"),
    ])
      expect(oauthError(() => read(text)).code).toBe("invalid_grant");
    const anonymous = await signer.sign({ ...claims, iss: undefined });
    expect(oauthError(() => read(anonymous)).code).toBe("invalid_grant");
    fc.assert(fc.property(fc.string({ minLength: 1 }), (text) => throwsOnlyOAuthErrors(() => read(text))));
  });
});

describe("verifying an assertion (RFC 7523 §3)", () => {
  it("tells whom it is about, and what is stored of it", async () => {
    const { subject, use } = await verify();
    expect([subject, use.kind]).toEqual([claims.sub, "jwt_bearer"]);
    expect((await verify()).use.hash).toEqual(use.hash);
    expect((await verify({ jti: "2" })).use.hash).not.toEqual(use.hash);
    expect((await verify({ iss: "https://other.example" })).use.hash).not.toEqual(use.hash);
  });

  it("is used once even without a jti", async () => {
    const { use } = await verify({ jti: undefined });
    expect((await verify({ jti: undefined })).use.hash).toEqual(use.hash);
    expect((await verify({ jti: undefined, sub: "bob" })).use.hash).not.toEqual(use.hash);
  });

  it("is by a key of an issuer that is trusted", async () => {
    const assertion = read(await signer.sign(claims));
    const keys = [undefined, (await createSigner("RS256")).key, (await createSigner()).key];
    for (const key of keys)
      expect(
        oauthError(() => verifyJwtBearerAssertion(assertion, key, { audience: US, now: NOW })).message,
      ).toContain("trusted");
  });

  it("is for us alone", async () => {
    expect((await verify({ aud: [US] })).subject).toBe(claims.sub);
    for (const aud of [
      undefined,
      "https://other.example",
      [US, "https://other.example"],
      [],
      `${US}/oauth/token`,
    ])
      expect(await refusal({ aud })).toContain("aud");
  });

  it("holds now, and not for long", async () => {
    expect(await refusal({ exp: undefined })).toContain("exp");
    expect(await refusal({ exp: NOW_SECONDS })).toContain("past");
    expect(await refusal({ exp: NOW_SECONDS + 3661 })).toContain("ahead");
    expect(await refusal({ nbf: NOW_SECONDS + 61 })).toContain("future");
  });

  it("has a subject, and is typed as nothing else", async () => {
    for (const sub of [undefined, "", 7]) expect(await refusal({ sub })).toContain("sub");
    expect((await verify({}, { typ: "JWT" })).subject).toBe(claims.sub);
    for (const typ of ["at+jwt", "client-authentication+jwt"])
      expect(await refusal({}, { typ })).toContain("typ");
  });
});

describe("its scope", () => {
  const limits = {
    issuerScopes: ["openid", "offline_access", "orders:read", "orders:write"],
    clientScopes: ["openid", "offline_access", "orders:read", "email"],
  };

  it("is what issuer and client both may, without a sign-in's", () => {
    expect(jwtBearerScope([], limits)).toEqual(["orders:read"]);
    expect(jwtBearerScope(["orders:read"], limits)).toEqual(["orders:read"]);
    for (const scope of ["orders:write", "email", "openid", "offline_access"])
      expect(oauthError(() => jwtBearerScope([scope], limits)).code).toBe("invalid_scope");
  });
});
