import { describe, expect, it } from "bun:test";
import { freshnessSeconds } from "../../../src/domain/remote-documents/freshness.ts";

const bounds = { minimumSeconds: 60, defaultSeconds: 600, maximumSeconds: 3600 };
const of = (headers: Record<string, string>) => freshnessSeconds(headers, bounds);

describe("freshness (RFC 9111 §4.2.1)", () => {
  it("is what the answer says, within bounds", () => {
    expect(of({ "cache-control": "public, max-age=900" })).toBe(900);
    expect(of({ "cache-control": "Max-Age = 900, must-revalidate" })).toBe(900);
    expect(of({ "cache-control": "max-age=1" })).toBe(60);
    expect(of({ "cache-control": "max-age=99999999" })).toBe(3600);
  });

  it("is less by the answer's age", () => {
    expect(of({ "cache-control": "max-age=900", age: "100" })).toBe(800);
    expect(of({ "cache-control": "max-age=900", age: "5000" })).toBe(60);
    expect(of({ "cache-control": "max-age=900", age: "-5000" })).toBe(900);
  });

  it("is the least where nothing may be kept, and a default where nothing is said", () => {
    expect(of({ "cache-control": "no-store" })).toBe(60);
    expect(of({ "cache-control": "max-age=900, no-cache" })).toBe(60);
    expect(of({})).toBe(600);
    expect(of({ "cache-control": "s-max-age=5, max-age=abc" })).toBe(600);
  });
});
