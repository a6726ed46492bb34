import { describe, expect, it } from "bun:test";
import { singleValued } from "../../../src/protocol/oauth/parameters.ts";
import { requestedResources } from "../../../src/protocol/oauth/resource.ts";
import { oauthError } from "../support.ts";

describe("resource indicators (RFC 8707 §2)", () => {
  const registered = ["https://api.example.com/", "https://api.example.com/#part", "relative"];
  const resources = (query: string) =>
    requestedResources(singleValued(new URLSearchParams(query)), registered);

  it("are those that the client is registered for", () => {
    expect(resources("")).toEqual([]);
    expect(resources("resource=https://api.example.com/&resource=https://api.example.com/")).toEqual([
      "https://api.example.com/",
    ]);
    expect(oauthError(() => resources("resource=https://other.example.com/")).code).toBe("invalid_target");
  });

  it("are absolute URIs without a fragment", () => {
    expect(oauthError(() => resources("resource=relative")).code).toBe("invalid_target");
    expect(oauthError(() => resources("resource=https://api.example.com/%23part")).code).toBe(
      "invalid_target",
    );
  });
});
