import { beforeAll, describe, expect, it } from "bun:test";
import { createHmac, sign } from "node:crypto";
import fc from "fast-check";
import { exportPKCS8, generateKeyPair, importJWK, jwtVerify, SignJWT } from "jose";
import {
  keyGenerationOptions,
  type SigningAlgorithm,
  signingAlgorithms,
} from "../../../src/protocol/jose/algorithms.ts";
import {
  importSigningKey,
  importVerificationKey,
  publicJwkOf,
  type SigningKey,
} from "../../../src/protocol/jose/keys.ts";
import { signJwt } from "../../../src/protocol/jose/sign-jwt.ts";
import { type JwtVerification, verifyJwt } from "../../../src/protocol/jose/verify-jwt.ts";
import { NOW, secondsFromNow } from "../support.ts";

const keys = new Map<string, SigningKey>();
const keyOf = (kid: string) => {
  const key = keys.get(kid);
  return key && importVerificationKey(kid, key.alg, publicJwkOf(key));
};

beforeAll(async () => {
  for (const alg of signingAlgorithms) {
    const { privateKey } = await generateKeyPair(alg, keyGenerationOptions);
    const der = (await exportPKCS8(privateKey)).replace(/-----[^-]+-----|\s/g, "");
    keys.set(alg, importSigningKey(alg, alg, Buffer.from(der, "base64")));
  }
});

function signingKey(alg: SigningAlgorithm): SigningKey {
  const key = keys.get(alg);
  if (!key) throw new Error(`no key for ${alg}`);
  return key;
}

const issuer = "https://id.example";
const audience = "https://api.example";
const exp = NOW.getTime() / 1000 + 60;
const claims = { iss: issuer, aud: audience, sub: "ü", exp };
const expected: JwtVerification = { keyOf, issuer, audience, typ: "at+jwt", now: NOW };

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Signed by the ES256 key whatever the header says. */
function forge(header: object, payload: string = encode(claims)): string {
  const input = `${encode(header)}.${payload}`;
  const key = { key: signingKey("ES256").privateKey, dsaEncoding: "ieee-p1363" as const };
  return `${input}.${sign("sha256", Buffer.from(input), key).toString("base64url")}`;
}

const header = { alg: "ES256", typ: "at+jwt", kid: "ES256" };
const withClaims = (changes: object) => forge(header, encode({ ...claims, ...changes }));
const reasonOf = (token: string, changes: Partial<JwtVerification> = {}) => {
  const result = verifyJwt(token, { ...expected, ...changes });
  return result.ok ? "ok" : result.reason;
};

describe("signing (RFC 7515 §5.1)", () => {
  it("makes JWTs that jose takes, with every algorithm", async () => {
    for (const alg of signingAlgorithms) {
      const key = signingKey(alg);
      const token = await signJwt(claims, { typ: "at+jwt", key });
      const publicKey = await importJWK({ ...publicJwkOf(key) });
      const verified = await jwtVerify(token, publicKey, {
        algorithms: [alg],
        issuer,
        audience,
        typ: "at+jwt",
        currentDate: NOW,
      });
      expect(verified.payload).toEqual(claims);
      expect(verified.protectedHeader).toEqual({ alg, typ: "at+jwt", kid: alg });
    }
  });
});

describe("verification (RFC 7515 §5.2, RFC 7519 §7.2)", () => {
  it("takes what was signed here, and what jose signed, with every algorithm", async () => {
    for (const alg of signingAlgorithms) {
      const ours = await signJwt(claims, { typ: "at+jwt", key: signingKey(alg) });
      expect(verifyJwt(ours, expected)).toEqual({ ok: true, claims, kid: alg });
      const theirs = await new SignJWT(claims)
        .setProtectedHeader({ alg, typ: "application/AT+JWT", kid: alg })
        .sign(signingKey(alg).privateKey);
      expect(reasonOf(theirs)).toBe("ok");
    }
  });

  it("refuses a changed token", async () => {
    const token = await signJwt(claims, { typ: "at+jwt", key: signingKey("EdDSA") });
    const [head = "", , signature = ""] = token.split(".");
    expect(reasonOf(`${head}.${encode({ ...claims, sub: "root" })}.${signature}`)).toBe("signature");
    expect(reasonOf(`${head}.${encode(claims)}.${"A".repeat(86)}`)).toBe("signature");
    expect(reasonOf(`${head}.${encode(claims)}.AAAA`)).toBe("signature");
  });

  it("refuses a signature of the wrong length with every algorithm", async () => {
    for (const alg of signingAlgorithms) {
      const token = await signJwt(claims, { typ: "at+jwt", key: signingKey(alg) });
      expect(reasonOf(`${token.slice(0, token.lastIndexOf("."))}.AAAA`)).toBe("signature");
    }
  });

  it("has one spelling for one token", async () => {
    const token = await signJwt(claims, { typ: "at+jwt", key: signingKey("EdDSA") });
    const respelt = token.slice(0, -1) + { A: "B", Q: "R", g: "h", w: "x" }[token.slice(-1)];
    expect(reasonOf(token)).toBe("ok");
    expect(reasonOf(respelt)).toBe("malformed");
    expect(reasonOf(`${token}=`)).toBe("malformed");
    expect(reasonOf(`${token} `)).toBe("malformed");
    expect(reasonOf(`${token}.`)).toBe("malformed");
  });

  it("refuses what is not an object in JSON and UTF-8, or is too long", () => {
    expect(reasonOf("")).toBe("malformed");
    expect(reasonOf("a.b.c")).toBe("malformed");
    expect(reasonOf(forge([]))).toBe("malformed");
    expect(reasonOf(forge(header, encode(["x"])))).toBe("malformed");
    expect(reasonOf(forge(header, Buffer.from('{"a":"\xff"}', "latin1").toString("base64url")))).toBe(
      "malformed",
    );
    expect(reasonOf(forge(header, encode({ ...claims, filler: "x".repeat(13_000) })))).toBe("malformed");
    expect(reasonOf(forge(header, encode({ ...claims, filler: "x".repeat(10_000) })))).toBe("ok");
  });
});

