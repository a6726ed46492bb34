import { describe, expect, it } from "bun:test";
import { isTotpCode, matchTotp, provisioningUri, secretText } from "../../../src/protocol/totp/totp.ts";

/** The secret and the times of RFC 6238 Appendix B; its codes of 8 digits end in these 6. */
const secret = Buffer.from("12345678901234567890");
const at = (seconds: number) => new Date(seconds * 1000);

describe("a code (RFC 6238 Appendix B)", () => {
  it.each([
    [59, "287082", 1],
    [1111111109, "081804", 37037036],
    [1111111111, "050471", 37037037],
    [1234567890, "005924", 41152263],
    [2000000000, "279037", 66666666],
    [20000000000, "353130", 666666666],
  ])("at %i seconds is %s", (seconds, code, step) => {
    expect(matchTotp(secret, code, at(seconds))).toBe(step);
  });
});

describe("the window (RFC 6238 §5.2)", () => {
  it("is one step before and one after, and tells which step it was", () => {
    const code = "050471";
    const step = 37037037;
    expect([-2, -1, 0, 1, 2].map((steps) => matchTotp(secret, code, at((step + steps) * 30)))).toEqual([
      undefined,
      step,
      step,
      step,
      undefined,
    ]);
  });
});

describe("what is no code", () => {
  it.each(["", "28708", "2870820", "28708a", "٢٨٧٠٨٢", " 287082", "-87082"])("is %j", (text) => {
    expect(isTotpCode(text)).toBe(false);
    expect(matchTotp(secret, text, at(59))).toBeUndefined();
  });
});

describe("a secret", () => {
  it("is typed as base32 without padding", () => {
    expect(secretText(secret)).toBe("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
  });

  it("comes with a provisioning URI in which no name can pass for another part", () => {
    const uri = new URL(provisioningUri(secret, "Evil: & Co?secret=x", "jane@example.com"));
    expect(uri.protocol + uri.host).toBe("otpauth:totp");
    expect(decodeURIComponent(uri.pathname)).toBe("/Evil  & Co?secret=x:jane@example.com");
    expect([...uri.searchParams]).toEqual([
      ["issuer", "Evil  & Co?secret=x"],
      ["secret", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"],
      ["algorithm", "SHA1"],
      ["digits", "6"],
      ["period", "30"],
    ]);
  });
});
