import { describe, expect, it } from "bun:test";
import { passwordProblem } from "../../../src/domain/passwords/service.ts";
import { parseSettings } from "../../../src/domain/tenants/settings.ts";

const strict = parseSettings({});
const lax = parseSettings({
  password_require_uppercase: false,
  password_require_lowercase: false,
  password_require_digit: false,
  password_require_symbol: false,
});

describe("the password policy", () => {
  it.each([
    "SecureP@ssw0rd!",
    "Aa1!aaaa",
    "Ünïcödé-1",
    "Пароль-1",
    "pass word A1!",
    `Aa1!${"x".repeat(124)}`,
  ])("takes %p", (password) => {
    expect(passwordProblem(password, strict)).toBeUndefined();
  });

  it.each(["", "Aa1!aaa", `Aa1!${"x".repeat(125)}`])("names the length of %p", (password) => {
    expect(passwordProblem(password, strict)).toBe("Must be between 8 and 128 characters.");
  });

  it("counts characters as people do, not UTF-16 units", () => {
    expect(passwordProblem("🔑🔑🔑🔑🔑🔑🔑", lax)).toBe("Must be between 8 and 128 characters.");
    expect(passwordProblem("🔑🔑🔑🔑🔑🔑🔑🔑", lax)).toBeUndefined();
    expect(passwordProblem("🔑".repeat(128), lax)).toBeUndefined();
  });

  it.each(["alllowercase1!", "ALLUPPERCASE1!", "NoDigitsHere!", "NoSymbolHere1", "        Aa1"])(
    "refuses %p, and says all that is required",
    (password) => {
      expect(passwordProblem(password, strict)).toBe(
        "Must contain at least one uppercase letter, one lowercase letter, one digit, and one special character.",
      );
    },
  );

  it("asks only for what the tenant asks for", () => {
    expect(passwordProblem("simplepassword", lax)).toBeUndefined();
    const digits = { ...lax, password_require_digit: true };
    expect(passwordProblem("simplepassword", digits)).toBe("Must contain at least one digit.");
    const two = { ...digits, password_require_symbol: true };
    expect(passwordProblem("simplepassword", two)).toBe(
      "Must contain at least one digit and one special character.",
    );
    expect(passwordProblem("simplepassword", { ...lax, password_min_length: 15 })).toContain(
      "between 15 and 128",
    );
  });
});
