import { describe, expect, it } from "bun:test";
import { userClaimNames, userClaims } from "../../../src/protocol/oidc/claims.ts";
import { userInfoResponse } from "../../../src/protocol/oidc/userinfo.ts";
import { oauthError } from "../support.ts";

const alice = {
  givenName: "Alice",
  familyName: "Example",
  middleName: "",
  preferredUsername: "alice",
  picture: null,
  updatedAt: new Date("2026-03-01T12:00:00.500Z"),
  email: "alice@example.com",
  emailVerified: true,
  phoneNumber: "+41441234567",
  address: { country: "CH" },
};

describe("claims of scopes (OpenID Connect Core §5.4)", () => {
  it("are those of each scope, without the ones that have no value (§5.3.2)", () => {
    expect(userClaims(alice, ["openid"])).toEqual({});
    expect(userClaims(alice, ["openid", "profile"])).toEqual({
      name: "Alice Example",
      given_name: "Alice",
      family_name: "Example",
      preferred_username: "alice",
      updated_at: Date.parse("2026-03-01T12:00:00Z") / 1000,
    });
    expect(userClaims(alice, ["email"])).toEqual({ email: "alice@example.com", email_verified: true });
    expect(userClaims(alice, ["phone"])).toEqual({
      phone_number: "+41441234567",
      phone_number_verified: false,
    });
    expect(userClaims(alice, ["address"])).toEqual({ address: { country: "CH" } });
  });

  it("call an email verified only when it is, and only when there is one", () => {
    expect(userClaims({ email: "a@example.com" }, ["email"])).toEqual({
      email: "a@example.com",
      email_verified: false,
    });
    expect(userClaims({ emailVerified: true }, ["email"])).toEqual({});
    expect(userClaims({ phoneNumberVerified: true }, ["phone"])).toEqual({});
  });

  it("take the name as given, or make it of its parts", () => {
    expect(userClaims({ name: "A. Example", givenName: "Alice" }, ["profile"])).toMatchObject({
      name: "A. Example",
    });
    expect(userClaims({ givenName: "Alice" }, ["profile"])).toMatchObject({ name: "Alice" });
    expect(userClaims({}, ["profile"])).toEqual({});
  });

  it("may be asked for one by one (§5.5)", () => {
    expect(userClaims(alice, ["openid"], { email: {}, website: { essential: true } })).toEqual({
      email: "alice@example.com",
    });
  });

  it("are all that OpenID Connect Core §5.1 defines, besides sub", () => {
    expect(userClaimNames).toHaveLength(19);
    expect(userClaimNames).toContain("phone_number_verified");
  });
});

describe("UserInfo response (OpenID Connect Core §5.3.2)", () => {
  it("always holds sub", () => {
    expect(userInfoResponse({ subject: "u", scope: ["openid", "email"], user: alice })).toEqual({
      sub: "u",
      email: "alice@example.com",
      email_verified: true,
    });
    const requestedClaims = { picture: {}, nickname: {}, name: {} };
    expect(userInfoResponse({ subject: "u", scope: ["openid"], user: alice, requestedClaims })).toEqual({
      sub: "u",
      name: "Alice Example",
    });
  });

  it("needs the scope openid", () => {
    const error = oauthError(() => userInfoResponse({ subject: "u", scope: ["email"], user: alice }));
    expect([error.status, error.code]).toEqual([403, "insufficient_scope"]);
  });
});
