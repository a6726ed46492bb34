/** Signatures that are not checked twice, and all that is nevertheless looked at each time. */
import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "bun:test";
import { createVerifiedTokens } from "../../../src/domain/access-tokens/verified-tokens.ts";
import { importSigningKey, importVerificationKey, publicJwkOf } from "../../../src/protocol/jose/keys.ts";
import { signJwt } from "../../../src/protocol/jose/sign-jwt.ts";
import { ANY_AUDIENCE, type JwtVerification, verifyJwt } from "../../../src/protocol/jose/verify-jwt.ts";
import { NOW, secondsFromNow } from "../support.ts";

function newKey() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signing = importSigningKey("kid", "ES256", privateKey.export({ format: "der", type: "pkcs8" }));
  return { signing, verification: importVerificationKey("kid", "ES256", publicJwkOf(signing)) };
}

const issuer = "https://id.example";
const claims = { iss: issuer, aud: "https://api.example", exp: NOW.getTime() / 1000 + 60 };

/** A token that was verified once, and what verifying it again says. */
async function known() {
  const { signing, verification } = newKey();
  const token = await signJwt(claims, { typ: "at+jwt", key: signing });
  const verified = createVerifiedTokens();
  let kept = 0;
  const expected: JwtVerification = {
    keyOf: () => verification,
    issuer,
    audience: ANY_AUDIENCE,
    typ: "at+jwt",
    now: NOW,
    verified: {
      find: verified.find,
      keep(of, what) {
        kept++;
        verified.keep(of, what);
      },
    },
  };
  expect(verifyJwt(token, expected).ok).toBe(true);
  const again = (changes: Partial<JwtVerification> = {}, of = token) => {
    const result = verifyJwt(of, { ...expected, ...changes });
    return result.ok ? "ok" : result.reason;
  };
  return { token, again, kept: () => kept };
}

describe("a token whose signature held", () => {
  it("is known by this signature alone, and says the same again", async () => {
    const { token, again, kept } = await known();
    expect(again()).toBe("ok");
    expect(kept()).toBe(1);
    const [head, payload] = token.split(".");
    const forged = Buffer.alloc(64, 1).toString("base64url");
    expect(again({}, `${head}.${payload}.${forged}`)).toBe("signature");
    expect(kept()).toBe(1);
  });

  it("expires, and is for its audience and of its issuer alone, all the same", async () => {
    const { again } = await known();
    expect(again({ now: secondsFromNow(61) })).toBe("expired");
    expect(again({ audience: "https://other.example" })).toBe("audience");
    expect(again({ issuer: "https://other.example" })).toBe("issuer");
    expect(again()).toBe("ok");
  });

  /** Guard: verifyJwt compares the key with the one that it was verified by. */
  it("is worth nothing without the key that it was verified by", async () => {
    const { again } = await known();
    expect(again({ keyOf: () => undefined })).toBe("key");
    const other = newKey().verification;
    expect(again({ keyOf: () => other })).toBe("signature");
  });
});
