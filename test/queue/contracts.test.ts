import { describe, expect, it } from "bun:test";
import { parsePayload } from "../../src/queue/contracts.ts";

describe("parsePayload", () => {
  it("gives back a payload that keeps the contract", () => {
    const payload = { user_id: "user_1", email_id: "email_1", locale: "de" };
    expect(parsePayload("email", "verify_email", payload)).toEqual(payload);
  });

  it.each([
    ["a missing field", { user_id: "user_1" }],
    ["a field of another type", { user_id: 1, email_id: "email_1" }],
    ["an empty id", { user_id: "", email_id: "email_1" }],
    ["no object", "user_1"],
    ["nothing", undefined],
  ])("refuses %s", (_, payload) => {
    expect(parsePayload("email", "verify_email", payload)).toBeUndefined();
  });
});
