import { describe, expect, it } from "bun:test";
import { singleValued } from "../../../src/protocol/oauth/parameters.ts";
import { requestedGrantType } from "../../../src/protocol/oauth/token-request.ts";
import { tokenResponse } from "../../../src/protocol/oauth/token-response.ts";
import { oauthError } from "../support.ts";

describe("grant_type (RFC 6749 §5.2)", () => {
  const client = { grantTypes: ["authorization_code", "password"] };
  const grantType = (query: string) => requestedGrantType(singleValued(new URLSearchParams(query)), client);

  it("must be sent, known to the server, and allowed to the client", () => {
    expect(grantType("grant_type=authorization_code")).toBe("authorization_code");
    expect(oauthError(() => grantType("")).code).toBe("invalid_request");
    expect(oauthError(() => grantType("grant_type=password")).code).toBe("unsupported_grant_type");
    expect(oauthError(() => grantType("grant_type=client_credentials")).code).toBe("unauthorized_client");
  });
});

describe("token response (RFC 6749 §5.1)", () => {
  const issued = { accessToken: "2YotnFZFEjr1zCsicMWpAA", expiresInSeconds: 3600, scope: ["a", "b"] };

  it("tells the scope, and has no member without a value", () => {
    expect(tokenResponse(issued)).toEqual({
      access_token: "2YotnFZFEjr1zCsicMWpAA",
      token_type: "Bearer",
      expires_in: 3600,
      scope: "a b",
    });
    expect(Object.keys(tokenResponse({ ...issued, scope: [] }))).toEqual([
      "access_token",
      "token_type",
      "expires_in",
    ]);
  });

  it("holds refresh and ID tokens where they were issued", () => {
    expect(tokenResponse({ ...issued, refreshToken: "r", idToken: "i" })).toMatchObject({
      refresh_token: "r",
      id_token: "i",
    });
  });
});
