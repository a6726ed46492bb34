import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { csrfToken, isSameOriginPost, verifyCsrf } from "../../src/web/csrf.ts";

const master = (id: string, fill: number) => ({ id, key: Buffer.alloc(32, fill) });
const key = [master("1", 1)] as const;
const otherKey = [master("2", 2)] as const;

describe("CSRF token", () => {
  it("is accepted for the browser and the key it was made for, and for no other", () => {
    const token = csrfToken(key, "browser");
    expect(verifyCsrf(key, "browser", token)).toBe(true);
    expect(verifyCsrf(key, "another", token)).toBe(false);
    expect(verifyCsrf(otherKey, "browser", token)).toBe(false);
  });

  it("is accepted when its key is not the first any more, and made with the first", () => {
    const both = [...otherKey, ...key] as const;
    expect(verifyCsrf(both, "browser", csrfToken(key, "browser"))).toBe(true);
    expect(verifyCsrf(otherKey, "browser", csrfToken(both, "browser"))).toBe(true);
    expect(verifyCsrf(key, "browser", csrfToken(both, "browser"))).toBe(false);
  });

  it("differs each time, so that compression does not reveal it", () => {
    const tokens = Array.from({ length: 50 }, () => csrfToken(key, "browser"));
    expect(new Set(tokens.map((token) => token.slice(0, 43))).size).toBe(50);
    expect(new Set(tokens.map((token) => token.slice(-42))).size).toBe(50);
  });

  it("is refused when any character of it is changed", () => {
    const token = csrfToken(key, "browser");
    // The last character carries four bits that mean nothing, as base64url of 64 bytes has it.
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 84 }), (at) => {
        const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
        expect(verifyCsrf(key, "browser", changed)).toBe(false);
      }),
    );
  });

  it("is refused when it, or the browser's cookie, is missing or malformed", () => {
    const token = csrfToken(key, "browser");
    for (const wrong of [
      undefined,
      null,
      "",
      "x",
      "A".repeat(86),
      `${token}A`,
      token.slice(1),
      ` ${token}`,
    ]) {
      expect(verifyCsrf(key, "browser", wrong)).toBe(false);
    }
    expect(verifyCsrf(key, undefined, token)).toBe(false);
    expect(verifyCsrf(key, "", csrfToken(key, ""))).toBe(false);
  });
});

describe("origin of a form post", () => {
  const expectedOrigin = "https://id.example";
  const cases: [origin: string | null, secFetchSite: string | null, accepted: boolean][] = [
    ["https://id.example", "same-origin", true],
    ["https://id.example", null, true],
    [null, "same-origin", true],
    [null, "none", true],
    [null, null, true],
    ["https://evil.example", null, false],
    ["https://evil.example", "same-origin", false],
    ["https://id.example", "cross-site", false],
    ["https://id.example", "same-site", false],
    [null, "cross-site", false],
    [null, "same-site", false],
    [null, "same-origin, cross-site", false],
    [null, "", false],
    ["null", null, false],
    ["", null, false],
    ["http://id.example", null, false],
    ["https://id.example:8443", null, false],
    ["https://id.example.evil.example", null, false],
    ["https://ID.example", null, false],
  ];
  for (const [origin, secFetchSite, accepted] of cases) {
    it(`${accepted ? "accepts" : "refuses"} Origin ${origin}, Sec-Fetch-Site ${secFetchSite}`, () => {
      expect(isSameOriginPost({ origin, secFetchSite, expectedOrigin })).toBe(accepted);
    });
  }
});
