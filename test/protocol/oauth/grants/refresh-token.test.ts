import { describe, expect, it } from "bun:test";
import {
  decideRefreshToken,
  readRefreshTokenRequest,
  type RefreshTokenRecord,
} from "../../../../src/protocol/oauth/grants/refresh-token.ts";
import { singleValued } from "../../../../src/protocol/oauth/parameters.ts";
import { NOW, oauthError, secondsFromNow } from "../../support.ts";

const record: RefreshTokenRecord = {
  clientId: "a",
  scope: ["openid", "email"],
  expiresAt: secondsFromNow(1),
  rotatedAt: null,
  successorUsed: false,
  familyRevokedAt: null,
};
const context = { clientId: "a", now: NOW, retryWindowSeconds: 10 };
const decide = (
  changes: Partial<RefreshTokenRecord>,
  scope: string[] = [],
  other: Partial<typeof context> = {},
) => decideRefreshToken({ ...record, ...changes }, { scope }, { ...context, ...other });

describe("refresh token request (RFC 6749 §6)", () => {
  it("is read from the form", () => {
    const form = singleValued(new URLSearchParams("refresh_token=r&scope=a b"));
    expect(readRefreshTokenRequest(form)).toEqual({ refreshToken: "r", scope: ["a", "b"] });
    expect(readRefreshTokenRequest(singleValued(new URLSearchParams("refresh_token=r"))).scope).toEqual([]);
    expect(oauthError(() => readRefreshTokenRequest(singleValued(new URLSearchParams()))).code).toBe(
      "invalid_request",
    );
  });
});

describe("refresh token rotation (RFC 9700 §4.14.2)", () => {
  it("rotates a live token, with the scope granted or less (RFC 6749 §6)", () => {
    expect(decide({})).toEqual({ kind: "rotate", scope: ["openid", "email"] });
    expect(decide({}, ["email"])).toEqual({ kind: "rotate", scope: ["email"] });
    expect(oauthError(() => decide({}, ["email", "profile"])).code).toBe("invalid_scope");
  });

  it("refuses an unknown, foreign, expired or revoked token with one answer", () => {
    const answers = [
      () => decideRefreshToken(undefined, { scope: [] }, context),
      () => decide({}, [], { clientId: "b" }),
      () => decide({ expiresAt: NOW }),
      () => decide({ familyRevokedAt: secondsFromNow(-1) }),
    ].map((attempt) => oauthError(attempt));
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(["invalid_grant"]));
    expect(new Set(answers.map(({ message }) => message)).size).toBe(1);
  });

  it("takes a repetition within the window for a lost answer", () => {
    expect(decide({ rotatedAt: secondsFromNow(-10) })).toEqual({ kind: "retry", scope: ["openid", "email"] });
    expect(decide({ rotatedAt: NOW }, ["email"])).toEqual({ kind: "retry", scope: ["email"] });
    expect(oauthError(() => decide({ rotatedAt: NOW }, ["profile"])).code).toBe("invalid_scope");
  });

  it("takes any other repetition for theft", () => {
    expect(decide({ rotatedAt: secondsFromNow(-10.001) })).toEqual({ kind: "reuse" });
    expect(decide({ rotatedAt: secondsFromNow(-1), successorUsed: true })).toEqual({ kind: "reuse" });
    expect(decide({ rotatedAt: secondsFromNow(-60), expiresAt: secondsFromNow(-30) })).toEqual({
      kind: "reuse",
    });
  });

  it("does not repeat an answer past the token's end, after a revocation or to another client", () => {
    const rotatedAt = secondsFromNow(-1);
    expect(oauthError(() => decide({ rotatedAt, expiresAt: NOW })).code).toBe("invalid_grant");
    expect(oauthError(() => decide({ rotatedAt, familyRevokedAt: NOW })).code).toBe("invalid_grant");
    expect(oauthError(() => decide({ rotatedAt }, [], { clientId: "b" })).code).toBe("invalid_grant");
  });
});
