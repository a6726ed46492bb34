import { signingAlgorithms } from "../../../src/protocol/jose/algorithms.ts";
import { describe, expect, it } from "bun:test";
import { authorizationServerMetadata, openidProviderMetadata } from "../../../src/protocol/oidc/discovery.ts";

const input = {
  issuer: "https://id.example",
  endpoints: {
    authorization: "https://id.example/oauth/authorize",
    token: "https://id.example/oauth/token",
    userinfo: "https://id.example/oauth/userinfo",
    jwks: "https://id.example/.well-known/jwks.json",
  },
  scopes: ["openid", "profile"],
  acrValues: ["1"],
  clientAuthenticationMethods: ["client_secret_basic", "none"],
  idTokenSigningAlgorithms: [...signingAlgorithms],
  userClaims: ["name", "email"],
  claimsParameter: false,
  registration: true,
};

describe("provider metadata (OpenID Connect Discovery §3)", () => {
  it("has every required member", () => {
    for (const member of [
      "issuer",
      "authorization_endpoint",
      "token_endpoint",
      "userinfo_endpoint",
      "jwks_uri",
      "response_types_supported",
      "subject_types_supported",
      "id_token_signing_alg_values_supported",
    ])
      expect(openidProviderMetadata(input)).toHaveProperty(member);
  });

  it("offers RS256, as it must, and never none", () => {
    expect(openidProviderMetadata(input).id_token_signing_alg_values_supported).toEqual([
      "RS256",
      "PS256",
      "ES256",
      "EdDSA",
    ]);
  });

  it("names the claims of the protocol and those about people that there can be", () => {
    const { claims_supported: claims } = openidProviderMetadata(input);
    expect(claims).toEqual(expect.arrayContaining(["sub", "auth_time", "name", "email"]));
    expect(claims).not.toContain("birthdate");
  });

  it("says what it does not support where the default is that it does", () => {
    expect(openidProviderMetadata(input)).toMatchObject({
      request_uri_parameter_supported: false,
      request_parameter_supported: false,
      claims_parameter_supported: false,
    });
  });
});

describe("authorization server metadata (RFC 8414 §2)", () => {
  it("tells of S256 alone, of code alone and of iss (RFC 9207 §3)", () => {
    expect(authorizationServerMetadata(input)).toMatchObject({
      issuer: "https://id.example",
      code_challenge_methods_supported: ["S256"],
      response_types_supported: ["code"],
      authorization_response_iss_parameter_supported: true,
    });
  });

  it("is silent about what is not served", () => {
    const text = JSON.stringify(openidProviderMetadata(input));
    expect(text).not.toMatch(
      /revocation|introspection|registration_endpoint|end_session|ui_locales|service_doc/,
    );
  });

  it("tells how clients authenticate where they do", () => {
    const endpoints = {
      ...input.endpoints,
      revocation: "https://id.example/r",
      introspection: "https://id.example/i",
    };
    expect(authorizationServerMetadata({ ...input, endpoints })).toMatchObject({
      revocation_endpoint: "https://id.example/r",
      revocation_endpoint_auth_methods_supported: ["client_secret_basic", "none"],
      introspection_endpoint: "https://id.example/i",
      introspection_endpoint_auth_methods_supported: ["client_secret_basic"],
    });
  });
});
