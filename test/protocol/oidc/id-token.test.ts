import { describe, expect, it } from "bun:test";
import { createHash } from "node:crypto";
import { halfHash, idTokenClaims } from "../../../src/protocol/oidc/id-token.ts";

const input = {
  issuer: "https://id.example",
  subject: "user",
  clientId: "client",
  issuedAt: new Date("2026-03-01T12:00:00Z"),
  lifetimeSeconds: 3600,
  alg: "RS256" as const,
  authTime: new Date("2026-03-01T11:00:00Z"),
  acr: "1",
  amr: ["pwd"],
};
const iat = Date.parse("2026-03-01T12:00:00Z") / 1000;

describe("ID token claims (OpenID Connect Core §2)", () => {
  it("are those of the authentication", () => {
    expect(idTokenClaims(input)).toEqual({
      iss: "https://id.example",
      sub: "user",
      aud: "client",
      azp: "client",
      exp: iat + 3600,
      iat,
      auth_time: iat - 3600,
      acr: "1",
      amr: ["pwd"],
    });
  });

  it("hold nonce, at_hash and sid where there is something to tell", () => {
    const accessToken = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    expect(idTokenClaims({ ...input, accessToken, nonce: "n-0S6_WzA2Mj", sessionId: "sess" })).toMatchObject({
      nonce: "n-0S6_WzA2Mj",
      at_hash: "77QmUPtjPfzWtF2AnpK9RQ",
      sid: "sess",
    });
    expect(idTokenClaims({ ...input, nonce: null })).not.toHaveProperty("nonce");
  });

  it("of the protocol are not replaced by those about the person", () => {
    const userClaims = { sub: "mallory", aud: "x", acr: "9", iss: "x", exp: 9e9, email: "a@example.com" };
    expect(idTokenClaims({ ...input, userClaims })).toMatchObject({
      ...idTokenClaims(input),
      email: "a@example.com",
    });
  });
});

describe("at_hash and c_hash (OpenID Connect Core §3.1.3.6, §3.3.2.11)", () => {
  it("agree with Appendix A.3 and A.4", () => {
    expect(halfHash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", "RS256")).toBe("77QmUPtjPfzWtF2AnpK9RQ");
    expect(halfHash("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk", "RS256")).toBe(
      "LDktKdoQak3Pk0cnXxCltA",
    );
  });

  it("use SHA-256 with PS256 and ES256, SHA-512 with Ed25519", () => {
    expect(halfHash("token", "ES256")).toBe(halfHash("token", "RS256"));
    expect(halfHash("token", "PS256")).toBe(halfHash("token", "RS256"));
    const sha512 = createHash("sha512").update("token").digest();
    expect(halfHash("token", "EdDSA")).toBe(sha512.subarray(0, 32).toString("base64url"));
  });
});
