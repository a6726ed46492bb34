import { describe, expect, it } from "bun:test";
import { project, readProjection } from "../../../src/protocol/scim/projection.ts";
import { type JsonObject, normalizeResource, requireRequired } from "../../../src/protocol/scim/resource.ts";
import { ENTERPRISE_USER_SCHEMA } from "../../../src/protocol/scim/schemas.ts";
import { customSchema, scimType, users } from "./support.ts";

const normalize = (input: unknown) => normalizeResource(users, input);

describe("a resource as a client sent it (RFC 7643 §2)", () => {
  it("gets our spelling of names", () => {
    const input = {
      USERNAME: "ada",
      Name: { GIVENNAME: "Ada" },
      "URN:IETF:params:scim:schemas:extension:enterprise:2.0:User": { Department: "E" },
    };
    expect(normalize(input)).toEqual({
      userName: "ada",
      name: { givenName: "Ada" },
      [ENTERPRISE_USER_SCHEMA]: { department: "E" },
    });
  });

  it("loses what is read-only and what nobody knows (RFC 7644 §3.3)", () => {
    const input = {
      id: "x",
      meta: { version: "1" },
      groups: [{ value: "g" }],
      shoeSize: 44,
      userName: "ada",
    };
    expect(normalize(input)).toEqual({ userName: "ada" });
  });

  it("loses what is unassigned: null, empty lists, empty objects (RFC 7643 §2.5)", () => {
    expect(normalize({ userName: "ada", title: null, emails: [], name: {}, photos: [null] })).toEqual({
      userName: "ada",
    });
  });

  it("has values of the types that its schema says", () => {
    const extension = { level: "7", weight: 1.25, hiredAt: "2026-01-01T01:00:00+01:00", tags: "one" };
    expect(normalize({ active: "True", [customSchema.id]: extension })).toEqual({
      active: true,
      [customSchema.id]: { level: 7, weight: 1.25, hiredAt: "2026-01-01T00:00:00.000Z", tags: ["one"] },
    });
  });

  it("is refused with invalidSyntax when it is no object", () => {
    for (const input of [null, [], "x"]) expect(scimType(() => normalize(input))).toBe("invalidSyntax");
  });

  it("is refused with invalidValue where a value is of another type", () => {
    const wrong = [
      { active: "perhaps" },
      { userName: {} },
      { userName: ["a", "b"] },
      { userName: "a\0b" },
      { userName: "\ud800" },
      { title: "x".repeat(20_000) },
      { name: "Ada" },
      { [customSchema.id]: { level: 1.5 } },
      { [customSchema.id]: { hiredAt: "soon" } },
      { [customSchema.id]: [] },
    ];
    for (const input of wrong) expect(scimType(() => normalize(input))).toBe("invalidValue");
  });

  it("has one primary value at most, the last that says so", () => {
    const emails = [
      { value: "a", primary: true },
      { value: "b", primary: "true" },
    ];
    expect(normalize({ emails })).toEqual({
      emails: [
        { value: "a", primary: false },
        { value: "b", primary: true },
      ],
    });
  });

  it("needs what is required", () => {
    expect(scimType(() => requireRequired(users, {}))).toBe("invalidValue");
    expect(scimType(() => requireRequired(users, { userName: "" }))).toBe("invalidValue");
    requireRequired(users, { userName: "ada" });
  });
});

describe("what an answer holds (RFC 7644 §3.9)", () => {
  const resource: JsonObject = {
    schemas: ["s"],
    id: "1",
    userName: "ada",
    password: "secret",
    name: { givenName: "Ada", familyName: "Lovelace" },
    emails: [{ value: "a@example.com", type: "work" }],
    [ENTERPRISE_USER_SCHEMA]: { department: "E", costCenter: "1" },
    [customSchema.id]: { code: "c", secret: "s" },
  };
  const shown = (attributes?: string, excluded?: string) =>
    project(users, resource, readProjection(users, attributes, excluded));

  it("is all but what is never returned, or only when asked for", () => {
    const { password: _, ...others } = resource;
    expect(shown()).toEqual({ ...others, [customSchema.id]: { code: "c" } });
  });

  it("is what `attributes` names, and what is always returned", () => {
    expect(shown("userName,NAME.givenname")).toEqual({
      schemas: ["s"],
      id: "1",
      userName: "ada",
      name: { givenName: "Ada" },
    });
    expect(shown("emails.value")).toEqual({ schemas: ["s"], id: "1", emails: [{ value: "a@example.com" }] });
    expect(shown(`${ENTERPRISE_USER_SCHEMA}:department`)).toEqual({
      schemas: ["s"],
      id: "1",
      [ENTERPRISE_USER_SCHEMA]: { department: "E" },
    });
    expect(shown(`${customSchema.id}:secret`)[customSchema.id]).toEqual({ secret: "s" });
    expect(shown("password,nothing")).toEqual({ schemas: ["s"], id: "1" });
  });

  it("is without what `excludedAttributes` names, save what is always returned", () => {
    const left = shown(undefined, `id,emails,name.familyName,${ENTERPRISE_USER_SCHEMA}`);
    expect(left).toEqual({
      schemas: ["s"],
      id: "1",
      userName: "ada",
      name: { givenName: "Ada" },
      [customSchema.id]: { code: "c" },
    });
  });

  it("cannot be chosen both ways", () =>
    expect(scimType(() => readProjection(users, "userName", "id"))).toBe("invalidValue"));
});
