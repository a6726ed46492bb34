import { describe, expect, it } from "bun:test";
import { decideClientCredentials } from "../../../../src/protocol/oauth/grants/client-credentials.ts";
import { singleValued } from "../../../../src/protocol/oauth/parameters.ts";
import { oauthError } from "../../support.ts";

describe("client credentials grant (RFC 6749 §4.4)", () => {
  const client = { tokenEndpointAuthMethod: "client_secret_basic", scopes: ["openid", "a", "b"] };
  const decide = (query: string, changes = {}) =>
    decideClientCredentials(singleValued(new URLSearchParams(query)), { ...client, ...changes });

  it("gives the scope asked for, or all that the client has", () => {
    expect(decide("")).toEqual({ scope: ["a", "b"] });
    expect(decide("scope=b")).toEqual({ scope: ["b"] });
  });

  it("is for confidential clients only (§4.4.2)", () => {
    expect(oauthError(() => decide("", { tokenEndpointAuthMethod: "none" })).code).toBe(
      "unauthorized_client",
    );
  });

  it("has no user to identify or to be absent", () => {
    for (const query of ["scope=openid", "scope=offline_access", "scope=a c"])
      expect(oauthError(() => decide(query)).code).toBe("invalid_scope");
  });
});
