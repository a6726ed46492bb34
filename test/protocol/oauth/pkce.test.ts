import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { readParameters } from "../../../src/protocol/oauth/parameters.ts";
import { requireCodeChallenge, s256Challenge, verifyCodeVerifier } from "../../../src/protocol/oauth/pkce.ts";
import { CHALLENGE, oauthError, throwsOnlyOAuthErrors, VERIFIER } from "../support.ts";

const challengeOf = (parameters: Record<string, string>) =>
  requireCodeChallenge(readParameters(new URLSearchParams(parameters)));

describe("PKCE of an authorization request (RFC 7636 §4.3, §4.4.1)", () => {
  it("takes an S256 challenge", () => {
    expect(challengeOf({ code_challenge: CHALLENGE, code_challenge_method: "S256" })).toBe(CHALLENGE);
  });

  it("refuses a request without code_challenge", () => {
    const error = oauthError(() => challengeOf({ code_challenge_method: "S256" }));
    expect([error.code, error.message]).toEqual(["invalid_request", "PKCE: code_challenge is required."]);
  });

  it("refuses plain, by name, by omission and in any other spelling", () => {
    for (const method of [
      { code_challenge_method: "" },
      { code_challenge_method: "plain" },
      { code_challenge_method: "s256" },
    ])
      expect(oauthError(() => challengeOf({ code_challenge: CHALLENGE, ...method })).code).toBe(
        "invalid_request",
      );
  });

  it("refuses a challenge that no SHA-256 has", () => {
    for (const challenge of [
      CHALLENGE.slice(1),
      `${CHALLENGE}A`,
      `${CHALLENGE}=`,
      `${CHALLENGE.slice(1)}+`,
      `${CHALLENGE.slice(0, 42)}N`,
    ])
      expect(
        oauthError(() => challengeOf({ code_challenge: challenge, code_challenge_method: "S256" })).code,
      ).toBe("invalid_request");
  });

  it("throws nothing but OAuthErrors", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (code_challenge, code_challenge_method) =>
        throwsOnlyOAuthErrors(() => challengeOf({ code_challenge, code_challenge_method })),
      ),
    );
  });
});

describe("PKCE of a token request (RFC 7636 §4.6)", () => {
  it("agrees with Appendix B", () => {
    expect(s256Challenge(VERIFIER)).toBe(CHALLENGE);
    expect(() => verifyCodeVerifier(CHALLENGE, VERIFIER)).not.toThrow();
  });

  it("refuses a wrong or missing verifier", () => {
    for (const verifier of [undefined, `${VERIFIER.slice(0, 42)}l`, CHALLENGE, ""])
      expect(oauthError(() => verifyCodeVerifier(CHALLENGE, verifier)).code).toBe("invalid_grant");
  });

  it("refuses a code without a challenge, with a verifier (downgrade, RFC 9700 §4.8.2) or without", () => {
    for (const challenge of [null, undefined, ""])
      for (const verifier of [VERIFIER, undefined, ""])
        expect(oauthError(() => verifyCodeVerifier(challenge, verifier)).code).toBe("invalid_grant");
  });

  it("refuses a verifier outside §4.1, though its hash matches", () => {
    for (const verifier of ["short", "a".repeat(42), "a".repeat(129), `${"a".repeat(42)}+`, "ä".repeat(43)])
      expect(oauthError(() => verifyCodeVerifier(s256Challenge(verifier), verifier)).code).toBe(
        "invalid_grant",
      );
  });

  it("takes every verifier of §4.1", () => {
    const character = fc.constantFrom(..."abcXYZ019-._~");
    const verifiers = fc.string({ unit: character, minLength: 43, maxLength: 128 });
    fc.assert(fc.property(verifiers, (verifier) => verifyCodeVerifier(s256Challenge(verifier), verifier)));
  });
});
