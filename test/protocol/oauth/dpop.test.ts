import { beforeAll, describe, expect, it } from "bun:test";
import fc from "fast-check";
import { calculateJwkThumbprint, decodeJwt } from "jose";
import { clientCredentialsGrantRequest, customFetch, DPoP, generateKeyPair, None } from "oauth4webapi";
import { sha256 } from "../../../src/lib/crypto.ts";
import { type DpopRequest, verifyDpopProof } from "../../../src/protocol/oauth/dpop.ts";
import { createSigner, NOW_SECONDS, type Signer, unsignedJwt } from "../signer.ts";
import { NOW, oauthError, throwsOnlyOAuthErrors } from "../support.ts";

const ENDPOINT = "https://id.example.com/oauth/token";
const claims = { htm: "POST", htu: ENDPOINT, iat: NOW_SECONDS, jti: "1" };
const request: DpopRequest = {
  method: "POST",
  url: ENDPOINT,
  now: NOW,
  nonce: { required: false, isFresh: (nonce) => nonce === "fresh", current: () => "fresh" },
};
let signer: Signer;
beforeAll(async () => {
  signer = await createSigner();
});

const proofOf = (changes: Record<string, unknown> = {}, header = {}) =>
  signer.sign({ ...claims, ...changes }, { typ: "dpop+jwt", jwk: signer.jwk, ...header });
const verify = async (changes?: Record<string, unknown>, header?: object, of: Partial<DpopRequest> = {}) =>
  verifyDpopProof(await proofOf(changes, header), { ...request, ...of });
const refusal = async (...change: Parameters<typeof verify>) => {
  const [changes, header, of = {}] = change;
  const proof = await proofOf(changes, header);
  const error = oauthError(() => verifyDpopProof(proof, { ...request, ...of }));
  expect([error.code, error.status]).toEqual(["invalid_dpop_proof", 400]);
  return error.message;
};

