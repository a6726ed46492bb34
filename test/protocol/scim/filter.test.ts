/** Filters (RFC 7644 §3.4.2.2). */
import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { ScimError } from "../../../src/protocol/scim/error.ts";
import { matches } from "../../../src/protocol/scim/evaluate.ts";
import { MOST_CHARACTERS, parseFilter } from "../../../src/protocol/scim/filter.ts";
import type { JsonObject } from "../../../src/protocol/scim/resource.ts";
import { customSchema, scimType, users } from "./support.ts";

const barbara: JsonObject = {
  id: "2819c223",
  externalId: "Bjensen",
  userName: "bjensen@example.com",
  name: { formatted: "Ms. Barbara J Jensen III", familyName: "Jensen", givenName: "Barbara" },
  title: "Tour Guide",
  userType: "Employee",
  active: true,
  emails: [
    { value: "bjensen@example.com", type: "work", primary: true },
    { value: "babs@jensen.org", type: "home" },
  ],
  ims: [{ value: "someaimhandle", type: "aim" }],
  meta: { resourceType: "User", lastModified: "2011-05-13T04:42:34.000Z" },
  "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
    employeeNumber: "701984",
    manager: { value: "26118915" },
  },
  [customSchema.id]: { level: 7, weight: 1.5, code: "Ab", tags: ["red", "Blue"] },
};

const found = (filter: string) => matches(parseFilter(filter, users), barbara);

describe("a value path with a sub-attribute, as Entra ID asks for", () => {
  it.each([
    ['emails[type eq "work"].value eq "BJensen@example.com"', true],
    ['emails[type eq "home"].value eq "bjensen@example.com"', false],
    ['emails[type eq "home" or type eq "work"].value sw "babs" and active eq true', true],
    ['not (emails[type eq "home"].display pr)', true],
  ])("%s: %p", (filter, expected) => {
    expect(found(filter)).toBe(expected);
  });
});

describe("the examples of RFC 7644 §3.4.2.2, figure 2", () => {
  it.each([
    ['userName eq "bjensen@example.com"', true],
    ['userName Eq "BJENSEN@example.com"', true],
    ['name.familyName co "O\'Malley"', false],
    ['userName sw "J"', false],
    ['urn:ietf:params:scim:schemas:core:2.0:User:userName sw "b"', true],
    ["title pr", true],
    ['meta.lastModified gt "2011-05-13T04:42:34Z"', false],
    ['meta.lastModified ge "2011-05-13T04:42:34Z"', true],
    ['meta.lastModified lt "2011-05-13T06:42:35+02:00"', true],
    ['meta.lastModified le "2011-05-13T04:42:34Z"', true],
    ['title pr and userType eq "Employee"', true],
    ['title pr or userType eq "Intern"', true],
    ['userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")', true],
    ['userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")', false],
    ['userType eq "Employee" and (emails.type eq "work")', true],
    ['userType eq "Employee" and emails[type eq "work" and value co "@example.com"]', true],
    [
      'emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]',
      true,
    ],
  ])("%s: %p", (filter, expected) => expect(found(filter)).toBe(expected));
});

describe("a filter", () => {
  it.each([
    // One element has to fulfil all of it; the whole attribute may fulfil parts with different elements.
    ['emails[type eq "home" and value co "@example.com"]', false],
    ['emails.type eq "home" and emails.value co "@example.com"', true],
    // `externalId` and ids keep their case (RFC 7643 §3.1), user names do not (§4.1.1).
    ['externalId eq "bjensen"', false],
    ['externalId eq "Bjensen"', true],
    [`${customSchema.id}:code eq "ab"`, false],
    [`${customSchema.id}:tags eq "BLUE"`, true],
    [`${customSchema.id}:level gt 6`, true],
    [`${customSchema.id}:level gt 10`, false],
    [`${customSchema.id}:weight le 1.5`, true],
    ['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "26118915"', true],
    ['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "26118915"', true],
    ["active eq true", true],
    ['active eq "True"', true],
    ["active ne true", false],
    // Where there is no value, it is not the one that was asked for.
    ['nickName ne "Babs"', true],
    ['nickName eq "Babs"', false],
    ["nickName pr", false],
    ["nickName eq null", true],
    ["title ne null", true],
    ['nickName gt "A"', false],
    // `not` binds strongest, `or` least.
    ['not (title pr) or active eq true and userName sw "b"', true],
    ['title pr or active eq false and userName sw "x"', true],
    ["not(title pr)", false],
    ['(title pr or active eq false) and userName sw "x"', false],
    ['userName eq "a\\"b\\u0041"', false],
    ["   title    pr   ", true],
    ["emails pr", true],
    ["photos pr", false],
  ])("%s: %p", (filter, expected) => expect(found(filter)).toBe(expected));

  it.each([
    "",
    "userName",
    "userName eq",
    'userName xx "a"',
    'userName eq "a',
    "userName eq a",
    "userName eq 'a'",
    "userName eq TRUE",
    'shoeSize eq "44"',
    'name.shoe eq "44"',
    'urn:example:none:userName eq "x"',
    'userName eq "a" and',
    'and userName eq "a"',
    '(userName eq "a"',
    'userName eq "a")',
    'userName eq "a" userName eq "b"',
    "not title pr",
    'emails[type eq "work"',
    'emails[type eq "work"].values eq "x"',
    'emails[type eq "work"].value',
    'name.givenName.value eq "x"',
    'name[familyName eq "x"]',
    'emails[shoe eq "work"]',
    "emails[emails.type pr]",
    'active gt "true"',
    "active co true",
    "active eq 1",
    `${customSchema.id}:level co 1`,
    `${customSchema.id}:level eq "x"`,
    'meta.lastModified gt "yesterday"',
    'meta.lastModified co "2011"',
    "userName eq 5",
    "userName gt null",
    'name eq "x"',
    'userName eq "\\x"',
    'userName; eq "a"',
    "userName eq \u0000",
  ])("is refused with invalidFilter: %p", (filter) => {
    expect(scimType(() => parseFilter(filter, users))).toBe("invalidFilter");
  });

  it("is bounded in length, depth and comparisons, and refused fast", () => {
    const deep = `${"(".repeat(5000)}title pr${")".repeat(2000)}`;
    const negations = `${"not (".repeat(1000)}title pr${")".repeat(1000)}`;
    const wide = Array.from({ length: 500 }, () => "title pr").join(" or ");
    const long = `userName eq "${"a".repeat(MOST_CHARACTERS)}"`;
    const before = performance.now();
    for (const filter of [deep, negations, wide, long])
      expect(scimType(() => parseFilter(filter, users))).toBe("invalidFilter");
    expect(performance.now() - before).toBeLessThan(10_000);
  });

  it("gives nothing but a filter or invalidFilter for any text", () => {
    const pieces = fc.constantFrom(
      "userName",
      "emails",
      "[",
      "]",
      "(",
      ")",
      " ",
      "eq",
      "pr",
      "not",
      "and",
      '"',
      '"a"',
      "1",
      "true",
      ".",
      "value",
      "\\",
      "\n",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((parts) => parts.join(" ")),
        ),
        (text) => {
          try {
            matches(parseFilter(text, users), barbara);
          } catch (error) {
            if (!(error instanceof ScimError) || error.scimType !== "invalidFilter") throw error;
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
