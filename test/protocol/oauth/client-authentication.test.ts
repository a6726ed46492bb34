import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { sha256 } from "../../../src/lib/crypto.ts";
import {
  authenticateClient,
  readClientCredentials,
} from "../../../src/protocol/oauth/client-authentication.ts";
import { singleValued } from "../../../src/protocol/oauth/parameters.ts";
import { oauthError, throwsOnlyOAuthErrors } from "../support.ts";

/** The example of RFC 6749 §2.3.1. */
const BASIC = "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW";
const body = (parameters: Record<string, string> = {}) => singleValued(new URLSearchParams(parameters));
const digestWithoutId = (secret: string) => sha256(secret.slice(3));
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString("base64")}`;

describe("reading client credentials (RFC 6749 §2.3.1)", () => {
  it("takes HTTP Basic, the scheme in any case", () => {
    const credentials = {
      method: "client_secret_basic",
      clientId: "s6BhdRkqt3",
      clientSecret: "gX1fBat3bV",
    } as const;
    expect(readClientCredentials(BASIC, body())).toEqual(credentials);
    expect(readClientCredentials(BASIC.replace("Basic", "bAsIc"), body())).toEqual(credentials);
    expect(readClientCredentials(BASIC, body({ client_id: "s6BhdRkqt3" }))).toEqual(credentials);
  });

  it("decodes both parts of Basic as forms are encoded", () => {
    expect(readClientCredentials(basic("https%3A%2F%2Fapp.example:a%3Ab+c%25%C3%A4"), body())).toMatchObject({
      clientId: "https://app.example",
      clientSecret: "a:b c%ä",
    });
    expect(readClientCredentials(basic("id:a:b"), body())).toMatchObject({
      clientId: "id",
      clientSecret: "a:b",
    });
  });

  it("takes the secret in the body, and a bare client_id", () => {
    expect(readClientCredentials(undefined, body({ client_id: "a", client_secret: "b" }))).toEqual({
      method: "client_secret_post",
      clientId: "a",
      clientSecret: "b",
    });
    expect(readClientCredentials(null, body({ client_id: "a" }))).toEqual({ method: "none", clientId: "a" });
  });

  it("refuses two methods at once, and two client ids (§2.3)", () => {
    const twice = body({ client_id: "s6BhdRkqt3", client_secret: "gX1fBat3bV" });
    expect(oauthError(() => readClientCredentials(BASIC, twice)).code).toBe("invalid_request");
    expect(oauthError(() => readClientCredentials(BASIC, body({ client_id: "x" }))).code).toBe(
      "invalid_request",
    );
  });

  it("answers unreadable Authorization headers with 401 and a challenge (§5.2)", () => {
    for (const header of [
      "Basic",
      "Basic !",
      basic("nocolon"),
      basic(":secret"),
      basic("id:"),
      basic("%zz:a"),
      "Bearer abc",
      "Basic /w==",
    ]) {
      const error = oauthError(() => readClientCredentials(header, body({ client_id: "a" })));
      expect([header, error.code, error.status]).toEqual([header, "invalid_client", 401]);
      expect(error.headers["www-authenticate"]).toStartWith("Basic ");
    }
  });

  it("refuses invalid UTF-8 rather than reading it as something else", () => {
    const header = `Basic ${Buffer.from([0x61, 0xff, 0x3a, 0x62]).toString("base64")}`;
    expect(oauthError(() => readClientCredentials(header, body())).code).toBe("invalid_client");
  });

  it("refuses a client that does not say who it is", () => {
    const error = oauthError(() => readClientCredentials(undefined, body({ client_secret: "b" })));
    expect([error.code, error.status]).toEqual(["invalid_client", 401]);
  });

  it("throws nothing but OAuthErrors", () => {
    const headers = fc.oneof(
      fc.string(),
      fc.base64String().map((text) => `Basic ${text}`),
      fc.string().map(basic),
    );
    fc.assert(
      fc.property(
        headers,
        fc.dictionary(fc.constantFrom("client_id", "client_secret"), fc.string()),
        (header, form) => throwsOnlyOAuthErrors(() => readClientCredentials(header, body(form))),
      ),
    );
  });
});

describe("authenticating a client (RFC 6749 §3.2.1)", () => {
  const hashes = [sha256("old"), sha256("new")];
  const client = { clientId: "a", tokenEndpointAuthMethod: "client_secret_basic", secretHashes: hashes };
  const credentials = { method: "client_secret_basic", clientId: "a", clientSecret: "new" } as const;

  it("takes each of the client's valid secrets", () => {
    expect(authenticateClient(credentials, client)).toBe(client);
    expect(authenticateClient({ ...credentials, clientSecret: "old" }, client)).toBe(client);
  });

  it("takes a secret in the header or in the form, whichever of the two is registered", () => {
    const post = { ...client, tokenEndpointAuthMethod: "client_secret_post" };
    expect(authenticateClient(credentials, post)).toBe(post);
    expect(authenticateClient({ ...credentials, method: "client_secret_post" }, client)).toBe(client);
  });

  it("takes a public client by its id alone", () => {
    const publicClient = { clientId: "p", tokenEndpointAuthMethod: "none", secretHashes: [] };
    expect(authenticateClient({ method: "none", clientId: "p" }, publicClient)).toBe(publicClient);
  });

  it("answers every failure alike", () => {
    const failures = [
      () => authenticateClient(credentials, undefined),
      () => authenticateClient({ ...credentials, clientSecret: "wrong" }, client),
      () => authenticateClient(credentials, { ...client, secretHashes: [] }),
      () => authenticateClient(credentials, { ...client, clientId: "b" }),
      () => authenticateClient(credentials, { ...client, tokenEndpointAuthMethod: "private_key_jwt" }),
      () => authenticateClient(credentials, { ...client, tokenEndpointAuthMethod: "none" }),
    ];
    for (const failure of failures) {
      const { code, status, message, headers } = oauthError(failure);
      expect({ code, status, message }).toEqual({
        code: "invalid_client",
        status: 401,
        message: "Client authentication failed.",
      });
      expect(headers["www-authenticate"]).toStartWith("Basic ");
    }
  });

  it("refuses a confidential client that sends no secret", () => {
    const error = oauthError(() => authenticateClient({ method: "none", clientId: "a" }, client));
    expect([error.code, error.headers["www-authenticate"]]).toEqual(["invalid_client", undefined]);
  });

  it("compares what the digest makes of a secret", () => {
    expect(authenticateClient({ ...credentials, clientSecret: "id_new" }, client, digestWithoutId)).toBe(
      client,
    );
    expect(oauthError(() => authenticateClient(credentials, client, digestWithoutId)).code).toBe(
      "invalid_client",
    );
  });
});