describe("algorithm confusion (RFC 8725 §2.1, §3.1)", () => {
  it("refuses none", () => {
    expect(reasonOf(`${encode({ ...header, alg: "none" })}.${encode(claims)}.`)).toBe("malformed");
    expect(reasonOf(`${encode({ ...header, alg: "none" })}.${encode(claims)}.AAAA`)).toBe("alg");
  });

  it("refuses an HMAC made with the public key", () => {
    const input = `${encode({ ...header, alg: "HS256" })}.${encode(claims)}`;
    const secret = keyOf("ES256")?.publicKey.export({ type: "spki", format: "pem" }) ?? "";
    expect(reasonOf(`${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`)).toBe(
      "alg",
    );
  });

  it("refuses another algorithm than the key's, though the key could", async () => {
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: "PS256", typ: "at+jwt", kid: "RS256" })
      .sign(signingKey("RS256").privateKey);
    expect(reasonOf(token)).toBe("alg");
    expect(reasonOf(forge({ ...header, alg: undefined }))).toBe("alg");
  });

  it("refuses a token of an unknown, missing or strange kid", () => {
    expect(reasonOf(forge({ ...header, kid: "other" }))).toBe("key");
    expect(reasonOf(forge({ ...header, kid: undefined }))).toBe("key");
    expect(reasonOf(forge({ ...header, kid: ["ES256"] }))).toBe("key");
    expect(reasonOf(forge(header), { keyOf: () => keyOf("EdDSA") })).toBe("key");
  });

  it("refuses a token that brings its own key or extensions (RFC 8725 §3.10)", () => {
    for (const name of ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "zip", "cty"])
      expect([name, reasonOf(forge({ ...header, [name]: "x" }))]).toEqual([name, "header"]);
  });
});

describe("claims (RFC 7519 §4.1, RFC 8725 §3.8-3.11)", () => {
  it("need the type that the caller expects", () => {
    expect(reasonOf(forge({ ...header, typ: "JWT" }))).toBe("typ");
    expect(reasonOf(forge({ ...header, typ: undefined }))).toBe("typ");
    expect(reasonOf(forge({ ...header, typ: "AT+JWT" }))).toBe("ok");
  });

  it("need our issuer", () => {
    expect(reasonOf(withClaims({ iss: `${issuer}/` }))).toBe("issuer");
    expect(reasonOf(withClaims({ iss: undefined }))).toBe("issuer");
    expect(reasonOf(withClaims({ iss: [issuer] }))).toBe("issuer");
  });

  it("need the audience, alone or among others", () => {
    expect(reasonOf(withClaims({ aud: ["x", audience] }))).toBe("ok");
    for (const aud of ["x", ["x"], [], undefined, [[audience]], `${audience}/x`, [audience, 1]])
      expect([aud, reasonOf(withClaims({ aud }))]).toEqual([aud, "audience"]);
  });

  it("end at exp, which must be there", () => {
    expect(reasonOf(withClaims({ exp }), { now: secondsFromNow(59.999) })).toBe("ok");
    expect(reasonOf(withClaims({ exp }), { now: secondsFromNow(60) })).toBe("expired");
    expect(reasonOf(withClaims({ exp }), { now: secondsFromNow(64), clockToleranceSeconds: 5 })).toBe("ok");
    for (const value of [undefined, null, String(exp)])
      expect(reasonOf(withClaims({ exp: value }))).toBe("expired");
  });

  it("may be old where the caller accepts it, but not without exp", () => {
    expect(reasonOf(withClaims({ exp: 1 }), { acceptExpired: true })).toBe("ok");
    expect(reasonOf(withClaims({ exp: undefined }), { acceptExpired: true })).toBe("expired");
  });

  it("begin at nbf", () => {
    const nbf = NOW.getTime() / 1000 + 5;
    expect(reasonOf(withClaims({ nbf }))).toBe("not_yet_valid");
    expect(reasonOf(withClaims({ nbf: String(nbf) }))).toBe("not_yet_valid");
    expect(reasonOf(withClaims({ nbf }), { clockToleranceSeconds: 5 })).toBe("ok");
    expect(reasonOf(withClaims({ nbf: nbf - 5 }))).toBe("ok");
  });
});

it("a stranger's text is refused, and nothing is thrown", () => {
  const part = fc.oneof(
    fc.string(),
    fc.base64String(),
    fc.json().map((text) => Buffer.from(text).toString("base64url")),
  );
  fc.assert(fc.property(part, part, part, (a, b, c) => !verifyJwt(`${a}.${b}.${c}`, expected).ok));
  const headers = fc.record({
    alg: fc.constantFrom("ES256", "none"),
    kid: fc.constantFrom("ES256", "RS256"),
    typ: fc.constant("at+jwt"),
  });
  fc.assert(
    fc.property(
      headers,
      part,
      (head, c) => !verifyJwt(`${encode(head)}.${encode(claims)}.${c}`, expected).ok,
    ),
  );
});
