import { describe, expect, it } from "bun:test";
import { readParameters } from "../../../src/protocol/oauth/parameters.ts";
import {
  decideLogout,
  logoutClientId,
  type LogoutHint,
  readLogoutRequest,
} from "../../../src/protocol/oidc/rp-initiated-logout.ts";

const URI = "https://app.example/bye";
const client = { postLogoutRedirectUris: [URI, "https://app.example/bye?to=home", "app.example:/bye"] };
const session = { id: "sess_1", subject: "ada" };
const hint: LogoutHint = { clientId: "app", subject: "ada", sessionId: "sess_1" };

const requestOf = (parameters: Record<string, string>) =>
  readLogoutRequest(readParameters(new URLSearchParams(parameters)));

function decide(
  parameters: Record<string, string>,
  input: Partial<Parameters<typeof decideLogout>[0]> = {},
): ReturnType<typeof decideLogout> {
  return decideLogout({ request: requestOf(parameters), hint, client, session, ...input });
}

describe("a logout request (RP-Initiated Logout §2)", () => {
  it("ends the session at once when the hint speaks of it", () => {
    expect(decide({})).toEqual({ kind: "end", redirectUri: undefined });
    expect(decide({}, { hint: { ...hint, sessionId: undefined } }).kind).toBe("end");
  });

  it.each([
    ["without a hint", undefined],
    ["with a hint of another person", { ...hint, subject: "grace" }],
    ["with a hint of an earlier session of the same person", { ...hint, sessionId: "sess_0" }],
  ])("asks the person %s", (_, other) => {
    expect(decide({}, { hint: other }).kind).toBe("confirm");
  });

  it("ends nothing when there is nothing to end, and redirects by itself only for a hint", () => {
    const request = { post_logout_redirect_uri: URI };
    expect(decide(request, { session: undefined })).toEqual({
      kind: "signed_out",
      redirectUri: URI,
      automatic: true,
    });
    expect(decide(request, { session: undefined, hint: undefined })).toMatchObject({ automatic: false });
  });
});

describe("the client of a logout request", () => {
  it("is that of the hint, or the one that is named", () => {
    expect(logoutClientId(requestOf({}), hint)).toBe("app");
    expect(logoutClientId(requestOf({ client_id: "app" }), hint)).toBe("app");
    expect(logoutClientId(requestOf({ client_id: "other" }), undefined)).toBe("other");
    expect(logoutClientId(requestOf({}), undefined)).toBeUndefined();
  });

  it("is not two clients", () => {
    expect(() => logoutClientId(requestOf({ client_id: "other" }), hint)).toThrow("another client");
  });

  it("is not taken from a hint that is not ours", () => {
    expect(() => logoutClientId(requestOf({ client_id: "app" }), "invalid")).toThrow("id_token_hint");
  });

  it("has to be known when it is named", () => {
    expect(() => decide({ client_id: "gone" }, { client: undefined, hint: undefined })).toThrow("not known");
  });
});

describe("post_logout_redirect_uri (RP-Initiated Logout §3)", () => {
  it.each([
    "https://app.example/bye/",
    "https://app.example/bye?",
    "https://app.example/bye?x=1",
    "https://app.example/BYE",
    "https://app.example:443/bye",
    "https://app.example/bye#x",
    "https://app.example@evil.example/bye",
    "https://app.example/x/../bye",
    "https://evil.example/bye",
    "//app.example/bye",
    "javascript:alert(1)",
  ])("refuses %s, which is not registered", (uri) => {
    expect(() => decide({ post_logout_redirect_uri: uri })).toThrow("not registered");
  });

  it("needs a client that registered it", () => {
    const request = { post_logout_redirect_uri: URI };
    expect(() => decide(request, { client: undefined, hint: undefined })).toThrow("needs an id_token_hint");
    expect(() => decide(request, { client: undefined })).toThrow("needs an id_token_hint");
  });

  it("comes back as it was registered, with the state and nothing else", () => {
    const uriOf = (uri: string, state?: string) =>
      decide({ post_logout_redirect_uri: uri, ...(state === undefined ? {} : { state }) }).redirectUri;
    expect(uriOf(URI)).toBe(URI);
    expect(uriOf(URI, "a&b=c d")).toBe("https://app.example/bye?state=a%26b%3Dc+d");
    expect(uriOf("https://app.example/bye?to=home", "s")).toBe("https://app.example/bye?to=home&state=s");
    expect(uriOf("app.example:/bye", "s")).toBe("app.example:/bye?state=s");
  });

  it("is not needed, and a state alone goes nowhere", () => {
    expect(decide({ state: "s" }).redirectUri).toBeUndefined();
  });
});
