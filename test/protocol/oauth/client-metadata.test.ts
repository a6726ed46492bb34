import { describe, expect, it } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import {
  type ClientMetadata,
  type MetadataPolicy,
  readClientMetadata,
} from "../../../src/protocol/oauth/client-metadata.ts";
import { administeredMembers } from "../../../src/protocol/oauth/registration.ts";

const administrator: MetadataPolicy = { origin: "administrator", defaultScopes: ["openid", "profile"] };
const dynamic: MetadataPolicy = {
  origin: "dynamic",
  grantTypes: ["authorization_code", "refresh_token"],
  scopes: ["openid", "email"],
};
const document: MetadataPolicy = { ...dynamic, origin: "metadata_document" };

const sound = { client_name: "App", redirect_uris: ["https://app.example/cb"] };
const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });

function read(members: Record<string, unknown>, policy: MetadataPolicy = administrator): ClientMetadata {
  const result = readClientMetadata({ ...sound, ...members }, policy);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.metadata;
}

function problemsOf(members: Record<string, unknown>, policy: MetadataPolicy = administrator): string[] {
  const result = readClientMetadata({ ...sound, ...members }, policy);
  return result.ok ? [] : result.problems.map(({ field }) => field);
}

describe("Client metadata: defaults", () => {
  it("of an administrator's client: a confidential web client of both code grants", () => {
    expect(read({})).toMatchObject({
      name: "App",
      applicationType: "web",
      tokenEndpointAuthMethod: "client_secret_basic",
      grantTypes: ["authorization_code", "refresh_token"],
      scopes: ["openid", "profile"],
      idTokenSignedResponseAlg: "RS256",
      accessTokenFormat: "jwt",
      subjectType: "public",
      firstParty: false,
      enabled: true,
    });
  });

  it("of a registration are those of RFC 7591 §2", () => {
    expect(read({}, dynamic)).toMatchObject({
      tokenEndpointAuthMethod: "client_secret_basic",
      grantTypes: ["authorization_code"],
      scopes: ["openid", "email"],
    });
  });

  it("of a metadata document: public, and native when it is answered on the user's machine", () => {
    expect(read({}, document)).toMatchObject({ tokenEndpointAuthMethod: "none", applicationType: "web" });
    expect(read({ redirect_uris: ["http://127.0.0.1/cb"] }, document).applicationType).toBe("native");
    expect(read({ redirect_uris: ["http://127.0.0.1/cb"] }, dynamic).applicationType).toBe("web");
  });

  it("take null as left out (RFC 7592 §2.2)", () => {
    const nulls = Object.fromEntries(Object.keys(administeredMembers(read({}))).map((name) => [name, null]));
    expect(read({ ...nulls, ...sound })).toEqual(read({}));
  });

  it("are what the answer says, read again", () => {
    const full = read({
      jwks: { keys: [ec] },
      token_endpoint_auth_method: "private_key_jwt",
      grant_types: ["authorization_code", "client_credentials"],
      scope: "a b",
      resources: ["https://api.example/", "urn:example:api"],
      first_party: true,
      contacts: ["ops@example.com"],
      default_max_age: 0,
      access_token_lifetime: 60,
      require_pushed_authorization_requests: true,
    });
    expect(read(administeredMembers(full))).toEqual(full);
  });
});

describe("Client metadata: values", () => {
  const wrong: [string, unknown][] = [
    ["client_name", ""],
    ["client_name", "x".repeat(129)],
    ["client_name", "two\nlines"],
    ["client_name", "half a pair \ud800"],
    ["client_name", 1],
    ["logo_uri", "javascript:alert(1)"],
    ["logo_uri", "http://app.example/logo.png"],
    ["client_uri", "https://user@app.example/"],
    ["policy_uri", "https://app.example/#x"],
    ["tos_uri", "not a url"],
    ["jwks_uri", "https://app.example/ü"],
    ["contacts", "ops@example.com"],
    ["contacts", Array.from({ length: 11 }, (_, index) => `a${index}@example.com`)],
    ["application_type", "desktop"],
    ["redirect_uris", "https://app.example/cb"],
    ["redirect_uris", ["https://app.example/cb#fragment"]],
    ["redirect_uris", ["com.example:/cb"]],
    ["redirect_uris", [null]],
    ["redirect_uris", []],
    ["post_logout_redirect_uris", ["javascript:alert(1)"]],
    ["grant_types", ["implicit"]],
    ["grant_types", ["password"]],
    ["response_types", ["token"]],
    ["response_types", []],
    ["scope", 'a"b'],
    ["token_endpoint_auth_method", "client_secret_jwt"],
    ["id_token_signed_response_alg", "none"],
    ["id_token_signed_response_alg", "HS256"],
    ["userinfo_signed_response_alg", "RS512"],
    ["access_token_format", "reference"],
    ["access_token_lifetime", 59],
    ["access_token_lifetime", 3601],
    ["access_token_lifetime", 60.5],
    ["refresh_token_lifetime", 91 * 86_400],
    ["id_token_lifetime", "900"],
    ["resources", ["/relative"]],
    ["resources", ["https://api.example/#x"]],
    ["first_party", "yes"],
    ["subject_type", "ephemeral"],
    ["default_max_age", -1],
    ["token_exchange_modes", ["everything"]],
    ["backchannel_logout_uri", "http://app.example/logout"],
    ["software_id", "x".repeat(256)],
  ];

  it.each(wrong)("%s: %j is refused, and nothing else with it", (field, value) => {
    expect(problemsOf({ [field]: value })).toEqual([field]);
  });

  it("repeat nothing of what was sent", () => {
    const result = readClientMetadata(
      { ...sound, logo_uri: "zqx://zqx", client_name: "\u0000zqx" },
      administrator,
    );
    expect(JSON.stringify(result)).not.toContain("zqx");
  });

  it("of the developer's own machine are for administrators alone", () => {
    const local = "http://127.0.0.1:4000/x";
    const members = { jwks_uri: local, backchannel_logout_uri: local, sector_identifier_uri: local };
    expect(problemsOf(members)).toEqual([]);
    const fields = ["jwks_uri", "sector_identifier_uri", "backchannel_logout_uri"];
    expect(problemsOf(members, dynamic)).toEqual(fields);
    expect(problemsOf(members, document)).toEqual(fields);
  });
});

