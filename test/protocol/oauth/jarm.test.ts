import { describe, expect, it } from "bun:test";
import { codeAnswer } from "../../../src/protocol/oauth/authorization-response.ts";
import { jarmClaims } from "../../../src/protocol/oauth/jarm.ts";
import { NOW } from "../support.ts";

const ISSUER = "https://id.example.com";
const target = { redirectUri: "https://client.example/cb", responseMode: "jwt", state: "xyz" } as const;
const context = { issuer: ISSUER, clientId: "c1", now: NOW };

describe("a signed authorization response (JARM §2.1)", () => {
  it("says who answers whom, until when, and the answer", () => {
    expect(jarmClaims(codeAnswer(target, "abc", ISSUER), context)).toEqual({
      iss: ISSUER,
      aud: "c1",
      exp: NOW.getTime() / 1000 + 300,
      code: "abc",
      state: "xyz",
    });
  });

  it("is not overwritten by its parameters", () => {
    const answer = {
      target,
      parameters: [["iss", "x"] as const, ["aud", "x"] as const, ["exp", "x"] as const],
    };
    expect(jarmClaims(answer, context)).toEqual({ iss: ISSUER, aud: "c1", exp: NOW.getTime() / 1000 + 300 });
  });
});
