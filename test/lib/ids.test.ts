import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { type IdKind, idFromUuid, idPrefixes, isId, isUuid, newId, uuidFromId } from "../../src/lib/ids.ts";

const kinds = Object.keys(idPrefixes) as IdKind[];
const kind = fc.constantFrom(...kinds);
const uuid = fc.uuid({ version: [1, 2, 3, 4, 5, 6, 7, 8] });

describe("an id", () => {
  it("is its prefix and the UUID in 26 characters of Crockford's base32", () => {
    expect(idFromUuid("user", "00000000-0000-0000-0000-000000000000")).toBe(
      "user_00000000000000000000000000",
    );
    expect(idFromUuid("user", "ffffffff-ffff-ffff-ffff-ffffffffffff")).toBe(
      "user_7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
    );
    expect(idFromUuid("session", "0190f5c4-3a10-7000-8000-000000000020")).toBe(
      "sess_01J3TW8EGGE008000000000010",
    );
  });

  it("is the same UUID when it is read again", () => {
    fc.assert(
      fc.property(kind, uuid, (of, value) => {
        const id = idFromUuid(of, value);
        expect(isId(of, id)).toBe(true);
        expect(uuidFromId(of, id)).toBe(value);
      }),
    );
  });

  it("sorts as its UUID does", () => {
    fc.assert(
      fc.property(uuid, uuid, (a, b) => {
        expect(idFromUuid("user", a) < idFromUuid("user", b)).toBe(a < b);
      }),
    );
  });

  it("made later sorts later", () => {
    const made = Array.from({ length: 5000 }, () => newId("user"));
    expect(made).toEqual(made.toSorted());
    expect(new Set(made).size).toBe(made.length);
  });

  it("is a UUIDv7 (RFC 9562 §5.7)", () => {
    for (const of of kinds)
      expect(uuidFromId(of, newId(of))).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/);
  });

  it("says by its prefix what it names, of which no two are alike", () => {
    const prefixes = Object.values(idPrefixes);
    expect(new Set(prefixes).size).toBe(prefixes.length);
    for (const prefix of prefixes) expect(prefix).toMatch(/^[a-z]+$/);
  });
});

describe("what is no id", () => {
  const id = newId("user");
  const malformed: [string, unknown][] = [
    ["nothing", ""],
    ["a prefix alone", "user_"],
    ["another kind's", newId("role")],
    ["one without a prefix", id.slice(5)],
    ["one that is too short", id.slice(0, -1)],
    ["one that is too long", `${id}0`],
    ["more than 128 bits", `user_8${id.slice(6)}`],
    ["lower case, so that each id has one spelling", id.toLowerCase()],
    ["a letter that base32 leaves out", `${id.slice(0, -1)}U`],
    ["a letter that reads as a digit", `${id.slice(0, -1)}O`],
    ["a line feed at the end", `${id}\n`],
    ["a NUL at the end", `${id}\0`],
    ["a bare UUID", "0190f5c4-3a10-7000-8000-000000000020"],
    ["a number", 7],
    ["a list", [id]],
    ["null", null],
    ["an object that prints as one", { toString: () => id }],
  ];

  it.each(malformed)("is %s", (_name, value) => {
    expect(isId("user", value)).toBe(false);
    if (typeof value === "string") expect(() => uuidFromId("user", value)).toThrow(RangeError);
  });

  it("is any text that happens to come", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(isId("user", text)).toBe(false);
        expect(isId("user", `user_${text}`)).toBe(
          /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text) && !text.endsWith("\n"),
        );
      }),
    );
  });

  it("is refused without being repeated", () => {
    expect(() => uuidFromId("user", "user_<script>")).toThrow("not an id of kind user");
  });
});

describe("a UUID", () => {
  it("is told from anything else by the spelling that PostgreSQL prints", () => {
    expect(isUuid("0190f5c4-3a10-7000-8000-000000000020")).toBe(true);
    for (const other of [
      "0190F5C4-3A10-7000-8000-000000000020",
      "0190f5c43a1070008000000000000020",
      "{0190f5c4-3a10-7000-8000-000000000020}",
      "0190f5c4-3a10-7000-8000-00000000002g",
      "0190f5c4-3a10-7000-8000-000000000020\n",
      "",
    ]) {
      expect(isUuid(other)).toBe(false);
    }
  });
});
