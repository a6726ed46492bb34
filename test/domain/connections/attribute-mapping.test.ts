/** From what a connection says of somebody to an identity: Liquid templates in a sandbox. */
import { describe, expect, it } from "bun:test";
import { AttributeMappingError, mapAttributes } from "../../../src/domain/connections/attribute-mapping.ts";
import { TEMPLATE_LENGTH, templateProblem } from "../../../src/domain/templates/liquid.ts";
import type { MappedAttribute } from "../../../src/domain/connections/model.ts";

const map = (
  claims: Record<string, unknown>,
  attributeMapping: Partial<Record<MappedAttribute, string>> = {},
  kind: "oidc" | "oauth2" = "oidc",
) => mapAttributes({ kind, attributeMapping }, { sub: "s", ...claims });

describe("without a mapping", () => {
  it("a number is a subject, unless it was rounded: then it could be several people's", () => {
    expect(map({ sub: 9_007_199_254_740_991 }).subject).toBe("9007199254740991");
    const rounded = { sub: JSON.parse("9007199254740993") };
    expect(() => map(rounded)).toThrow(AttributeMappingError);
    expect(() => map({ id: JSON.parse("9007199254740993") }, { subject: "{{ id }}" })).toThrow(
      AttributeMappingError,
    );
  });

  it("the standard claims are taken (OpenID Connect Core §5.1)", () => {
    expect(
      map({
        email: "ada@example.com",
        email_verified: true,
        preferred_username: "ada",
        given_name: "Ada",
        family_name: "Lovelace",
        picture: "https://example.com/ada.png",
        locale: "en-GB",
        groups: ["a", "b"],
        amr: ["pwd", "mfa"],
      }),
    ).toMatchObject({
      subject: "s",
      email: "ada@example.com",
      emailVerified: true,
      username: "ada",
      givenName: "Ada",
      familyName: "Lovelace",
      picture: "https://example.com/ada.png",
      locale: "en-GB",
      groups: ["a", "b"],
      amr: ["pwd", "mfa"],
    });
  });

  it.each([
    [true, true],
    ["true", true],
    [1, true],
    [false, false],
    ["false", false],
    ["yes", false],
    [undefined, false],
    [null, false],
    [{}, false],
    [["true"], true],
  ])("email_verified of %p is %p", (said, verified) => {
    expect(map({ email_verified: said }).emailVerified).toBe(verified);
  });

  it("an OAuth 2.0 server's users are known by id, where there is no sub", () => {
    expect(mapAttributes({ kind: "oauth2", attributeMapping: {} }, { id: 12_345_678 }).subject).toBe(
      "12345678",
    );
  });

  it.each([undefined, null, "", "   ", {}, [], true, "x".repeat(2000), "a\u0000b", "\ud800"])(
    "a subject of %p is none",
    (sub) => {
      expect(() => map({ sub })).toThrow(AttributeMappingError);
    },
  );
});

describe("a mapping", () => {
  it("sees claims by their names, and all of them as `claims`", () => {
    const urn = "urn:oid:0.9.2342.19200300.100.1.3";
    expect(
      map(
        { [urn]: ["ada@example.com", "second@example.com"], name: "Ada Lovelace" },
        { email: `{{ claims["${urn}"] }}`, given_name: '{{ name | split: " " | first }}' },
      ),
    ).toMatchObject({ email: "ada@example.com", givenName: "Ada" });
  });

  it("keeps a list a list, and reads a written one line by line", () => {
    expect(map({ roles: ["x", "y", "x"] }, { groups: "{{ roles }}" }).groups).toEqual(["x", "y"]);
    const written = '{{ roles | join: "\n" }}{% if admin %}\nadmins{% endif %}';
    expect(map({ roles: ["x", "y"], admin: true }, { groups: written }).groups).toEqual(["x", "y", "admins"]);
  });

  it("takes an attribute away that is mapped to nothing", () => {
    expect(map({ picture: "https://example.com/a.png" }, { picture: "" }).picture).toBeUndefined();
  });
});

describe("the sandbox", () => {
  it.each([
    '{% include "/etc/passwd" %}',
    '{% render "/etc/passwd" %}',
    '{% layout "x" %}',
    "{% for i in (1..9) %}{{ i }}{% endfor %}",
    "{% tablerow i in (1..9) %}{% endtablerow %}",
    "{% capture a %}{{ email }}{% endcapture %}",
    "{% increment x %}",
    "{% cycle 'a' %}",
    "{% liquid assign x = 1 %}",
    "{{ email | date: '%Y' }}",
    "{{ email | strip_html }}",
    "{{ claims | json }}",
    "{{ claims | sort }}",
    "{{ 'x' | sha256 }}",
    "{{ email | where_exp: 'x', 'x' }}",
    "{{ email",
    "{% if %}",
    "x".repeat(TEMPLATE_LENGTH + 1),
  ])("refuses %p", (template) => {
    expect(templateProblem(template)).toBeString();
  });

  it("shows own properties alone", () => {
    for (const path of [
      "email.constructor.name",
      "claims.__proto__",
      "constructor",
      "email.length.constructor",
    ])
      expect(map({ email: "a@example.com" }, { username: `{{ ${path} }}` }).username).toBeUndefined();
  });

  it.each([
    "{% assign a = email | append: email %}".repeat(1) +
      "{% assign a = a | append: a %}".repeat(25) +
      "{{ a }}",
    "{% assign a = email %}" + '{% assign a = a | replace: "", "yyyyyyyy" %}'.repeat(15) + "{{ a }}",
    '{% assign a = email | split: "" %}' + "{% assign a = a | concat: a %}".repeat(25) + "{{ a | size }}",
    '{% assign a = email | split: "" %}' +
      "{% assign a = a | join: email | split: '' %}".repeat(12) +
      "{{ a | size }}",
    "{{ (1..99999999) | size }}",
    "{{ email | slice: 0, 999999999 }}",
  ])("ends what would fill the memory: %p", (template) => {
    expect(templateProblem(template)).toBeUndefined();
    expect(() => map({ email: "ada@example.com" }, { username: template })).toThrow(AttributeMappingError);
  });

  it("is not filled by what a connection says", () => {
    const many = Array.from({ length: 5000 }, (_, index) => `group-${index}`);
    expect(map({ groups: many }).groups).toHaveLength(500);
    expect(map({ picture: "x".repeat(100_000) }).picture).toBeUndefined();
  });
});
