import { describe, expect, it } from "bun:test";
import { DrizzleQueryError } from "drizzle-orm";
import { failureReason } from "../../src/queue/job-error.ts";

describe("failureReason: what the queue may keep about a failure", () => {
  it("keeps the message of an error of ours", () => {
    expect(failureReason(new Error("SMTP DATA: 451 try later"))).toBe("SMTP DATA: 451 try later");
  });

  it("leaves out the statement and the parameters of a database error", () => {
    const error = new DrizzleQueryError("select 1", ["ada@example.com"], new Error("connection lost"));
    expect(failureReason(error)).toBe("database error");
  });

  it("leaves out addresses and links, which can hold tokens", () => {
    const error = new Error(
      "550 <ada@example.com> said no to https://id.test/reset?token=chal_1_secret today",
    );
    expect(failureReason(error)).toBe("550 [address] said no to [link] today");
  });

  it("bounds what a server can say", () => {
    expect(failureReason(new Error("x".repeat(10_000)))).toHaveLength(300);
  });

  it("says nothing of what is no error", () => {
    expect(failureReason("secret")).toBe("unknown error");
  });
});