describe("a DPoP proof (RFC 9449 §4.3)", () => {
  it("tells the key, and what is stored of it", async () => {
    const proof = await verify();
    expect(proof?.jkt).toBe(await calculateJwkThumbprint(signer.jwk));
    expect(proof?.use.kind).toBe("dpop_proof");
    expect((await verify())?.use.hash).toEqual(proof?.use.hash ?? Buffer.of());
    expect((await verify({ jti: "2" }))?.use.hash).not.toEqual(proof?.use.hash ?? Buffer.of());
  });

  it("is remembered for as long as it is accepted", async () => {
    const use = (await verify({ iat: NOW_SECONDS + 60 }))?.use;
    expect(use?.expiresAt.getTime()).toBeGreaterThanOrEqual((NOW_SECONDS + 60 + 120) * 1000);
  });

  it("of another key is another, though its jti is the same", async () => {
    const other = await createSigner();
    const proof = await other.sign(claims, { typ: "dpop+jwt", jwk: other.jwk });
    expect(verifyDpopProof(proof, request)?.use.hash).not.toEqual((await verify())?.use.hash ?? Buffer.of());
  });

  it("is none where there is no header", () => {
    expect(verifyDpopProof(null, request)).toBeUndefined();
    expect(verifyDpopProof(undefined, request)).toBeUndefined();
  });

  it("is one: two headers are refused (1)", async () => {
    const two = `${await proofOf()}, ${await proofOf()}`;
    for (const header of [two, "", "a.b.c", "x"])
      expect(oauthError(() => verifyDpopProof(header, request)).code).toBe("invalid_dpop_proof");
  });

  it("is typed as one (4)", async () => {
    for (const typ of [undefined, "JWT", "at+jwt"]) expect(await refusal({}, { typ })).toContain("typ");
  });

  it("is signed with an asymmetric algorithm that its key fits (5, 6)", async () => {
    for (const alg of ["RS256", "PS256", "EdDSA", "Ed25519"]) {
      const { sign, jwk } = await createSigner(alg);
      expect(verifyDpopProof(await sign(claims, { typ: "dpop+jwt", jwk }), request)?.jkt).toBe(
        await calculateJwkThumbprint(jwk),
      );
    }
    for (const alg of ["none", "HS256", "RS256"]) {
      const proof = unsignedJwt({ alg, typ: "dpop+jwt", jwk: signer.jwk }, claims, "AAAA");
      expect(oauthError(() => verifyDpopProof(proof, request)).message).toContain("fits alg");
    }
  });

  it("brings its public key, and nothing private (7)", async () => {
    expect(await refusal({}, { jwk: signer.privateJwk })).toContain("jwk");
    expect(await refusal({}, { jwk: undefined })).toContain("jwk");
    expect(await refusal({}, { jwk: { kty: "oct", k: "AAAA" } })).toContain("jwk");
    expect(await refusal({}, { jku: "https://evil.example" })).toContain("not one JWT");
  });

  it("is signed by that key (6)", async () => {
    expect(await refusal({}, { jwk: (await createSigner()).jwk })).toContain("signature");
  });

  it("is for this method and URL (8, 9)", async () => {
    for (const htm of ["GET", "post", undefined]) expect(await refusal({ htm })).toContain("htm");
    const others = [
      "http://id.example.com/oauth/token",
      "https://id.example.com:8443/oauth/token",
      "https://id.example.com/oauth/token/",
      "https://id.example.com/oauth/Token",
      "https://id.example.com/oauth%2Ftoken",
      "https://evil.example/oauth/token",
      "https://id.example.com@evil.example/oauth/token",
      "https://user@id.example.com/oauth/token",
      "/oauth/token",
      undefined,
    ];
    for (const htu of others) expect(await refusal({ htu })).toContain("htu");
  });

  it("may spell the URL in another way (9; RFC 3986 §6.2.2, §6.2.3)", async () => {
    const same = [
      "https://id.example.com:443/oauth/token",
      "HTTPS://ID.example.com/oauth/token",
      "https://id.example.com/oauth/token?a=b#c",
      "https://id.example.com/oauth/../oauth/token",
      "https://id.example.com/oauth/%74oken",
    ];
    for (const htu of same) expect((await verify({ htu }))?.jkt).toBeString();
    const url = "https://id.example.com/t/%c3%a4";
    expect((await verify({ htu: "https://id.example.com/t/ä" }, {}, { url }))?.jkt).toBeString();
  });

  it("was made just now (11)", async () => {
    for (const iat of [NOW_SECONDS - 120, NOW_SECONDS + 60])
      expect((await verify({ iat }))?.jkt).toBeString();
    for (const iat of [NOW_SECONDS - 121, NOW_SECONDS + 61, undefined, "1"])
      expect(await refusal({ iat })).toContain("iat");
  });

  it("has a jti (3)", async () => {
    for (const jti of [undefined, "", 1, "x".repeat(513)]) expect(await refusal({ jti })).toContain("jti");
  });

  it("is for the access token that it comes with (12)", async () => {
    const accessToken = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    const ath = sha256(accessToken).toString("base64url");
    // The example of §7.1.
    expect(ath).toBe("fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    expect((await verify({ ath }, {}, { accessToken }))?.jkt).toBeString();
    for (const wrong of [undefined, "", sha256("other").toString("base64url")])
      expect(await refusal({ ath: wrong }, {}, { accessToken })).toContain("ath");
  });

  it("is understood when another implementation made it", async () => {
    for (const alg of ["ES256", "Ed25519", "PS256", "RS256"]) {
      const client = { client_id: "c" };
      const handle = DPoP({}, await generateKeyPair(alg));
      let proof: string | null = null;
      const server = { issuer: "https://id.example.com", token_endpoint: ENDPOINT };
      await clientCredentialsGrantRequest(server, client, None(), new URLSearchParams(), {
        DPoP: handle,
        [customFetch]: async (_url, { headers }) => {
          proof = new Headers(headers).get("dpop");
          return new Response();
        },
      });
      const { iat = 0 } = decodeJwt(proof ?? "");
      const found = verifyDpopProof(proof, { ...request, now: new Date(iat * 1000) });
      expect(found?.jkt).toBe(await handle.calculateThumbprint());
    }
  });

  it("throws nothing but OAuthErrors", () => {
    const part = fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString("base64url"));
    fc.assert(
      fc.property(fc.tuple(part, part, part), (parts) =>
        throwsOnlyOAuthErrors(() => verifyDpopProof(parts.join("."), request)),
      ),
    );
  });
});

describe("nonces (RFC 9449 §8)", () => {
  const nonceOf = async (nonce: unknown, required: boolean) => {
    const proof = await proofOf({ nonce });
    const error = oauthError(() =>
      verifyDpopProof(proof, { ...request, nonce: { ...request.nonce, required } }),
    );
    return [error.code, error.status, error.headers["dpop-nonce"]];
  };

  it("are asked for where they are required, and given along", async () => {
    expect(await nonceOf(undefined, true)).toEqual(["use_dpop_nonce", 400, "fresh"]);
    expect((await verify())?.jkt).toBeString();
  });

  it("are checked whenever one is there", async () => {
    for (const nonce of ["stale", "", 7])
      expect(await nonceOf(nonce, false)).toEqual(["use_dpop_nonce", 400, "fresh"]);
    expect((await verify({ nonce: "fresh" }))?.jkt).toBeString();
  });
});
