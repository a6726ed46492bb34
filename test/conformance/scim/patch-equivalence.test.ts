/** Random PATCH requests, as the server applies them and as the RFC's text does. */
import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { ScimError } from "../../../src/protocol/scim/error.ts";
import { applyPatch } from "../../../src/protocol/scim/patch.ts";
import { readPatchRequest } from "../../../src/protocol/scim/patch-request.ts";
import { users } from "../../protocol/scim/support.ts";
import { type Operation, patchByTheBook, Refused } from "./patch-reference.ts";

const word = fc.constantFrom("a", "b", "c");
const type = fc.constantFrom("work", "home", "other");
const flag = fc.boolean();
/** At least one member: an empty value says nothing. */
const element = fc
  .record({ value: word, type, primary: flag }, { requiredKeys: [] })
  .filter((members) => Object.keys(members).length > 0);
const list = fc.array(element, { minLength: 1, maxLength: 3 }).map((elements) => {
  // Of two values that say so, which one is primary is for the client to know.
  const first = elements.findIndex(({ primary }) => primary);
  return elements.map((one, index) => (one.primary && index !== first ? { ...one, primary: false } : one));
});
const names = fc
  .record({ givenName: word, familyName: word }, { requiredKeys: [] })
  .filter((members) => Object.keys(members).length > 0);
const lists = fc.constantFrom("emails", "phoneNumbers");
const set = fc.constantFrom<"add" | "replace">("add", "replace");

const user = fc.record(
  { userName: fc.constant("u"), title: word, active: flag, name: names, emails: list, phoneNumbers: list },
  { requiredKeys: ["userName"] },
);

const filter = fc.oneof(
  type.map((wanted) => `type eq "${wanted}"`),
  word.map((wanted) => `value eq "${wanted.toUpperCase()}"`),
  flag.map((wanted) => `primary eq ${wanted}`),
  fc.tuple(type, word).map(([one, two]) => `type eq "${one}" and value eq "${two}"`),
  fc.tuple(type, word).map(([one, two]) => `type eq "${one}" or value eq "${two}"`),
);

const simple: fc.Arbitrary<[string, string | boolean | object]> = fc.oneof(
  fc.tuple(fc.constant("title"), word),
  fc.tuple(fc.constant("active"), flag),
  fc.tuple(fc.constant("name"), names),
  fc.tuple(fc.constantFrom("name.givenName", "name.familyName", "name.middleName"), word),
  fc.tuple(lists, list),
);
const chosen: fc.Arbitrary<[string, string | boolean | object]> = fc.oneof(
  fc.tuple(
    fc.tuple(lists, filter).map(([name, inner]) => `${name}[${inner}]`),
    element,
  ),
  fc.tuple(
    fc
      .tuple(lists, filter, fc.constantFrom("value", "type"))
      .map(([name, inner, sub]) => `${name}[${inner}].${sub}`),
    fc.oneof(word, type),
  ),
  fc.tuple(
    fc.tuple(lists, filter).map(([name, inner]) => `${name}[${inner}].primary`),
    flag,
  ),
);

const operation = fc.oneof(
  fc.tuple(set, fc.oneof(simple, chosen)).map(([op, [path, value]]) => ({ op, path, value })),
  fc
    .tuple(set, fc.array(fc.oneof(simple, chosen), { minLength: 1, maxLength: 3 }))
    .map(([op, members]) => ({ op, value: Object.fromEntries(members) })),
  fc.oneof(simple, chosen).map(([path]) => ({ op: "remove" as const, path })),
);

const outcome = (apply: () => unknown) => {
  try {
    return { is: apply() };
  } catch (error) {
    if (error instanceof ScimError || error instanceof Refused) return { refused: error.scimType };
    throw error;
  }
};

describe("PATCH (RFC 7644 §3.5.2)", () => {
  it("does what the RFC says, in whatever order and number", () => {
    let refused = 0;
    let changed = 0;
    fc.assert(
      fc.property(user, fc.array(operation, { minLength: 1, maxLength: 6 }), (before, operations) => {
        const body = JSON.parse(JSON.stringify({ Operations: operations }));
        const expected = outcome(() => patchByTheBook(before, body.Operations as Operation[]));
        const actual = outcome(() => applyPatch(users, before, readPatchRequest(body)));
        expect([operations, actual]).toEqual([operations, expected]);
        if ("refused" in actual) refused++;
        else if (!Bun.deepEquals(actual.is, before)) changed++;
      }),
      { numRuns: 3000, seed: 11 },
    );
    expect(refused).toBeGreaterThan(100);
    expect(changed).toBeGreaterThan(1500);
  });
});
