import { describe, expect, it } from "bun:test";
import { parseRateLimits } from "../../src/lib/rate-limits.ts";

describe("RATE_LIMITS", () => {
  it("names groups and numbers", () => {
    expect(parseRateLimits("")).toEqual({});
    expect(parseRateLimits("token=600")).toEqual({ token: 600 });
    expect(parseRateLimits(" token = 600 , login=60, ")).toEqual({ token: 600, login: 60 });
  });

  it.each([
    "token",
    "token=",
    "token=0",
    "token=-1",
    "token=1.5",
    "token=99999999",
    "tokens=5",
    "=5",
    "login=5;token=5",
  ])("%p is refused", (text) => {
    expect(parseRateLimits(text)).toBeUndefined();
  });
});
