/** PATCH (RFC 7644 §3.5.2), as the RFC has it and as the large identity providers send it. */
import { describe, expect, it } from "bun:test";
import { applyPatch } from "../../../src/protocol/scim/patch.ts";
import { readPatchRequest } from "../../../src/protocol/scim/patch-request.ts";
import type { JsonObject } from "../../../src/protocol/scim/resource.ts";
import { ENTERPRISE_USER_SCHEMA } from "../../../src/protocol/scim/schemas.ts";
import { customSchema, groups, scimType, users } from "./support.ts";

const work = { value: "a@example.com", type: "work", primary: true };
const home = { value: "a@home.example", type: "home" };
const ada: JsonObject = {
  userName: "ada",
  name: { givenName: "Ada", familyName: "Lovelace" },
  active: true,
  emails: [work, home],
  [customSchema.id]: { code: "C1", tags: ["x"] },
};

const patched = (...operations: unknown[]) =>
  applyPatch(users, ada, readPatchRequest({ Operations: operations }));
const refused = (...operations: unknown[]) => scimType(() => patched(...operations));

describe("add (RFC 7644 §3.5.2.1)", () => {
  it("sets a single value, also one of an extension", () => {
    expect(patched({ op: "add", path: "title", value: "Countess" })["title"]).toBe("Countess");
    const changed = patched({ op: "add", path: `${ENTERPRISE_USER_SCHEMA}:department`, value: "Engines" });
    expect(changed[ENTERPRISE_USER_SCHEMA]).toEqual({ department: "Engines" });
  });

  it("appends to a list what is not in it", () => {
    const other = { value: "c@example.com", type: "other" };
    const value = [home, other];
    expect(patched({ op: "add", path: "emails", value })["emails"]).toEqual([work, home, other]);
  });

  it("merges a complex value: what is not mentioned stays", () => {
    const changed = patched({ op: "add", path: "name", value: { middleName: "King" } });
    expect(changed["name"]).toEqual({ givenName: "Ada", familyName: "Lovelace", middleName: "King" });
  });

  it("takes several attributes without a path", () => {
    const value = { title: "Countess", emails: [{ value: "c@example.com" }] };
    const changed = patched({ op: "add", value });
    expect(changed["title"]).toBe("Countess");
    expect(changed["emails"]).toEqual([work, home, { value: "c@example.com" }]);
  });

  it("moves `primary` to the new one (RFC 7643 §2.4)", () => {
    const value = [{ value: "c@example.com", primary: true }];
    const changed = patched({ op: "add", path: "emails", value });
    expect(changed["emails"]).toEqual([{ ...work, primary: false }, home, ...value]);
  });
});

describe("replace (RFC 7644 §3.5.2.3)", () => {
  it("replaces a list as a whole", () => {
    const value = [{ value: "n@example.com" }];
    expect(patched({ op: "replace", path: "emails", value })["emails"]).toEqual(value);
  });

  it("replaces the elements that a filter chooses", () => {
    const value = { value: "n@example.com", type: "work" };
    const changed = patched({ op: "replace", path: 'emails[type eq "work"]', value });
    expect(changed["emails"]).toEqual([value, home]);
  });

  it("replaces a sub-attribute of those", () => {
    const changed = patched({ op: "replace", path: 'emails[type eq "home"].value', value: "n@x.example" });
    expect(changed["emails"]).toEqual([work, { ...home, value: "n@x.example" }]);
  });

  it("answers noTarget where a filter chooses nothing", () => {
    expect(refused({ op: "replace", path: 'emails[type eq "other"]', value: home })).toBe("noTarget");
    expect(refused({ op: "replace", path: 'emails[value co "q"].type', value: "home" })).toBe("noTarget");
  });

  it("treats an attribute that is not there as added", () => {
    expect(patched({ op: "replace", path: "title", value: "Countess" })["title"]).toBe("Countess");
  });

  it("of a value by null or by an empty list unassigns it (RFC 7643 §2.5)", () => {
    expect(patched({ op: "replace", path: "name.givenName", value: null })["name"]).toEqual({
      familyName: "Lovelace",
    });
    expect(patched({ op: "replace", path: "emails", value: [] })).not.toHaveProperty("emails");
  });
});

describe("remove (RFC 7644 §3.5.2.2)", () => {
  it("removes an attribute, a sub-attribute, chosen elements", () => {
    expect(patched({ op: "remove", path: "emails" })).not.toHaveProperty("emails");
    expect(patched({ op: "remove", path: "name.familyName" })["name"]).toEqual({ givenName: "Ada" });
    expect(patched({ op: "remove", path: 'emails[type eq "work"]' })["emails"]).toEqual([home]);
    expect(patched({ op: "remove", path: 'emails[type eq "work"].primary' })["emails"]).toEqual([
      { value: work.value, type: "work" },
      home,
    ]);
  });

  it("of the last element leaves the attribute unassigned", () => {
    expect(patched({ op: "remove", path: "emails[value pr]" })).not.toHaveProperty("emails");
  });

  it("needs a path", () => expect(refused({ op: "remove" })).toBe("noTarget"));

  it("of what is required is refused", () =>
    expect(refused({ op: "remove", path: "userName" })).toBe("mutability"));
});

