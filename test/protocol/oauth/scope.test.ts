import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import {
  authorizableScope,
  formatScope,
  hasOfflineAccess,
  isScopeSubset,
  isScopeToken,
  machineScope,
  narrowedScope,
  parseScope,
} from "../../../src/protocol/oauth/scope.ts";
import { CLIENT, oauthError, throwsOnlyOAuthErrors } from "../support.ts";

describe("scope syntax (RFC 6749 §3.3)", () => {
  it("is a list of tokens, each counted once", () => {
    expect(parseScope("openid profile openid")).toEqual(["openid", "profile"]);
    expect(parseScope(undefined)).toEqual([]);
  });

  it("refuses characters outside the grammar, and nothing but spaces", () => {
    for (const scope of ['a"b', "a\\b", "a\tb", "ä", "a\nb", " ", "a\u0000"])
      expect(oauthError(() => parseScope(scope)).code).toBe("invalid_scope");
    expect(isScopeToken("orders:read")).toBe(true);
    expect(isScopeToken("orders read")).toBe(false);
  });

  it("survives any text, and reads what it wrote", () => {
    fc.assert(fc.property(fc.string(), (scope) => throwsOnlyOAuthErrors(() => parseScope(scope))));
    const token = fc.stringMatching(/^[\x21\x23-\x5B\x5D-\x7E]+$/);
    fc.assert(
      fc.property(fc.uniqueArray(token, { minLength: 1 }), (tokens) => {
        expect(parseScope(formatScope(tokens))).toEqual(tokens);
      }),
    );
  });
});

describe("scope of an authorization request", () => {
  it("is what was asked for, within the client's registration", () => {
    expect(authorizableScope(["openid", "orders:read"], CLIENT)).toEqual(["openid", "orders:read"]);
    expect(oauthError(() => authorizableScope(["openid", "orders:write"], CLIENT)).code).toBe(
      "invalid_scope",
    );
  });

  it("leaves out offline_access for a client without refresh tokens (OpenID Connect Core §11)", () => {
    const client = { ...CLIENT, grantTypes: ["authorization_code"] };
    expect(authorizableScope(["openid", "offline_access"], client)).toEqual(["openid"]);
    expect(authorizableScope(["openid", "offline_access"], CLIENT)).toEqual(["openid", "offline_access"]);
    expect(oauthError(() => authorizableScope(["offline_access"], client)).code).toBe("invalid_scope");
  });

  it("needs offline_access to be registered where it is not left out", () => {
    const client = { ...CLIENT, scopes: ["openid"] };
    expect(oauthError(() => authorizableScope(["openid", "offline_access"], client)).code).toBe(
      "invalid_scope",
    );
  });

  it("is the client's own when omitted, without openid and offline_access", () => {
    expect(authorizableScope([], CLIENT)).toEqual(["profile", "email", "orders:read"]);
    expect(oauthError(() => authorizableScope([], { ...CLIENT, scopes: ["openid"] })).code).toBe(
      "invalid_scope",
    );
  });
});

describe("scope of other grants", () => {
  it("of a client for itself holds nothing about a user (RFC 6749 §4.4.2)", () => {
    expect(machineScope([], CLIENT.scopes)).toEqual(["orders:read"]);
    expect(machineScope(["orders:read"], CLIENT.scopes)).toEqual(["orders:read"]);
    for (const scope of ["openid", "offline_access", "profile", "email", "orders:write"])
      expect(oauthError(() => machineScope([scope], CLIENT.scopes)).code).toBe("invalid_scope");
  });

  it("of a refresh may narrow, never widen (RFC 6749 §6)", () => {
    expect(narrowedScope([], ["a", "b"])).toEqual(["a", "b"]);
    expect(narrowedScope(["b"], ["a", "b"])).toEqual(["b"]);
    expect(oauthError(() => narrowedScope(["b", "c"], ["a", "b"])).code).toBe("invalid_scope");
  });

  it("knows subsets and offline access", () => {
    expect(isScopeSubset([], ["a"])).toBe(true);
    expect(isScopeSubset(["a", "b"], ["a"])).toBe(false);
    expect(hasOfflineAccess(["openid", "offline_access"])).toBe(true);
    expect(hasOfflineAccess(["openid"])).toBe(false);
  });
});
