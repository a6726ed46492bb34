import { describe, expect, it } from "bun:test";
import { locales } from "../../src/lib/locale.ts";
import { translator } from "../../src/web/messages/translator.ts";

describe("message catalogues of the hosted pages", () => {
  for (const locale of locales) {
    it(`${locale} has exactly the texts of the others, and none is empty`, () => {
      expect(keys(translator(locale))).toEqual(keys(translator("en")));
      expect(texts(translator(locale)).filter((text) => text.trim() === "")).toEqual([]);
    });

    it(`${locale} puts every argument into its text`, () => {
      const t = translator(locale);
      const sentences = [
        t.continueTo,
        t.checkYourMail.verify,
        t.checkYourMail.reset,
        t.consent.title,
        t.consent.signedInAs,
        t.consent.redirect,
        t.consent.otherScope,
      ];
      for (const sentence of sentences) expect(sentence("Ledger")).toContain("Ledger");
      expect(t.signUp.passwordRules(12, ["A", "B", "C"])).toMatch(/12.*A, B (and|und) C/);
      expect(t.signUp.passwordRules(8, [])).toMatch(/^\S+ \S*\s?8 \S+\.$/);
    });
  }

  it("are written in different languages", () => {
    const english = new Set(texts(translator("en")));
    const same = texts(translator("de")).filter((text) => english.has(text));
    expect(same).toEqual(["Website", "Name", "HTML"]);
  });
});

function keys(value: object, path = ""): string[] {
  return Object.entries(value).flatMap(([key, entry]) =>
    typeof entry === "object" && entry !== null ? keys(entry, `${path}${key}.`) : [path + key],
  );
}

function texts(value: object): string[] {
  return Object.values(value).flatMap((entry: unknown) => {
    if (typeof entry === "string") return [entry];
    return typeof entry === "object" && entry !== null ? texts(entry) : [];
  });
}
