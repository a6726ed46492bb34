import { describe, expect, it } from "bun:test";
import { readParameters } from "../../../src/protocol/oauth/parameters.ts";
import {
  pushedAuthorizationResponse,
  pushedRequestReference,
  readPushedRequest,
  requireUsablePushedRequest,
} from "../../../src/protocol/oauth/pushed-authorization-request.ts";
import { NOW, oauthError, secondsFromNow } from "../support.ts";

const pushed = (search: string) => readPushedRequest(new URLSearchParams(search), "c1").toString();
const reference = (search: string) => pushedRequestReference(readParameters(new URLSearchParams(search)));
const URN = "urn:ietf:params:oauth:request_uri:";

describe("pushing a request (RFC 9126 §2.1)", () => {
  it("keeps the request without the client's credentials", () => {
    expect(
      pushed("client_id=c1&scope=openid&client_secret=x&client_assertion=y&client_assertion_type=z"),
    ).toBe("client_id=c1&scope=openid");
    expect(pushed("scope=openid")).toBe("scope=openid&client_id=c1");
  });

  it("keeps what is repeated, so that it is refused as it would be otherwise", () => {
    expect(pushed("client_id=c1&scope=a&scope=b")).toBe("client_id=c1&scope=a&scope=b");
  });

  it("takes no reference to another request", () => {
    expect(oauthError(() => pushed("client_id=c1&request_uri=urn:x")).code).toBe("invalid_request");
  });

  it("takes no request of another client", () => {
    for (const search of ["client_id=c2", "client_id=c1&client_id=c2"])
      expect(oauthError(() => pushed(search)).code).toBe("invalid_request");
  });

  it("answers with a reference and how long it lives (§2.2)", () => {
    expect(pushedAuthorizationResponse("abc")).toEqual({ request_uri: `${URN}abc`, expires_in: 90 });
  });
});

describe("coming with a reference (RFC 9126 §4)", () => {
  it("reads it", () => {
    const { request_uri } = pushedAuthorizationResponse("abc");
    expect(reference(new URLSearchParams({ client_id: "c1", request_uri }).toString())).toBe("abc");
    expect(reference("client_id=c1")).toBeUndefined();
  });

  it("takes no other request_uri for one of ours, nor two (RFC 9101 §10.4)", () => {
    for (const uri of ["https://client.example/request", "http://127.0.0.1/", `x${URN}abc`])
      expect(reference(new URLSearchParams({ request_uri: uri }).toString())).toBeUndefined();
    expect(reference(`request_uri=${URN}a&request_uri=${URN}b`)).toBeUndefined();
  });

  it("does not go with a request object", () => {
    expect(oauthError(() => reference(`request_uri=${URN}a&request=b`)).code).toBe("invalid_request");
  });

  it("is for the client that pushed, in time, once (§7.3)", () => {
    const record = { clientId: "c1", expiresAt: secondsFromNow(1), consumedAt: null };
    const context = { clientId: "c1", now: NOW };
    expect(requireUsablePushedRequest(record, context)).toBe(record);
    const unusable = [
      undefined,
      { ...record, clientId: "c2" },
      { ...record, expiresAt: NOW },
      { ...record, consumedAt: NOW },
    ];
    for (const one of unusable)
      expect(oauthError(() => requireUsablePushedRequest(one, context)).code).toBe("invalid_request_uri");
  });
});
