import { describe, expect, it } from "bun:test";
import {
  type AuthorizationCodeRecord,
  decideAuthorizationCode,
  readAuthorizationCodeRequest,
} from "../../../../src/protocol/oauth/grants/authorization-code.ts";
import { singleValued } from "../../../../src/protocol/oauth/parameters.ts";
import { CHALLENGE, NOW, oauthError, secondsFromNow, VERIFIER } from "../../support.ts";

const record: AuthorizationCodeRecord = {
  clientId: "a",
  redirectUri: "https://client.example.com/cb",
  codeChallenge: CHALLENGE,
  expiresAt: secondsFromNow(1),
  consumedAt: null,
};
const request = { code: "c", redirectUri: record.redirectUri, codeVerifier: VERIFIER };
const context = { clientId: "a", now: NOW };

describe("authorization code request (RFC 6749 §4.1.3)", () => {
  it("is read from the form", () => {
    const form = new URLSearchParams({ code: "c", redirect_uri: "u", code_verifier: "v" });
    expect(readAuthorizationCodeRequest(singleValued(form))).toEqual({
      code: "c",
      redirectUri: "u",
      codeVerifier: "v",
    });
    const empty = singleValued(new URLSearchParams("code="));
    expect(oauthError(() => readAuthorizationCodeRequest(empty)).code).toBe("invalid_request");
  });
});

describe("authorization code grant (RFC 6749 §4.1.3)", () => {
  it("exchanges a good code", () => {
    expect(decideAuthorizationCode(record, request, context)).toEqual({ kind: "exchange" });
  });

  it("needs no redirect_uri, since PKCE binds the code (OAuth 2.1 §10.2)", () => {
    expect(decideAuthorizationCode(record, { ...request, redirectUri: undefined }, context).kind).toBe(
      "exchange",
    );
  });

  it("refuses an unknown, foreign or expired code with one answer", () => {
    const answers = [
      () => decideAuthorizationCode(undefined, request, context),
      () => decideAuthorizationCode(record, request, { ...context, clientId: "b" }),
      () => decideAuthorizationCode(record, request, { ...context, now: record.expiresAt }),
    ].map((attempt) => oauthError(attempt));
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(["invalid_grant"]));
    expect(new Set(answers.map(({ message }) => message)).size).toBe(1);
  });

  it("refuses another redirect_uri, or none or the wrong verifier", () => {
    for (const change of [
      { redirectUri: "https://client.example.com/cb/" },
      { codeVerifier: undefined },
      { codeVerifier: "a".repeat(43) },
    ])
      expect(oauthError(() => decideAuthorizationCode(record, { ...request, ...change }, context)).code).toBe(
        "invalid_grant",
      );
    const unbound = { ...record, codeChallenge: null };
    expect(oauthError(() => decideAuthorizationCode(unbound, request, context)).code).toBe("invalid_grant");
  });

  it("tells a replay apart, also of an expired code or without its verifier (§4.1.2)", () => {
    const consumed = { ...record, consumedAt: secondsFromNow(-30) };
    for (const [candidate, changed] of [
      [consumed, request],
      [{ ...consumed, expiresAt: secondsFromNow(-10) }, request],
      [consumed, { ...request, codeVerifier: undefined }],
    ] as const)
      expect(decideAuthorizationCode(candidate, changed, context)).toEqual({ kind: "replayed" });
  });

  it("does not let another client cause a revocation", () => {
    const consumed = { ...record, consumedAt: secondsFromNow(-30) };
    const error = oauthError(() => decideAuthorizationCode(consumed, request, { ...context, clientId: "b" }));
    expect(error.code).toBe("invalid_grant");
  });
});
