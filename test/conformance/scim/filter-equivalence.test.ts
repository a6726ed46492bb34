/**
 * Filters in the database against filters in memory: random filters over random users find the same ones. The evaluator
 * in memory is plain enough to be read beside RFC 7644 §3.4.2.2; the SQL is not.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import fc from "fast-check";
import { systemContext } from "../../../src/domain/request-context.ts";
import {
  createScimUser,
  type Provisioning,
  searchScimUsers,
} from "../../../src/domain/scim-users/service.ts";
import { findTenantById, type Tenant } from "../../../src/domain/tenants/service.ts";
import { matches } from "../../../src/protocol/scim/evaluate.ts";
import { parseFilter } from "../../../src/protocol/scim/filter.ts";
import { readSearch } from "../../../src/protocol/scim/list.ts";
import type { JsonObject } from "../../../src/protocol/scim/resource.ts";
import { customSchema, users as schema } from "../../protocol/scim/support.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

const USERS = 60;
const ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

let server: TestServer;
let by: Provisioning;
let population: JsonObject[];

/** Few distinct words, so that filters find something, and what breaks quoting, patterns and collations. */
const word = fc.constantFrom(
  "a",
  "B",
  "ab",
  "Ba",
  "a%",
  "_b",
  "a\\b",
  'q"q',
  "é",
  "Z z",
  "10",
  "9",
  "𝒳",
  "ﬀ",
);
const text = fc.oneof(
  word,
  fc.tuple(word, word).map((pair) => pair.join("")),
);
const moment = fc.constantFrom(
  "2025-01-01T00:00:00Z",
  "2026-01-01T12:00:00.500Z",
  "2026-06-01T00:00:00+02:00",
);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });

const person = (index: number) =>
  fc.record({
    userName: text.map((name) => `${name}-${index}`),
    externalId: optional(text.map((name) => `${name}-${index}`)),
    name: optional(
      fc.record({ givenName: optional(text), familyName: optional(text), middleName: optional(text) }),
    ),
    displayName: optional(text),
    title: optional(text),
    profileUrl: optional(text),
    locale: optional(text),
    active: optional(fc.boolean()),
    emails: optional(
      fc.array(
        fc.record({
          value: word.map((name) => `u${index}.${name.replace(/[^a-z0-9]/gi, "x")}@example.com`),
          type: optional(fc.constantFrom("work", "Home")),
          display: optional(text),
          primary: optional(fc.boolean()),
        }),
        { maxLength: 3 },
      ),
    ),
    phoneNumbers: optional(
      fc.array(
        fc.record({
          value: text,
          type: optional(fc.constantFrom("work", "Home")),
          primary: optional(fc.boolean()),
        }),
        { maxLength: 3 },
      ),
    ),
    addresses: optional(
      fc.array(fc.record({ locality: optional(text), country: optional(text) }), { maxLength: 2 }),
    ),
    [ENTERPRISE]: optional(
      fc.record({ department: optional(text), manager: optional(fc.record({ value: optional(text) })) }),
    ),
    [customSchema.id]: optional(
      fc.record({
        level: optional(fc.integer({ min: -2, max: 2 })),
        weight: optional(fc.constantFrom(0, 0.5, 1.25, -3)),
        hiredAt: optional(moment),
        code: optional(text),
        tags: optional(fc.array(text, { maxLength: 3 })),
      }),
    ),
  });

const textPath = fc.constantFrom(
  "userName",
  "externalId",
  "name.givenName",
  "NAME.familyname",
  "name.middleName",
  "displayName",
  "title",
  "profileUrl",
  "locale",
  "emails",
  "emails.value",
  "emails.type",
  "emails.display",
  "phoneNumbers",
  "phoneNumbers.value",
  "phoneNumbers.type",
  "addresses.locality",
  "meta.resourceType",
  `${ENTERPRISE}:department`,
  `${ENTERPRISE}:manager.value`,
  `${ENTERPRISE}:manager`,
  `${customSchema.id}:code`,
  `${customSchema.id}:tags`,
);
const order = fc.constantFrom("gt", "ge", "lt", "le");
const equality = fc.constantFrom("eq", "ne", "EQ");
const literal = (value: unknown) => JSON.stringify(value);

/** Whole values that are there, and words that may be. */
const textValue = fc.oneof(
  text,
  text.map((name) => `${name}-7`),
  fc.constantFrom("work", "home", "", "User"),
);

