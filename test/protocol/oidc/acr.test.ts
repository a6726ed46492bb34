import { describe, expect, it } from "bun:test";
import {
  ACR_1FA,
  ACR_2FA,
  acrOf,
  combineAmr,
  satisfiesAcr,
  satisfiesNeed,
} from "../../../src/protocol/oidc/acr.ts";

describe("acr of a sign-in", () => {
  it("is that of two factors exactly when amr says mfa (RFC 8176 §2)", () => {
    expect(acrOf(["pwd"])).toBe(ACR_1FA);
    expect(acrOf(["pwd", "otp"])).toBe(ACR_1FA);
    expect(acrOf(["pwd", "otp", "mfa"])).toBe(ACR_2FA);
    expect(acrOf([])).toBe(ACR_1FA);
  });

  it("comes of one proof as it is, and of several with mfa", () => {
    expect(combineAmr([["pwd"]])).toEqual(["pwd"]);
    expect(combineAmr([["hwk", "user", "mfa"]])).toEqual(["hwk", "user", "mfa"]);
    expect(combineAmr([["pwd"], ["otp"]])).toEqual(["pwd", "otp", "mfa"]);
    expect(combineAmr([["otp"], ["otp"]])).toEqual(["otp", "mfa"]);
  });
});

describe("acr_values (OpenID Connect Core §3.1.2.1)", () => {
  it("are satisfied by a class as strong or stronger", () => {
    expect(satisfiesAcr(ACR_1FA, [ACR_1FA])).toBe(true);
    expect(satisfiesAcr(ACR_2FA, [ACR_1FA])).toBe(true);
    expect(satisfiesAcr(ACR_1FA, [ACR_2FA])).toBe(false);
  });

  it("are satisfied by any of several, and by anything when there are none", () => {
    expect(satisfiesAcr(ACR_1FA, [ACR_2FA, ACR_1FA])).toBe(true);
    expect(satisfiesAcr(ACR_1FA, [])).toBe(true);
  });

  it("of classes that nobody knows are satisfied by none of ours", () => {
    expect(satisfiesAcr(ACR_2FA, ["urn:mace:incommon:iap:silver"])).toBe(false);
    expect(satisfiesAcr("phr", [ACR_1FA])).toBe(false);
    expect(satisfiesAcr("phr", ["phr"])).toBe(true);
  });
});

describe("a recent proof", () => {
  const session = { authTime: new Date(1_000_000), acr: ACR_1FA };
  const after = (seconds: number) => new Date(1_000_000 + seconds * 1000);

  it("is one that is not older than was asked", () => {
    expect(satisfiesNeed(session, { maxAgeSeconds: 60 }, after(60))).toBe(true);
    expect(satisfiesNeed(session, { maxAgeSeconds: 60 }, after(61))).toBe(false);
  });

  it("is of the class that was asked", () => {
    expect(satisfiesNeed(session, { maxAgeSeconds: 60, acr: ACR_2FA }, after(0))).toBe(false);
    expect(satisfiesNeed({ ...session, acr: ACR_2FA }, { maxAgeSeconds: 60, acr: ACR_2FA }, after(0))).toBe(
      true,
    );
  });
});
