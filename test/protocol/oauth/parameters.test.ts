import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { readParameters, requireParameter, singleValued } from "../../../src/protocol/oauth/parameters.ts";
import { oauthError, throwsOnlyOAuthErrors } from "../support.ts";

describe("request parameters (RFC 6749 §3.1, §3.2)", () => {
  it("refuses a parameter that is sent more than once", () => {
    for (const query of ["a=1&a=2", "a=1&a=1", "a=&a=1", "a=1&a="])
      expect(oauthError(() => singleValued(new URLSearchParams(query))).code).toBe("invalid_request");
  });

  it("gives a repeated parameter no value where repetition is judged later", () => {
    const parameters = readParameters(new URLSearchParams("a=1&a=2&b=3"));
    expect([...parameters.repeated]).toEqual(["a"]);
    expect(parameters.get("a")).toBeUndefined();
    expect(parameters.getAll("a")).toEqual([]);
    expect(parameters.get("b")).toBe("3");
  });

  it("takes a parameter without a value for an omitted one", () => {
    const parameters = singleValued(new URLSearchParams("a=&b"));
    expect(parameters.get("a")).toBeUndefined();
    expect(parameters.get("b")).toBeUndefined();
    expect(parameters.getAll("a")).toEqual([]);
    expect(oauthError(() => requireParameter(parameters, "a")).code).toBe("invalid_request");
  });

  it("lets resource and audience repeat (RFC 8707 §2, RFC 8693 §2.1)", () => {
    const parameters = singleValued(
      new URLSearchParams("resource=a&resource=b&resource=&audience=c&audience=d"),
    );
    expect(parameters.getAll("resource")).toEqual(["a", "b"]);
    expect(parameters.get("resource")).toBeUndefined();
    expect(parameters.getAll("audience")).toEqual(["c", "d"]);
  });

  it("knows no parameter that was not sent, whatever objects inherit", () => {
    const parameters = singleValued(new URLSearchParams("__proto__=x"));
    expect(parameters.get("constructor")).toBeUndefined();
    expect(parameters.get("toString")).toBeUndefined();
    expect(parameters.get("__proto__")).toBe("x");
  });

  it("throws nothing but OAuthErrors", () => {
    const name = fc.constantFrom("a", "b", "resource", "__proto__", "");
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.string())), (pairs) =>
        throwsOnlyOAuthErrors(() => singleValued(new URLSearchParams(pairs))),
      ),
    );
  });
});
