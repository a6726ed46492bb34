import { describe, expect, it } from "bun:test";
import { pairwiseSubject, sectorIdentifier } from "../../../src/protocol/oidc/subject.ts";

describe("sector identifier (OpenID Connect Core §8.1)", () => {
  it("is the host of the sector_identifier_uri", () => {
    const client = {
      sectorIdentifierUri: "https://one.example/list.json",
      redirectUris: ["https://a.example/"],
    };
    expect(sectorIdentifier(client)).toBe("one.example");
  });

  it("is else the one host of the redirect URIs", () => {
    const redirectUris = ["https://a.example/x", "https://a.example/y"];
    expect(sectorIdentifier({ sectorIdentifierUri: null, redirectUris })).toBe("a.example");
    const ports = ["https://a.example/x", "https://a.example:8443/x"];
    expect(sectorIdentifier({ sectorIdentifierUri: null, redirectUris: ports })).toBe("a.example");
  });

  it("is none where the hosts differ, or there are none", () => {
    for (const redirectUris of [[], ["https://a.example/", "https://b.example/"]]) {
      expect(() => sectorIdentifier({ sectorIdentifierUri: null, redirectUris })).toThrow(TypeError);
    }
  });
});

describe("pairwise subject", () => {
  const input = { sector: "a.example", userId: "user_1", salt: Buffer.alloc(32, 1) };

  it("depends on sector, user and salt, each by itself", () => {
    const subjects = [
      input,
      { ...input, sector: "b.example" },
      { ...input, userId: "user_2" },
      { ...input, salt: Buffer.alloc(32, 2) },
      // What a plain concatenation would take for the first.
      { ...input, sector: "a.exampleu", userId: "ser_1" },
    ].map(pairwiseSubject);
    expect(new Set(subjects).size).toBe(subjects.length);
    expect(pairwiseSubject(input)).toBe(subjects[0] ?? "");
  });
});
