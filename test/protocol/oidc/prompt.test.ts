import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { parseClaimsParameter } from "../../../src/protocol/oidc/claims-parameter.ts";
import { parseMaxAge, parsePrompt } from "../../../src/protocol/oidc/prompt.ts";
import { oauthError, throwsOnlyOAuthErrors } from "../support.ts";

describe("prompt (OpenID Connect Core §3.1.2.1)", () => {
  it("is a set of known values", () => {
    expect(parsePrompt(undefined)).toEqual([]);
    expect(parsePrompt("none")).toEqual(["none"]);
    expect(parsePrompt("consent select_account login create login")).toEqual([
      "login",
      "consent",
      "select_account",
      "create",
    ]);
  });

  it("is refused when unknown, or none beside another", () => {
    for (const value of ["always", "login NONE", "none login", "consent none"])
      expect(oauthError(() => parsePrompt(value)).code).toBe("invalid_request");
  });
});

describe("max_age (OpenID Connect Core §3.1.2.1)", () => {
  it("is an integer of at least 0", () => {
    expect(parseMaxAge(undefined)).toBeUndefined();
    expect(parseMaxAge("0")).toBe(0);
    expect(parseMaxAge("86400")).toBe(86400);
    // More than a column of the database can hold, and than anybody can mean.
    expect(parseMaxAge("9999999999")).toBe(2 ** 31 - 1);
    for (const value of ["-1", "1.5", "1e3", "0x10", " 1", "abc", "99999999999", "١"])
      expect(oauthError(() => parseMaxAge(value)).code).toBe("invalid_request");
  });
});

describe("claims parameter (OpenID Connect Core §5.5)", () => {
  it("agrees with the shape of its example", () => {
    const claims = parseClaimsParameter(
      '{"userinfo":{"given_name":{"essential":true},"nickname":null},"id_token":{"acr":{"values":["urn:a"]},"sub":{"value":"1"}},"other":1}',
    );
    expect(claims).toEqual({
      userinfo: { given_name: { essential: true }, nickname: {} },
      idToken: { acr: { values: ["urn:a"] }, sub: { value: "1" } },
    });
    expect(parseClaimsParameter("{}")).toEqual({ userinfo: {}, idToken: {} });
    expect(parseClaimsParameter('{"userinfo":null}')).toEqual({ userinfo: {}, idToken: {} });
    expect(parseClaimsParameter(undefined)).toBeUndefined();
  });

  it("is refused in any other shape", () => {
    for (const value of [
      "",
      "null",
      "[]",
      "1",
      "{",
      '{"userinfo":[]}',
      '{"userinfo":{"a":1}}',
      '{"id_token":{"a":{"essential":"yes"}}}',
      '{"id_token":{"a":{"values":"x"}}}',
    ])
      expect(oauthError(() => parseClaimsParameter(value)).code).toBe("invalid_request");
  });

  it("does not change what objects inherit", () => {
    const claims = parseClaimsParameter('{"userinfo":{"__proto__":{"value":"x"}}}');
    expect(Object.getPrototypeOf(claims?.userinfo)).toBe(Object.prototype);
    expect(Object.keys(claims?.userinfo ?? {})).toEqual(["__proto__"]);
  });
});

it("these parsers throw nothing but OAuthErrors", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (value) =>
      [parsePrompt, parseMaxAge, parseClaimsParameter].every((parse) =>
        throwsOnlyOAuthErrors(() => parse(value)),
      ),
    ),
  );
});
