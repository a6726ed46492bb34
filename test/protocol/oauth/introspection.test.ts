import { describe, expect, it } from "bun:test";
import {
  activeAccessToken,
  activeRefreshToken,
  inactiveToken,
} from "../../../src/protocol/oauth/introspection.ts";
import { singleValued } from "../../../src/protocol/oauth/parameters.ts";
import { revocableToken } from "../../../src/protocol/oauth/revocation.ts";
import { readTokenParameters } from "../../../src/protocol/oauth/token-parameters.ts";
import { NOW, oauthError, secondsFromNow } from "../support.ts";

const read = (search: string) => readTokenParameters(singleValued(new URLSearchParams(search)));

describe("asking about a token (RFC 7662 §2.1, RFC 7009 §2.1)", () => {
  it("names the token, and perhaps its type", () => {
    expect(read("token=abc")).toEqual({ token: "abc", hint: undefined });
    expect(read("token=abc&token_type_hint=refresh_token").hint).toBe("refresh_token");
    expect(read("token=abc&token_type_hint=access_token").hint).toBe("access_token");
  });

  it("does not mind a type that nobody knows", () => {
    expect(read("token=abc&token_type_hint=saml2").hint).toBeUndefined();
  });

  it("is refused without a token, or with two", () => {
    for (const search of ["", "token=", "token=a&token=b"])
      expect(oauthError(() => read(search)).code).toBe("invalid_request");
  });
});

describe("the answer (RFC 7662 §2.2)", () => {
  const claims = {
    iss: "https://id.example.com",
    sub: "u",
    aud: "https://api.example",
    exp: 2,
    iat: 1,
    jti: "j",
    client_id: "c",
    scope: "a b",
    acr: "urn:x",
    auth_time: 1,
  };

  it("tells what the token says, and that it is active", () => {
    expect(activeAccessToken(claims, "alice")).toEqual({
      ...claims,
      active: true,
      token_type: "Bearer",
      username: "alice",
    });
    expect(activeAccessToken(claims, null)).not.toHaveProperty("username");
  });

  it("tells the key of a bound token, and the actor (RFC 9449 §6.2, RFC 8693 §7.3)", () => {
    const bound = activeAccessToken({ ...claims, cnf: { jkt: "k" }, act: { sub: "b" } });
    expect(bound).toMatchObject({ token_type: "DPoP", cnf: { jkt: "k" }, act: { sub: "b" } });
  });

  it("keeps personal data and our own claims to itself", () => {
    const told = activeAccessToken({
      ...claims,
      email: "a@b",
      given_name: "A",
      fam: "f",
      active: false,
      token_type: "x",
    });
    expect(told).toEqual({ ...claims, active: true, token_type: "Bearer" });
  });

  it("about a token that does not hold says nothing else", () => {
    expect(inactiveToken).toEqual({ active: false });
  });

  it("about a refresh token has no token_type", () => {
    const token = {
      issuer: "i",
      subject: "u",
      clientId: "c",
      scope: ["a", "b"],
      issuedAt: NOW,
      expiresAt: secondsFromNow(5),
    };
    expect(activeRefreshToken(token)).toEqual({
      active: true,
      iss: "i",
      sub: "u",
      client_id: "c",
      scope: "a b",
      iat: NOW.getTime() / 1000,
      exp: NOW.getTime() / 1000 + 5,
    });
    expect(activeRefreshToken({ ...token, scope: [] })).not.toHaveProperty("scope");
  });
});

describe("revoking (RFC 7009 §2.1, §2.2)", () => {
  it("is for the client that the token was issued to", () => {
    const token = { clientId: "c1" };
    expect(revocableToken(token, "c1")).toBe(token);
    expect(oauthError(() => revocableToken(token, "c2")).code).toBe("invalid_grant");
  });

  it("of an unknown token is done already", () => {
    expect(revocableToken(undefined, "c1")).toBeUndefined();
  });
});
