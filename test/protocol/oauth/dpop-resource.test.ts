import { beforeAll, describe, expect, it } from "bun:test";
import { sha256 } from "../../../src/lib/crypto.ts";
import {
  dpopChallenge,
  type PresentedToken,
  readPresentedToken,
  requireBinding,
} from "../../../src/protocol/oauth/dpop-resource.ts";
import { singleValued } from "../../../src/protocol/oauth/parameters.ts";
import { createSigner, NOW_SECONDS, type Signer } from "../signer.ts";
import { NOW, oauthError } from "../support.ts";

const ENDPOINT = "https://id.example.com/oauth/userinfo";
const request = {
  method: "GET",
  url: ENDPOINT,
  now: NOW,
  nonce: { required: false, isFresh: (nonce: string) => nonce === "fresh", current: () => "fresh" },
};
let signer: Signer;
let proof: string;
beforeAll(async () => {
  signer = await createSigner();
  proof = await proofOf();
});
const proofOf = (changes: Record<string, unknown> = {}) =>
  signer.sign(
    {
      htm: "GET",
      htu: ENDPOINT,
      iat: NOW_SECONDS,
      jti: "1",
      ath: sha256("abc").toString("base64url"),
      ...changes,
    },
    { typ: "dpop+jwt", jwk: signer.jwk },
  );
const read = (authorization: string | null, dpop: string | null = null, form?: string) =>
  readPresentedToken(
    { authorization, dpop },
    request,
    form === undefined ? undefined : singleValued(new URLSearchParams(form)),
  );

describe("presenting an access token (RFC 9449 §7.1)", () => {
  it("under DPoP needs the proof of a key", () => {
    const presented = read("DPoP abc", proof);
    expect(presented).toMatchObject({ scheme: "DPoP", accessToken: "abc" });
    expect(presented?.proof?.jkt).toBeString();
    expect(read("dpop  abc", proof)?.scheme).toBe("DPoP");
  });

  it("under Bearer needs none, and a DPoP header is not looked at", () => {
    for (const dpop of [null, proof, "nonsense"])
      expect(read("Bearer abc", dpop)).toEqual({ scheme: "Bearer", accessToken: "abc", proof: undefined });
    expect(read(null, null, "access_token=abc")?.scheme).toBe("Bearer");
  });

  it("is none where there is none", () => {
    expect(read(null, proof)).toBeUndefined();
    expect(read("Basic abc")).toBeUndefined();
  });

  it("answers a missing or wrong proof with 401 and a DPoP challenge", async () => {
    for (const dpop of [null, "nonsense", await proofOf({ ath: "x" }), await proofOf({ htm: "POST" })]) {
      const error = oauthError(() => read("DPoP abc", dpop));
      expect([error.code, error.status]).toEqual(["invalid_dpop_proof", 401]);
      expect(error.headers["www-authenticate"]).toMatch(
        /^DPoP error="invalid_dpop_proof", .*algs="[^"]*ES256/,
      );
    }
  });

  it("asks for a nonce with 401, a challenge and the nonce (§9)", async () => {
    const stale = await proofOf({ nonce: "stale" });
    const error = oauthError(() => read("DPoP abc", stale));
    expect([error.code, error.status, error.headers["dpop-nonce"]]).toEqual(["use_dpop_nonce", 401, "fresh"]);
    expect(error.headers["www-authenticate"]).toStartWith('DPoP error="use_dpop_nonce"');
  });

  it("is refused when it is malformed, or sent twice", () => {
    for (const header of ["DPoP", "DPoP a b", "DPoP a,b"])
      expect(oauthError(() => read(header, proof)).code).toBe("invalid_request");
    expect(oauthError(() => read("DPoP abc", proof, "access_token=abc")).status).toBe(400);
  });
});

describe("the key of a token (RFC 9449 §7.2)", () => {
  const bearer: PresentedToken = { scheme: "Bearer", accessToken: "abc", proof: undefined };
  const proven = () => {
    const presented = read("DPoP abc", proof);
    if (!presented?.proof) throw new Error("no proof");
    return { presented, jkt: presented.proof.jkt };
  };

  it("is the proven one", () => {
    const { presented, jkt } = proven();
    expect(() => requireBinding(presented, jkt)).not.toThrow();
    expect(() => requireBinding(bearer, undefined)).not.toThrow();
  });

  it("keeps a bound token from being used as a Bearer token", () => {
    const error = oauthError(() => requireBinding(bearer, proven().jkt));
    expect([error.code, error.status]).toEqual(["invalid_token", 401]);
    expect(error.headers["www-authenticate"]).toStartWith("Bearer error=");
  });

  it("keeps a token from being used with another key, or an unbound one with any", () => {
    for (const boundJkt of ["other", undefined]) {
      const error = oauthError(() => requireBinding(proven().presented, boundJkt));
      expect([error.code, error.status]).toEqual(["invalid_token", 401]);
      expect(error.headers["www-authenticate"]).toStartWith("DPoP error=");
    }
  });
});

describe("WWW-Authenticate (RFC 9449 §7.1)", () => {
  it("names the algorithms", () => {
    expect(dpopChallenge()).toBe('DPoP algs="RS256 PS256 ES256 EdDSA Ed25519"');
  });
});