describe("what a PATCH may not", () => {
  it("change what is read-only or immutable", () => {
    expect(refused({ op: "replace", path: "id", value: "x" })).toBe("mutability");
    expect(refused({ op: "add", path: "meta.version", value: "x" })).toBe("mutability");
    expect(refused({ op: "add", path: "groups", value: [{ value: "g" }] })).toBe("mutability");
    expect(refused({ op: "replace", path: `${customSchema.id}:code`, value: "C2" })).toBe("mutability");
    expect(patched({ op: "replace", path: `${customSchema.id}:code`, value: "C1" })).toEqual(ada);
  });

  it("name what is not there", () => {
    expect(refused({ op: "add", path: "shoeSize", value: 44 })).toBe("invalidPath");
    expect(refused({ op: "add", path: "name.shoe", value: 44 })).toBe("invalidPath");
    expect(refused({ op: "add", path: "emails[shoe eq 1].value", value: "x" })).toBe("invalidFilter");
    expect(refused({ op: "add", path: 'name[givenName eq "x"]', value: "x" })).toBe("invalidPath");
  });

  it("give values of another type", () => {
    expect(refused({ op: "replace", path: "active", value: "perhaps" })).toBe("invalidValue");
    expect(refused({ op: "replace", path: "name", value: "Ada" })).toBe("invalidValue");
    expect(refused({ op: "replace", path: `${customSchema.id}:level`, value: 1.5 })).toBe("invalidValue");
    expect(refused({ op: "add", value: "x" })).toBe("invalidPath");
  });

  it("be half done: the resource that was given stays as it was", () => {
    const before = structuredClone(ada);
    const operations = [
      { op: "replace", path: "emails", value: [] },
      { op: "replace", path: "id", value: "x" },
    ];
    expect(refused(...operations)).toBe("mutability");
    expect(ada).toEqual(before);
  });

  it("be anything but a request of operations", () => {
    for (const body of [null, [], {}, { Operations: [] }, { Operations: {} }, { Operations: [1] }])
      expect(scimType(() => readPatchRequest(body))).toBe("invalidSyntax");
    expect(scimType(() => readPatchRequest({ Operations: [{ op: "move", path: "a", value: 1 }] }))).toBe(
      "invalidSyntax",
    );
    expect(scimType(() => readPatchRequest({ Operations: [{ op: "add", path: 1, value: 1 }] }))).toBe(
      "invalidSyntax",
    );
    const many = Array.from({ length: 1001 }, () => ({ op: "add", path: "title", value: "x" }));
    expect(scimType(() => readPatchRequest({ Operations: many }))).toBe("tooMany");
  });

  it("reach a prototype", () => {
    const hostile: unknown = JSON.parse('{"op":"add","value":{"__proto__":{"x":1},"constructor":{"x":1}}}');
    expect(patched(hostile)).toEqual(ada);
    expect(refused({ op: "add", path: "__proto__", value: { x: 1 } })).toBe("invalidPath");
    expect(refused({ op: "add", path: "name.constructor", value: "x" })).toBe("invalidPath");
  });
});

describe("Entra ID", () => {
  it("writes Add and Replace, and booleans as strings", () => {
    expect(patched({ op: "Replace", path: "active", value: "False" })["active"]).toBe(false);
  });

  it("writes paths as names of members", () => {
    const value = {
      "name.givenName": "Augusta",
      'emails[type eq "work"].value': "n@example.com",
      [`${ENTERPRISE_USER_SCHEMA}:department`]: "Engines",
      displayName: "Augusta Ada",
    };
    const changed = patched({ op: "Replace", value });
    expect(changed).toMatchObject({
      name: { givenName: "Augusta", familyName: "Lovelace" },
      displayName: "Augusta Ada",
      [ENTERPRISE_USER_SCHEMA]: { department: "Engines" },
    });
    expect(changed["emails"]).toEqual([{ ...work, value: "n@example.com" }, home]);
  });

  it("adds and replaces by a filter what is not there yet", () => {
    for (const op of ["Add", "Replace"]) {
      const changed = patched({ op, path: 'phoneNumbers[type eq "mobile"].value', value: "+1 555 0100" });
      expect(changed["phoneNumbers"]).toEqual([{ type: "mobile", value: "+1 555 0100" }]);
    }
    const path = 'emails[type eq "other" and primary eq true].value';
    expect(patched({ op: "Add", path, value: "c@example.com" })["emails"]).toEqual([
      { ...work, primary: false },
      home,
      { type: "other", primary: true, value: "c@example.com" },
    ]);
  });

  it("sends a manager as a string, or with a path to its value", () => {
    const manager = { [ENTERPRISE_USER_SCHEMA]: { manager: { value: "26118915" } } };
    const path = `${ENTERPRISE_USER_SCHEMA}:manager`;
    expect(patched({ op: "Add", path, value: "26118915" })).toMatchObject(manager);
    expect(patched({ op: "Add", path: `${path}.value`, value: "26118915" })).toMatchObject(manager);
    expect(patched({ op: "Add", path, value: [{ value: "26118915", $ref: null }] })).toMatchObject(manager);
  });

  it("lists members to be removed in value", () => {
    const group = { displayName: "G", members: [{ value: "1" }, { value: "2" }, { value: "3" }] };
    const value = [{ $ref: null, value: "1" }, { value: "3" }];
    const operations = readPatchRequest({ Operations: [{ op: "Remove", path: "members", value }] });
    expect(applyPatch(groups, group, operations)["members"]).toEqual([{ value: "2" }]);
  });
});

describe("Okta", () => {
  it("replaces with an object and no path, its own copy of the id in it", () => {
    const changed = patched({ op: "replace", value: { id: "00u", active: false } });
    expect(changed).toEqual({ ...ada, active: false });
  });

  it("removes a member by a filter", () => {
    const group = { displayName: "G", members: [{ value: "1" }, { value: "2" }] };
    const operations = readPatchRequest({
      Operations: [{ op: "remove", path: 'members[value eq "1"]' }],
    });
    expect(applyPatch(groups, group, operations)["members"]).toEqual([{ value: "2" }]);
  });
});
