import { describe, expect, it } from "bun:test";
import {
  LOGOUT_EVENT,
  LOGOUT_TOKEN_TYP,
  logoutDelivery,
  logoutTokenClaims,
} from "../../../src/protocol/oidc/backchannel-logout.ts";

describe("a logout token (Back-Channel Logout §2.4)", () => {
  const claims = logoutTokenClaims({
    issuer: "https://id.example",
    clientId: "app",
    subject: "ada",
    sessionId: "sess_1",
    issuedAt: new Date(1_700_000_000_000),
    jwtId: "1",
  });

  it("has all that it has to have, and no nonce", () => {
    expect(claims).toEqual({
      iss: "https://id.example",
      sub: "ada",
      aud: "app",
      iat: 1_700_000_000,
      exp: 1_700_000_120,
      jti: "1",
      sid: "sess_1",
      events: { [LOGOUT_EVENT]: {} },
    });
    expect(LOGOUT_EVENT).toBe("http://schemas.openid.net/event/backchannel-logout");
  });

  it("is of a type of its own", () => {
    expect(LOGOUT_TOKEN_TYP).toBe("logout+jwt");
  });
});

describe("the answer to a logout request (Back-Channel Logout §2.8)", () => {
  it.each([
    [200, "delivered"],
    [204, "delivered"],
    [400, "refused"],
    [302, "try_again"],
    [404, "try_again"],
    [408, "try_again"],
    [429, "try_again"],
    [500, "try_again"],
    [503, "try_again"],
  ] as const)("of status %d means %s", (status, delivery) => {
    expect(logoutDelivery(status)).toBe(delivery);
  });
});
