import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import {
  bearerChallenge,
  extractBearerToken,
  insufficientScope,
  invalidToken,
} from "../../../src/protocol/oauth/bearer.ts";
import { singleValued } from "../../../src/protocol/oauth/parameters.ts";
import { oauthError, throwsOnlyOAuthErrors } from "../support.ts";

const form = (query: string) => singleValued(new URLSearchParams(query));

describe("extracting a bearer token (RFC 6750 §2)", () => {
  it("reads the Authorization header, the scheme in any case (§2.1)", () => {
    expect(extractBearerToken("Bearer mF_9.B5f-4.1JqM")).toBe("mF_9.B5f-4.1JqM");
    expect(extractBearerToken("bearer   abc==")).toBe("abc==");
  });

  it("reads the form body (§2.2)", () => {
    expect(extractBearerToken(undefined, form("access_token=abc"))).toBe("abc");
  });

  it("finds none where there is none", () => {
    expect(extractBearerToken(null)).toBeUndefined();
    expect(extractBearerToken(undefined, form(""))).toBeUndefined();
    expect(extractBearerToken("Basic abc", form(""))).toBeUndefined();
    expect(extractBearerToken("Bearerabc")).toBeUndefined();
  });

  it("refuses two methods at once", () => {
    const error = oauthError(() => extractBearerToken("Bearer abc", form("access_token=abc")));
    expect([error.code, error.status]).toEqual(["invalid_request", 400]);
    expect(error.headers["www-authenticate"]).toContain('error="invalid_request"');
  });

  it("refuses what is no b64token", () => {
    for (const header of ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", 'Bearer "a"', "Bearer ä"])
      expect(oauthError(() => extractBearerToken(header)).code).toBe("invalid_request");
    expect(oauthError(() => extractBearerToken(null, form("access_token=a%20b"))).code).toBe(
      "invalid_request",
    );
  });

  it("throws nothing but OAuthErrors", () => {
    const header = fc.oneof(
      fc.string(),
      fc.string().map((text) => `Bearer ${text}`),
    );
    fc.assert(fc.property(header, (value) => throwsOnlyOAuthErrors(() => extractBearerToken(value))));
  });
});

describe("WWW-Authenticate (RFC 6750 §3)", () => {
  it("is bare when no token was sent (§3.1)", () => {
    expect(bearerChallenge()).toBe("Bearer");
  });

  it("tells error and description", () => {
    expect(
      bearerChallenge({
        realm: "example",
        error: "invalid_token",
        errorDescription: "The access token expired",
      }),
    ).toBe('Bearer realm="example", error="invalid_token", error_description="The access token expired"');
  });

  it("cannot be broken out of", () => {
    expect(bearerChallenge({ errorDescription: 'a"b\\c\r\nd' })).toBe('Bearer error_description="a b c  d"');
  });

  it("goes with 401 invalid_token and 403 insufficient_scope (§3.1)", () => {
    const invalid = invalidToken();
    expect([invalid.status, invalid.code]).toEqual([401, "invalid_token"]);
    expect(invalid.headers["www-authenticate"]).toContain('error="invalid_token"');
    const insufficient = insufficientScope(["openid"]);
    expect([insufficient.status, insufficient.code]).toEqual([403, "insufficient_scope"]);
    expect(insufficient.headers["www-authenticate"]).toEndWith('scope="openid"');
  });
});
