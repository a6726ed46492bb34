import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { defaultLocale, locales, negotiateLocale } from "../../src/lib/locale.ts";

describe("negotiateLocale", () => {
  it.each([
    ["de", "de"],
    ["de-AT", "de"],
    ["DE-at", "de"],
    ["fr, de", "de"],
    ["fr;q=1, en;q=0.2, de;q=0.8", "de"],
    ["de;q=0.1, en", "en"],
    ["de;q=0, en;q=0.1", "en"],
    ["de ; q=0.9 , en;q=0.8", "de"],
    ["de;q=abc, en;q=0.1", "en"],
    ["*", "en"],
    ["zh", "en"],
    ["deu", "en"],
    [";;;,,,", "en"],
    ["", "en"],
  ])("takes of Accept-Language %p the language %p (RFC 9110 §12.5.4)", (acceptLanguage, expected) => {
    expect<string>(negotiateLocale({ acceptLanguage })).toBe(expected);
  });

  it("prefers what the application asks for (OpenID Connect Core §3.1.2.1, ui_locales)", () => {
    expect(negotiateLocale({ uiLocales: "de", acceptLanguage: "en" })).toBe("de");
    expect(negotiateLocale({ uiLocales: "fr-CA de-CH en", acceptLanguage: "en" })).toBe("de");
    expect(negotiateLocale({ uiLocales: "fr", acceptLanguage: "de" })).toBe("de");
  });

  it("falls back when nobody asks for anything", () => {
    expect(negotiateLocale({})).toBe(defaultLocale);
    expect(negotiateLocale({ acceptLanguage: null })).toBe(defaultLocale);
  });

  it("reads no more of a list than a browser would send", () => {
    expect(negotiateLocale({ acceptLanguage: `${"fr,".repeat(19)}de` })).toBe("de");
    expect(negotiateLocale({ acceptLanguage: `${"fr,".repeat(20)}de` })).toBe(defaultLocale);
    expect(negotiateLocale({ uiLocales: `${"fr ".repeat(20)}de` })).toBe(defaultLocale);
  });

  it("answers one of the languages on offer, whatever was sent", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (uiLocales, acceptLanguage) => {
        expect(locales).toContain(negotiateLocale({ uiLocales, acceptLanguage }));
      }),
    );
  });
});
