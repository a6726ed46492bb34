import { describe, expect, it } from "bun:test";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import fc from "fast-check";
import {
  importForeignKey,
  importForeignKeys,
  selectForeignKey,
} from "../../../src/protocol/jose/foreign-keys.ts";

const jwkOf = (key: KeyObject): Record<string, unknown> => ({ ...key.export({ format: "jwk" }) });
const rsaPair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const rsa = jwkOf(rsaPair.publicKey);
const ec = jwkOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey);
const ed = jwkOf(generateKeyPairSync("ed25519").publicKey);
const algsOf = (jwk: unknown) => importForeignKey(jwk)?.algs;

describe("a key of somebody else (RFC 7517 §4, RFC 7518 §3)", () => {
  it("says by its type which algorithms it is used with", () => {
    expect(algsOf(rsa)).toEqual(["RS256", "PS256"]);
    expect(algsOf(ec)).toEqual(["ES256"]);
    expect(algsOf(ed)).toEqual(["EdDSA"]);
  });

  it("is bound to its `alg`, by either name of Ed25519 (RFC 9864)", () => {
    expect(algsOf({ ...rsa, alg: "PS256" })).toEqual(["PS256"]);
    expect(algsOf({ ...ed, alg: "Ed25519" })).toEqual(["EdDSA"]);
    for (const alg of ["ES256", "HS256", "none", "RSA-OAEP", 1])
      expect([alg, algsOf({ ...rsa, alg })]).toEqual([alg, undefined]);
  });

  it("is one for signatures", () => {
    expect(algsOf({ ...ec, use: "sig", key_ops: ["verify"] })).toEqual(["ES256"]);
    expect(algsOf({ ...ec, use: "enc" })).toBeUndefined();
    expect(algsOf({ ...ec, key_ops: ["deriveKey"] })).toBeUndefined();
  });

  it("is long enough, and of a curve that we know", () => {
    const short = jwkOf(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey);
    const p384 = jwkOf(generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey);
    const x25519 = jwkOf(generateKeyPairSync("x25519").publicKey);
    for (const jwk of [short, p384, x25519]) expect(importForeignKey(jwk)).toBeUndefined();
  });

  it("has an exponent that can be verified with in no time", () => {
    expect(algsOf({ ...rsa, e: Buffer.from("01".repeat(200), "hex").toString("base64url") })).toBeUndefined();
    expect(algsOf({ ...rsa, e: "AQ" })).toBeUndefined();
  });

  it("is neither private nor symmetric", () => {
    expect(importForeignKey(jwkOf(rsaPair.privateKey))).toBeUndefined();
    expect(importForeignKey({ ...ec, d: "AAAA" })).toBeUndefined();
    expect(importForeignKey({ kty: "oct", k: "AAAA", alg: "HS256" })).toBeUndefined();
    expect(importForeignKey({ ...ed, k: "AAAA" })).toBeUndefined();
  });

  it("is on its curve, and whole", () => {
    expect(importForeignKey({ ...ec, x: ec["y"], y: ec["x"] })).toBeUndefined();
    expect(importForeignKey({ ...ec, y: undefined })).toBeUndefined();
    expect(importForeignKey({ ...ec, kid: 7 })).toBeUndefined();
  });

  it("is nothing else, whatever is sent", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => importForeignKeys(value).length === 0));
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom("kty", "crv", "x", "y", "n", "e", "alg"), fc.jsonValue()),
        (value) => {
          importForeignKey({ ...ec, ...value });
          return true;
        },
      ),
    );
  });
});

describe("choosing a key of a set (OpenID Connect Core §10.1)", () => {
  const keys = importForeignKeys({
    keys: [{ ...rsa, kid: "r" }, { ...ec, kid: "e" }, { kty: "oct", k: "AAAA" }, ed],
  });

  it("leaves out what cannot be used (RFC 7517 §5)", () => {
    expect(keys.map(({ kid }) => kid)).toEqual(["r", "e", undefined]);
  });

  it("goes by kid and algorithm, both", () => {
    expect(selectForeignKey(keys, { kid: "r", alg: "RS256" })?.kid).toBe("r");
    expect(selectForeignKey(keys, { kid: "r", alg: "ES256" })).toBeUndefined();
    expect(selectForeignKey(keys, { kid: "x", alg: "ES256" })).toBeUndefined();
  });

  it("goes without a kid where there is one key only", () => {
    expect(selectForeignKey(keys, { kid: undefined, alg: "ES256" })?.kid).toBe("e");
    const two = importForeignKeys({
      keys: [
        { ...ec, kid: "1" },
        { ...ec, kid: "2" },
      ],
    });
    expect(selectForeignKey(two, { kid: undefined, alg: "ES256" })).toBeUndefined();
  });

  it("does not guess between two keys of one kid", () => {
    const two = importForeignKeys({
      keys: [
        { ...ec, kid: "1" },
        { ...ec, kid: "1" },
      ],
    });
    expect(selectForeignKey(two, { kid: "1", alg: "ES256" })).toBeUndefined();
  });

  it("looks at no more keys than a client can need", () => {
    expect(importForeignKeys({ keys: Array.from({ length: 60 }, () => ed) })).toHaveLength(50);
  });
});
