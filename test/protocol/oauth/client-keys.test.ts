import { describe, expect, it } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { readClientMetadata } from "../../../src/protocol/oauth/client-metadata.ts";

const publicKey = (alg: "ec" | "rsa" | "ed25519", curve = "P-256", bits = 2048) => {
  const pair =
    alg === "ec"
      ? generateKeyPairSync("ec", { namedCurve: curve })
      : alg === "rsa"
        ? generateKeyPairSync("rsa", { modulusLength: bits })
        : generateKeyPairSync("ed25519");
  return { pub: pair.publicKey.export({ format: "jwk" }), secret: pair.privateKey.export({ format: "jwk" }) };
};
const ec = publicKey("ec");

function problemsOf(members: Record<string, unknown>): string[] {
  const result = readClientMetadata(
    { client_name: "App", redirect_uris: ["https://app.example/cb"], ...members },
    { origin: "administrator", defaultScopes: [] },
  );
  return result.ok ? [] : result.problems.map(({ field }) => field);
}

describe("Client metadata: keys (RFC 7591 §2, RFC 7517)", () => {
  const keys = (...list: unknown[]) => ({
    token_endpoint_auth_method: "private_key_jwt",
    jwks: { keys: list },
  });

  it.each([
    ["EC P-256", ec.pub],
    ["RSA 2048", publicKey("rsa").pub],
    ["Ed25519", publicKey("ed25519").pub],
  ])("takes a public key of %s", (_name, key) => {
    expect(problemsOf(keys(key))).toEqual([]);
  });

  const refused: [string, unknown[]][] = [
    ["none", []],
    ["a private key", [ec.secret]],
    ["a private key beside a public one", [ec.pub, publicKey("rsa").secret]],
    ["a symmetric key", [{ kty: "oct", k: "c2VjcmV0" }]],
    ["a symmetric key beside a public one", [ec.pub, { kty: "oct" }]],
    ["a curve that is not ours", [publicKey("ec", "P-384").pub]],
    ["a short RSA key", [publicKey("rsa", "", 1024).pub]],
    ["a key for encryption only", [{ ...ec.pub, use: "enc" }]],
    ["a point that is not on the curve", [{ ...ec.pub, x: ec.pub.y }]],
    [
      "two of one kid",
      [
        { ...ec.pub, kid: "1" },
        { ...publicKey("ec").pub, kid: "1" },
      ],
    ],
    ["no key", ["key"]],
    ["what no database stores", [{ ...ec.pub, note: "\ud800" }]],
    ["a NUL character", [{ ...ec.pub, note: "\0" }]],
    ["eleven", Array.from({ length: 11 }, () => ec.pub)],
  ];
  it.each(refused)("refuses %s", (_name, list) => {
    expect(problemsOf(keys(...list))).toEqual(["jwks"]);
  });

  it("refuses what is no JWK set", () => {
    for (const jwks of [ec.pub, [ec.pub], "jwks", { keys: {} }])
      expect(problemsOf({ jwks })).toEqual(["jwks"]);
  });

  it("refuses jwks together with jwks_uri", () => {
    expect(problemsOf({ ...keys(ec.pub), jwks_uri: "https://app.example/jwks" })).toEqual(["jwks"]);
  });

  it("needs keys for private_key_jwt and for signed request objects", () => {
    expect(problemsOf({ token_endpoint_auth_method: "private_key_jwt" })).toEqual(["jwks"]);
    expect(problemsOf({ require_signed_request_object: true })).toEqual(["jwks"]);
    expect(problemsOf({ request_object_signing_alg: "ES256" })).toEqual(["jwks"]);
    expect(problemsOf({ request_object_signing_alg: "ES256", jwks_uri: "https://app.example/jwks" })).toEqual(
      [],
    );
  });
});
