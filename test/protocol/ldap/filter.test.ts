/** Values in search filters (RFC 4515 §3). */
import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { AndFilter, EqualityFilter, FilterParser, OrFilter } from "ldapts";
import { escapeFilterValue, fillFilter } from "../../../src/protocol/ldap/filter.ts";

const text = fc.string({ unit: "binary", maxLength: 60 }).filter((value) => value.isWellFormed());

describe("a value in a filter", () => {
  it.each([
    ["ada", "ada"],
    ["ada@example.com", "ada@example.com"],
    ["*", "\\2a"],
    ["ada)(uid=*", "ada\\29\\28uid\\3d\\2a"],
    ["a\\2a", "a\\5c2a"],
    ["nul\0", "nul\\00"],
    ["a b&c|d!", "a\\20b\\26c\\7cd\\21"],
    ["müller", "müller"],
  ])("%p is written %p", (value, written) => {
    expect(escapeFilterValue(value)).toBe(written);
  });

  it("is read as itself, whatever it is, and never as a filter", () => {
    fc.assert(
      fc.property(text, (value) => {
        const filter = FilterParser.parseString(fillFilter("(uid={{username}})", "username", value));
        expect(filter).toBeInstanceOf(EqualityFilter);
        expect(filter).toMatchObject({ attribute: "uid", value });
      }),
    );
  });

  it("leaves the filter around it as it was", () => {
    const template = "(&(objectClass=person)(|(uid={{username}})(mail={{username}})))";
    fc.assert(
      fc.property(text, (value) => {
        const filter = FilterParser.parseString(fillFilter(template, "username", value));
        if (!(filter instanceof AndFilter)) throw new Error("the outer filter is another one");
        const [, names] = filter.filters;
        if (!(names instanceof OrFilter)) throw new Error("the inner filter is another one");
        expect(filter.filters).toHaveLength(2);
        expect(names.filters).toMatchObject([
          { attribute: "uid", value },
          { attribute: "mail", value },
        ]);
      }),
    );
  });

  it("is put in literally: no pattern of replacements, no template in the value", () => {
    expect(fillFilter("(uid={{username}})", "username", "$&$1{{username}}")).toBe(
      "(uid=\\24\\26\\241\\7b\\7busername\\7d\\7d)",
    );
  });
});
