import { describe, expect, it } from "bun:test";
import { parseSettings, TenantSettings } from "../../../src/domain/tenants/settings.ts";

describe("a tenant's settings", () => {
  it("are the defaults where nothing is stored", () => {
    expect(parseSettings({})).toMatchObject({
      password_min_length: 8,
      password_require_symbol: true,
      access_token_lifetime: 900,
      refresh_token_lifetime: 7 * 86_400,
      self_registration_enabled: true,
      max_failed_login_attempts: 5,
      lockout_duration: 900,
    });
    expect(Object.keys(parseSettings({})).toSorted()).toEqual(
      Object.keys(TenantSettings.properties).toSorted(),
    );
  });

  it("are what is stored, where that is sound", () => {
    const stored = {
      password_min_length: 12,
      self_registration_enabled: false,
      logo_url: "https://a.example/l.svg",
    };
    expect(parseSettings(stored)).toEqual({ ...parseSettings({}), ...stored });
  });

  it.each([
    ["too low", { password_min_length: 1 }],
    ["too high", { access_token_lifetime: 86_400 }],
    ["no integer", { session_lifetime: 61.5 }],
    ["not a number", { refresh_token_lifetime: "604800" }],
    ["null", { password_require_digit: null }],
    ["text for a flag", { self_registration_enabled: "false" }],
    ["a number that is none", { lockout_duration: Number.NaN }],
  ])("fall back to the default, never to no limit, where the stored one is %s", (_, stored) => {
    expect(parseSettings(stored)).toEqual(parseSettings({}));
  });

  it("keep nothing that no setting is called", () => {
    const stored = {
      unknown: 1,
      toString: "x",
      constructor: "x",
      ...JSON.parse('{"__proto__":{"admin":true}}'),
    };
    const settings = parseSettings(stored);
    expect(settings).toEqual(parseSettings({}));
    expect(settings).not.toHaveProperty("admin");
    expect(Object.keys(settings)).not.toContain("unknown");
  });

  it("are made anew each time: changing one tenant's leaves the others' alone", () => {
    parseSettings({}).password_min_length = 99;
    expect(parseSettings({}).password_min_length).toBe(8);
  });
});
