import { describe, expect, it } from "bun:test";
import {
  decideDeviceCode,
  type DeviceCodeRecord,
  readDeviceCode,
} from "../../../../src/protocol/oauth/grants/device-code.ts";
import { singleValued } from "../../../../src/protocol/oauth/parameters.ts";
import { NOW, oauthError, secondsFromNow } from "../../support.ts";

const record: DeviceCodeRecord = {
  status: "approved",
  expiresAt: secondsFromNow(1),
  consumedAt: null,
  tooEarly: false,
};
const codeOf = (changes: Partial<DeviceCodeRecord>) =>
  oauthError(() => decideDeviceCode({ ...record, ...changes }, NOW)).code;

describe("a device's poll (RFC 8628 §3.4, §3.5)", () => {
  it("names its device code", () => {
    expect(readDeviceCode(singleValued(new URLSearchParams("device_code=abc")))).toBe("abc");
    expect(oauthError(() => readDeviceCode(singleValued(new URLSearchParams()))).code).toBe(
      "invalid_request",
    );
  });

  it("gets tokens once the person approved", () => {
    expect(() => decideDeviceCode(record, NOW)).not.toThrow();
  });

  it("waits while nobody has answered", () => {
    expect(codeOf({ status: "pending" })).toBe("authorization_pending");
  });

  it("slows down when it comes too early, whatever the answer would be", () => {
    expect(codeOf({ status: "pending", tooEarly: true })).toBe("slow_down");
    expect(codeOf({ tooEarly: true })).toBe("slow_down");
  });

  it("ends with a refusal or with the time, early or not", () => {
    for (const tooEarly of [false, true]) {
      expect(codeOf({ status: "denied", tooEarly })).toBe("access_denied");
      expect(codeOf({ expiresAt: NOW, tooEarly })).toBe("expired_token");
      expect(codeOf({ status: "pending", expiresAt: NOW, tooEarly })).toBe("expired_token");
    }
  });

  it("gets the same for a code that never was and one that was used", () => {
    const errors = [
      oauthError(() => decideDeviceCode(undefined, NOW)),
      oauthError(() => decideDeviceCode({ ...record, consumedAt: NOW }, NOW)),
    ];
    expect(errors.map(({ code }) => code)).toEqual(["invalid_grant", "invalid_grant"]);
    expect(errors[0]?.message).toBe(errors[1]?.message ?? "");
  });
});
