import { describe, expect, it } from "bun:test";
import { AuthorizationError } from "../../../src/protocol/oauth/authorization-error.ts";
import type { ResponseTarget } from "../../../src/protocol/oauth/authorization-error.ts";
import {
  codeAnswer,
  deliver,
  errorAnswer,
  isJwtMode,
} from "../../../src/protocol/oauth/authorization-response.ts";

const ISSUER = "https://honest.as.example";
const target = { redirectUri: "https://client.example/cb", responseMode: "query", state: "xyz" } as const;
const issuerPart = "iss=https%3A%2F%2Fhonest.as.example";

const codeResponse = (to: ResponseTarget, code: string, issuer: string) =>
  deliver(codeAnswer(to, code, issuer));
const errorResponse = (error: AuthorizationError, issuer: string) => {
  const answer = errorAnswer(error, issuer);
  return answer && deliver(answer);
};

const locationFor = (redirectUri: string) => {
  const response = codeResponse({ ...target, redirectUri }, "c", ISSUER);
  return response.kind === "redirect" ? response.location : undefined;
};

describe("authorization response (RFC 6749 §4.1.2, RFC 9207 §2)", () => {
  it("agrees with the example of RFC 9207 §2.1", () => {
    const response = codeResponse(
      { ...target, state: "ZWVlNDBlYzA1NjdkMDNhYjg3ZjUxZjAyNGQzMTM2NzI" },
      "x1848ZT64p4IirMPT0R-X3141MFPTuBX-VFL_cvaplMH58",
      ISSUER,
    );
    expect(response).toEqual({
      kind: "redirect",
      location:
        "https://client.example/cb?code=x1848ZT64p4IirMPT0R-X3141MFPTuBX-VFL_cvaplMH58&state=ZWVlNDBlYzA1NjdkMDNhYjg3ZjUxZjAyNGQzMTM2NzI&iss=https%3A%2F%2Fhonest.as.example",
    });
  });

  it("keeps the registered query as it was written (RFC 6749 §3.1.2)", () => {
    const added = `code=c&state=xyz&${issuerPart}`;
    expect(locationFor("https://client.example/cb?a=%41+b&c")).toBe(
      `https://client.example/cb?a=%41+b&c&${added}`,
    );
    expect(locationFor("https://client.example/cb?")).toBe(`https://client.example/cb?${added}`);
    expect(locationFor("https://client.example/cb?a=1&")).toBe(`https://client.example/cb?a=1&${added}`);
    expect(locationFor("com.example.app:/cb")).toBe(`com.example.app:/cb?${added}`);
  });

  it("encodes what the client sent as state", () => {
    const response = codeResponse({ ...target, state: "a&code=b\r\nX: y#" }, "c", ISSUER);
    expect(response).toEqual({
      kind: "redirect",
      location: `https://client.example/cb?code=c&state=a%26code%3Db%0D%0AX%3A+y%23&${issuerPart}`,
    });
  });

  it("goes into the fragment or a form where that was asked for", () => {
    expect(
      codeResponse(
        { ...target, redirectUri: "https://client.example/cb?a=1", responseMode: "fragment" },
        "c",
        ISSUER,
      ),
    ).toEqual({
      kind: "redirect",
      location: `https://client.example/cb?a=1#code=c&state=xyz&${issuerPart}`,
    });
    expect(codeResponse({ ...target, responseMode: "form_post" }, "c", ISSUER)).toEqual({
      kind: "form_post",
      action: "https://client.example/cb",
      fields: [
        ["code", "c"],
        ["state", "xyz"],
        ["iss", ISSUER],
      ],
    });
  });
});

describe("authorization error response (RFC 6749 §4.1.2.1)", () => {
  it("goes to the client with state and iss", () => {
    expect(errorResponse(new AuthorizationError("access_denied", "No.", target), ISSUER)).toEqual({
      kind: "redirect",
      location: `https://client.example/cb?error=access_denied&error_description=No.&state=xyz&${issuerPart}`,
    });
  });

  it("has no state where none was sent", () => {
    const error = new AuthorizationError("invalid_request", "No.", { ...target, state: undefined });
    expect(errorResponse(error, ISSUER)).toEqual({
      kind: "redirect",
      location: `https://client.example/cb?error=invalid_request&error_description=No.&${issuerPart}`,
    });
  });

  it("is no redirect when there is nowhere safe to go", () => {
    expect(
      errorResponse(new AuthorizationError("invalid_request", "No.", undefined), ISSUER),
    ).toBeUndefined();
  });
});

describe("signed authorization response (JARM §2.3)", () => {
  const answer = (responseMode: ResponseTarget["responseMode"]) =>
    codeAnswer({ ...target, responseMode }, "c", ISSUER);

  it("is one parameter, in the query, the fragment or a form, by default in the query", () => {
    for (const mode of ["jwt", "query.jwt"] as const)
      expect(deliver(answer(mode), "a.b.c")).toEqual({
        kind: "redirect",
        location: "https://client.example/cb?response=a.b.c",
      });
    expect(deliver(answer("fragment.jwt"), "a.b.c")).toEqual({
      kind: "redirect",
      location: "https://client.example/cb#response=a.b.c",
    });
    expect(deliver(answer("form_post.jwt"), "a.b.c")).toEqual({
      kind: "form_post",
      action: "https://client.example/cb",
      fields: [["response", "a.b.c"]],
    });
  });

  it("never goes out unsigned, and no other answer signed", () => {
    expect(isJwtMode("form_post.jwt")).toBe(true);
    expect(isJwtMode("form_post")).toBe(false);
    expect(() => deliver(answer("query.jwt"))).toThrow(TypeError);
    expect(() => deliver(answer("query"), "a.b.c")).toThrow(TypeError);
  });
});