describe("Client metadata: grants", () => {
  it("that rest on the client's own authentication are not for a public client", () => {
    for (const grant of [
      "client_credentials",
      TOKEN_EXCHANGE,
      "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ]) {
      const members = { token_endpoint_auth_method: "none", grant_types: ["authorization_code", grant] };
      expect([grant, problemsOf(members)]).toEqual([grant, ["grant_types"]]);
    }
  });

  it("of codes need a redirect URI, others do not", () => {
    expect(problemsOf({ redirect_uris: null })).toEqual(["redirect_uris"]);
    expect(
      problemsOf({ redirect_uris: null, grant_types: ["client_credentials"], response_types: [] }),
    ).toEqual([]);
  });

  it("token-exchange has modes, and nothing else does", () => {
    expect(problemsOf({ token_exchange_modes: ["delegation"] })).toEqual(["token_exchange_modes"]);
    expect(problemsOf({ token_exchange_modes: ["delegation"], grant_types: [TOKEN_EXCHANGE] })).toEqual([]);
  });
});

describe("Client metadata: pairwise subjects (OpenID Connect Core §8.1)", () => {
  const pairwise = (...redirect_uris: string[]) => problemsOf({ subject_type: "pairwise", redirect_uris });

  it("go by the one host of the redirect URIs", () => {
    expect(pairwise("https://a.example/1", "https://a.example/2")).toEqual([]);
  });

  it("need a sector identifier for several hosts, or for none", () => {
    expect(pairwise("https://a.example/1", "https://b.example/2")).toEqual(["sector_identifier_uri"]);
    const native = { application_type: "native", redirect_uris: ["com.example.app:/cb"] };
    expect(problemsOf({ subject_type: "pairwise", ...native })).toEqual(["sector_identifier_uri"]);
    const sector_identifier_uri = "https://a.example/sector.json";
    expect(problemsOf({ subject_type: "pairwise", ...native, sector_identifier_uri })).toEqual([]);
  });
});

describe("Client metadata: whoever describes themselves", () => {
  it("gets of what they ask for what they may have (RFC 7591 §3.2.1)", () => {
    const asked = {
      grant_types: ["authorization_code", "client_credentials", "password", TOKEN_EXCHANGE],
      response_types: ["code", "id_token"],
      scope: "openid admin email",
    };
    for (const policy of [dynamic, document]) {
      expect(read(asked, policy)).toMatchObject({
        grantTypes: ["authorization_code"],
        scopes: ["openid", "email"],
      });
    }
  });

  it("cannot say what only an administrator says", () => {
    const asked = {
      first_party: true,
      enabled: false,
      resources: ["https://api.example/"],
      access_token_lifetime: 3600,
      access_token_format: "opaque",
      token_exchange_modes: ["impersonation"],
    };
    expect(read(asked, dynamic)).toEqual(read({}, dynamic));
    expect(read(asked, document)).toEqual(read({}, document));
  });

  it("is refused when nothing is left", () => {
    expect(problemsOf({ grant_types: ["client_credentials"] }, dynamic)).toEqual(["grant_types"]);
    expect(problemsOf({ response_types: ["token"] }, dynamic)).toEqual(["response_types"]);
  });

  it("needs a name in a document, and none to register", () => {
    expect(problemsOf({ client_name: null }, dynamic)).toEqual([]);
    expect(problemsOf({ client_name: null }, document)).toEqual(["client_name"]);
    expect(problemsOf({ client_name: null })).toEqual(["client_name"]);
  });

  it("has no secret in a document", () => {
    for (const method of ["client_secret_basic", "client_secret_post"])
      expect(problemsOf({ token_endpoint_auth_method: method }, document)).toEqual([
        "token_endpoint_auth_method",
      ]);
  });
});