const leaf = fc.oneof(
  fc
    .tuple(textPath, fc.oneof(equality, order, fc.constantFrom("co", "sw", "ew")), textValue)
    .map(([path, op, value]) => `${path} ${op} ${literal(value)}`),
  fc
    .oneof(
      textPath,
      fc.constantFrom(
        "name",
        "emails",
        "addresses",
        "phoneNumbers",
        "active",
        ENTERPRISE + ":manager",
        "meta.created",
      ),
    )
    .map((path) => `${path} pr`),
  fc.tuple(textPath, equality).map(([path, op]) => `${path} ${op} null`),
  fc.tuple(equality, fc.boolean()).map(([op, value]) => `active ${op} ${value}`),
  fc
    .tuple(fc.constantFrom("emails.primary", "phoneNumbers.primary"), equality, fc.boolean())
    .map(([path, op, value]) => `${path} ${op} ${value}`),
  fc
    .tuple(
      fc.constantFrom("level", "weight"),
      fc.oneof(equality, order),
      fc.constantFrom(-2, 0, 0.5, 1, 1.25),
    )
    .map(([name, op, value]) => `${customSchema.id}:${name} ${op} ${value}`),
  fc
    .tuple(fc.constantFrom(`${customSchema.id}:hiredAt`, "meta.created"), fc.oneof(equality, order), moment)
    .map(([path, op, value]) => `${path} ${op} ${literal(value)}`),
);
const elementLeaf = fc.oneof(
  fc
    .tuple(fc.constantFrom("value", "type"), fc.oneof(equality, fc.constantFrom("co", "sw", "ew")), textValue)
    .map(([name, op, value]) => `${name} ${op} ${literal(value)}`),
  fc.tuple(equality, fc.boolean()).map(([op, value]) => `primary ${op} ${value}`),
  fc.constantFrom("value pr", "type pr", "display pr"),
);

const combined = (leaves: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.letrec<{ filter: string }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaves,
      fc
        .tuple(tie("filter"), fc.constantFrom("and", "or", "OR"), tie("filter"))
        .map(([left, op, right]) => `${left} ${op} ${right}`),
      tie("filter").map((inner) => `not (${inner})`),
      tie("filter").map((inner) => `(${inner})`),
    ),
  })).filter;

const filter = combined(
  fc.oneof(
    { weight: 4, arbitrary: leaf },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom("emails", "phoneNumbers"), combined(elementLeaf))
        .map(([name, inner]) => `${name}[${inner}]`),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom("emails", "phoneNumbers"), combined(elementLeaf), elementLeaf)
        .map(([name, inner, outer]) => `${name}[${inner}].${outer}`),
    },
  ),
);

beforeAll(async () => {
  server = await startTestServer();
  await server.configure({
    scim_user_extension: {
      id: customSchema.id,
      name: "Badge",
      attributes: [],
    },
  });
  const tenant: Tenant = (await findTenantById(server.deps, server.tenant.id)) ?? server.tenant;
  by = {
    tenant,
    organizationId: null,
    actor: { type: "system" },
    superAdmin: false,
    mapping: {},
    context: systemContext,
    schema,
    baseUrl: "https://id.example.com/scim/v2",
  };
  const people = fc.sample(fc.tuple(...Array.from({ length: USERS }, (_, index) => person(index))), {
    numRuns: 1,
    seed: 20_260_101,
  })[0];
  for (const each of people ?? []) await createScimUser(server.deps, by, JSON.parse(JSON.stringify(each)));
  const all = await searchScimUsers(server.deps, by, readSearch(schema, { count: 200 }));
  population = all.resources;
});
afterAll(() => server.stop());

const idsOf = (resources: readonly JsonObject[]) => resources.map(({ id }) => String(id)).toSorted();

describe("a filter in SQL", () => {
  it("finds whom the same filter in memory finds", async () => {
    let finding = 0;
    await fc.assert(
      fc.asyncProperty(filter, async (expression) => {
        const parsed = parseFilter(expression, schema);
        const expected = idsOf(population.filter((user) => matches(parsed, user)));
        const request = readSearch(schema, { filter: expression, count: 200 });
        const found = await searchScimUsers(server.deps, by, request);
        expect([expression, idsOf(found.resources)]).toEqual([expression, expected]);
        expect(found.totalResults).toBe(expected.length);
        if (expected.length > 0 && expected.length < population.length) finding++;
      }),
      { numRuns: 600, seed: 7 },
    );
    // The test would prove little if most filters found nobody, or all.
    expect(finding).toBeGreaterThan(150);
  });

  it("pages through everything once, by index and by cursor", async () => {
    const byIndex: string[] = [];
    for (let startIndex = 1; startIndex <= USERS; startIndex += 7) {
      const request = readSearch(schema, { startIndex, count: 7, sortBy: "title" });
      byIndex.push(
        ...(await searchScimUsers(server.deps, by, request)).resources.map(({ id }) => String(id)),
      );
    }
    const byCursor: string[] = [];
    let cursor: string | undefined = "";
    while (cursor !== undefined) {
      const page = await searchScimUsers(server.deps, by, readSearch(schema, { cursor, count: 7 }));
      byCursor.push(...page.resources.map(({ id }) => String(id)));
      cursor = page.nextCursor;
    }
    expect(byIndex.toSorted()).toEqual(idsOf(population));
    expect(byCursor.toSorted()).toEqual(idsOf(population));
  });
});
