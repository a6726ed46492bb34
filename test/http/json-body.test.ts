import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { parseJson } from "../../src/http/json-body.ts";
import { AppError } from "../../src/lib/errors.ts";

const refusal = (text: string): unknown => {
  try {
    parseJson(text);
  } catch (error) {
    return error instanceof AppError ? [error.status, error.code] : error;
  }
  return undefined;
};

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

describe("a JSON body", () => {
  it("is read as JSON.parse reads it", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value);
        if (/__proto__|constructor|prototype|toString|valueOf|toJSON/.test(text)) return;
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("nests 32 levels and no more, whatever stands in its strings", () => {
    expect(refusal(nested(32))).toBeUndefined();
    expect(refusal(nested(33))).toEqual([400, "bad_request"]);
    expect(refusal(`{"a":${nested(32)}}`)).toEqual([400, "bad_request"]);
    expect(parseJson(JSON.stringify([`"\\${nested(100)}`]))).toEqual([`"\\${nested(100)}`]);
    expect(refusal(`"\\"${nested(100)}`)).toEqual([400, "bad_request"]);
  });

  it("brings no conversions and no prototype", () => {
    const text = '{"a":{"toString":1,"value\\u004ff":2,"b":3},"__proto__":{"admin":true},"constructor":4}';
    expect(parseJson(text)).toEqual({ a: { b: 3 } });
    expect(Object.getPrototypeOf(parseJson(text))).toBe(Object.prototype);
  });

  it("is refused when it is none", () => {
    for (const text of ["", "{", "nul", '{"a":1,}', "\u0000", '"unfinished']) {
      expect(refusal(text)).toEqual([400, "bad_request"]);
    }
  });

  it("of a megabyte of quotes costs one pass", () => {
    const began = performance.now();
    expect(refusal(`"${'\\"'.repeat(500_000)}`)).toEqual([400, "bad_request"]);
    // Once for each quote it would be hours.
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
