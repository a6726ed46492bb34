import { describe, expect, it } from "bun:test";
import { accessTokenClaims } from "../../../src/protocol/oauth/access-token.ts";

const input = {
  issuer: "https://id.example",
  audience: ["https://api.example"],
  clientId: "client",
  scope: ["openid", "email"],
  issuedAt: new Date("2026-03-01T12:00:00.900Z"),
  lifetimeSeconds: 900,
  jwtId: "jti",
};
const iat = Date.parse("2026-03-01T12:00:00Z") / 1000;

describe("access token claims (RFC 9068 §2.2)", () => {
  it("name the client as subject when it acts for itself", () => {
    expect(accessTokenClaims(input)).toEqual({
      iss: "https://id.example",
      sub: "client",
      aud: "https://api.example",
      exp: iat + 900,
      iat,
      jti: "jti",
      client_id: "client",
      scope: "openid email",
    });
  });

  it("tell of the user, how and when they signed in, and what ends the token", () => {
    const user = {
      subject: "user",
      authTime: new Date((iat - 60) * 1000),
      acr: "1",
      amr: ["pwd"],
      sessionId: "sess",
      familyId: "fam",
      organizationId: "tenant",
      preferredUsername: "alice",
      email: "alice@example.com",
      emailVerified: true,
      givenName: "Alice",
      familyName: null,
      roles: ["admin"],
    };
    expect(accessTokenClaims({ ...input, user })).toMatchObject({
      sub: "user",
      client_id: "client",
      auth_time: iat - 60,
      acr: "1",
      amr: ["pwd"],
      sid: "sess",
      fam: "fam",
      org_id: "tenant",
      preferred_username: "alice",
      email: "alice@example.com",
      email_verified: true,
      given_name: "Alice",
      roles: ["admin"],
    });
    expect(accessTokenClaims({ ...input, user })).not.toHaveProperty("family_name");
    const bare = accessTokenClaims({ ...input, user: { ...user, email: null } });
    expect(bare).not.toHaveProperty("email");
    expect(bare).not.toHaveProperty("email_verified");
    const unverified = accessTokenClaims({ ...input, user: { ...user, emailVerified: undefined } });
    expect(unverified.email_verified).toBe(false);
  });

  it("may have several audiences, and no scope", () => {
    expect(accessTokenClaims({ ...input, audience: ["a", "b"] }).aud).toEqual(["a", "b"]);
    expect(accessTokenClaims({ ...input, scope: [] })).not.toHaveProperty("scope");
  });
});
