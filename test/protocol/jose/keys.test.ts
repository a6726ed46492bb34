import { describe, expect, it } from "bun:test";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, exportPKCS8, generateKeyPair } from "jose";
import {
  isSigningAlgorithm,
  keyGenerationOptions,
  signingAlgorithms,
} from "../../../src/protocol/jose/algorithms.ts";
import {
  importSigningKey,
  importVerificationKey,
  jwkSet,
  jwkThumbprint,
  publicJwk,
  publicJwkOf,
} from "../../../src/protocol/jose/keys.ts";

/** RFC 7638 §3.1. */
const RSA_JWK = {
  kty: "RSA",
  n: "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
  e: "AQAB",
  alg: "RS256",
  kid: "2011-04-29",
};

/** RFC 8037 §A.1: with its private member d. */
const OKP_JWK = {
  kty: "OKP",
  crv: "Ed25519",
  d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
};

describe("JWK thumbprint (RFC 7638 §3)", () => {
  it("agrees with §3.1 and with RFC 8037 §A.3", () => {
    expect(jwkThumbprint(RSA_JWK)).toBe("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    expect(jwkThumbprint(OKP_JWK)).toBe("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  });

  it("agrees with jose on every kind of key", async () => {
    for (const alg of signingAlgorithms) {
      const { publicKey } = await generateKeyPair(alg, keyGenerationOptions);
      const jwk = await exportJWK(publicKey);
      expect(jwkThumbprint(jwk)).toBe(await calculateJwkThumbprint(jwk));
    }
  });
});

describe("published keys (RFC 7517)", () => {
  it("hold no private member, whatever they were made of (§9.2)", async () => {
    for (const alg of signingAlgorithms) {
      const { privateKey } = await generateKeyPair(alg, keyGenerationOptions);
      const jwk = await exportJWK(privateKey);
      expect(jwk).toHaveProperty("d");
      const allowed = ["kty", "n", "e", "crv", "x", "y", "kid", "alg", "use"];
      const mixed = { ...jwk, ...publicJwk("k", alg, jwk) };
      for (const published of [publicJwk("k", alg, jwk), ...jwkSet([mixed]).keys])
        expect(Object.keys(published).filter((member) => !allowed.includes(member))).toEqual([]);
    }
  });

  it("say what they are for", () => {
    expect(publicJwk("k", "EdDSA", OKP_JWK)).toEqual({
      kty: "OKP",
      crv: "Ed25519",
      x: OKP_JWK.x,
      kid: "k",
      alg: "EdDSA",
      use: "sig",
    });
  });

  it("are made of a signing key", async () => {
    for (const alg of signingAlgorithms) {
      const { privateKey, publicKey } = await generateKeyPair(alg, keyGenerationOptions);
      const key = importSigningKey("k", alg, der(await exportPKCS8(privateKey)));
      expect(publicJwkOf(key)).toEqual({ ...publicJwk("k", alg, await exportJWK(publicKey)) });
    }
  });

  it("refuse a key without its members", () => {
    expect(() => publicJwk("k", "EdDSA", { kty: "OKP", crv: "Ed25519" })).toThrow(TypeError);
    expect(() => publicJwk("k", "ES256", { kty: "oct", x: "secret" })).toThrow(TypeError);
  });
});

describe("importing keys (RFC 7518 §3.3-3.5)", () => {
  const pkcs8 = {
    privateKeyEncoding: { type: "pkcs8", format: "der" },
    publicKeyEncoding: { type: "spki", format: "der" },
  } as const;
  const shortRsa = generateKeyPairSync("rsa", { modulusLength: 1024, ...pkcs8 }).privateKey;
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384", ...pkcs8 }).privateKey;
  const p256 = generateKeyPairSync("ec", { namedCurve: "P-256", ...pkcs8 }).privateKey;

  it("refuses a key that does not fit its algorithm", () => {
    expect(() => importSigningKey("k", "RS256", shortRsa)).toThrow(TypeError);
    expect(() => importSigningKey("k", "PS256", shortRsa)).toThrow(TypeError);
    expect(() => importSigningKey("k", "ES256", p384)).toThrow(TypeError);
    for (const alg of ["RS256", "PS256", "EdDSA"] as const)
      expect(() => importSigningKey("k", alg, p256)).toThrow(TypeError);
    expect(() => importVerificationKey("k", "ES256", OKP_JWK)).toThrow(TypeError);
    expect(() => importVerificationKey("k", "RS256", createPrivateKeyJwk(shortRsa))).toThrow(TypeError);
  });

  it("takes the public half of a private JWK only", () => {
    expect(importVerificationKey("k", "EdDSA", OKP_JWK).publicKey.type).toBe("public");
  });
});

describe("algorithms", () => {
  it("are neither none nor HMAC (RFC 8725 §2.1)", () => {
    for (const alg of ["none", "HS256", "RS1", "", undefined, ["RS256"]])
      expect(isSigningAlgorithm(alg)).toBe(false);
    expect(isSigningAlgorithm("ES256")).toBe(true);
  });
});

function der(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
}

function createPrivateKeyJwk(pkcs8: Buffer) {
  return createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }).export({ format: "jwk" });
}
