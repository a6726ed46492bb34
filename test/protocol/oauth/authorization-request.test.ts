import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { AuthorizationError, refuseTo } from "../../../src/protocol/oauth/authorization-error.ts";
import {
  authorizationClientId,
  type AuthorizationClient,
  validateAuthorizationRequest,
} from "../../../src/protocol/oauth/authorization-request.ts";
import { readParameters } from "../../../src/protocol/oauth/parameters.ts";
import { authorizationParameters, CHALLENGE, CLIENT, DESCRIPTION, oauthError } from "../support.ts";

function validate(
  changes: Record<string, string | null> = {},
  client: AuthorizationClient | undefined = CLIENT,
) {
  return validateAuthorizationRequest(readParameters(authorizationParameters(changes)), client);
}

function refusal(act: () => unknown): AuthorizationError {
  const error = oauthError(act);
  if (!(error instanceof AuthorizationError)) throw error;
  return error;
}

function withRepeated(name: string, value: string): () => unknown {
  const search = authorizationParameters();
  search.append(name, value);
  return () => validateAuthorizationRequest(readParameters(search), CLIENT);
}

describe("authorization request (OpenID Connect Core §3.1.2.1)", () => {
  it("is read with its defaults", () => {
    expect(validate()).toEqual({
      clientId: CLIENT.clientId,
      responseType: "code",
      responseMode: "query",
      redirectUri: "https://client.example.com/cb",
      state: "xyz",
      scope: ["openid", "profile"],
      resources: [],
      codeChallenge: CHALLENGE,
      nonce: undefined,
      prompt: [],
      maxAge: undefined,
      acrValues: [],
      loginHint: undefined,
      idTokenHint: undefined,
      uiLocales: [],
      claims: undefined,
      claimsParameter: undefined,
      dpopJkt: undefined,
    });
  });

  it("is read with all it may say", () => {
    const request = validate({
      response_mode: "form_post",
      nonce: "n-0S6_WzA2Mj",
      prompt: "consent login",
      max_age: "0",
      acr_values: "urn:a urn:b",
      login_hint: "alice@example.com",
      id_token_hint: "a.b.c",
      ui_locales: "de-CH  en x_y",
      claims: '{"userinfo":{"email":null},"id_token":{"auth_time":{"essential":true}}}',
      unknown: "is ignored",
    });
    expect(request).toMatchObject({
      responseMode: "form_post",
      nonce: "n-0S6_WzA2Mj",
      prompt: ["login", "consent"],
      maxAge: 0,
      acrValues: ["urn:a", "urn:b"],
      loginHint: "alice@example.com",
      idTokenHint: "a.b.c",
      uiLocales: ["de-CH", "en"],
      claims: { userinfo: { email: {} }, idToken: { auth_time: { essential: true } } },
    });
  });

  it("keeps its meaning when it is stored as JSON", () => {
    const request = validate({ claims: '{"userinfo":{"email":null}}', max_age: "1" });
    expect(JSON.parse(JSON.stringify(request))).toEqual(request);
  });
});

describe("errors that must not be redirected (RFC 6749 §4.1.2.1, RFC 9700 §4.11)", () => {
  it("are an unknown client and a redirect_uri that is missing, repeated or not registered", () => {
    for (const act of [
      () => validateAuthorizationRequest(readParameters(authorizationParameters()), undefined),
      () => validate({}, { ...CLIENT, clientId: "other" }),
      () => validate({ redirect_uri: null }),
      () => validate({ redirect_uri: "https://attacker.example/cb" }),
      withRepeated("redirect_uri", "https://client.example.com/cb"),
      withRepeated("client_id", CLIENT.clientId),
      () => authorizationClientId(readParameters(new URLSearchParams("client_id=a&client_id=a"))),
      () => authorizationClientId(readParameters(new URLSearchParams("client_id="))),
    ]) {
      const error = refusal(act);
      expect([error.code, error.status, error.target]).toEqual(["invalid_request", 400, undefined]);
    }
    expect(authorizationClientId(readParameters(authorizationParameters()))).toBe(CLIENT.clientId);
  });

  it("come before every other error of the same request", () => {
    expect(
      refusal(() => validate({ redirect_uri: "https://attacker.example", response_type: "token" })).target,
    ).toBeUndefined();
  });
});

describe("errors that go to the client (RFC 6749 §4.1.2.1)", () => {
  const target = {
    redirectUri: "https://client.example.com/cb",
    responseMode: "query" as const,
    state: "xyz",
  };

  it("name what is wrong, and carry its state", () => {
    const cases: [Record<string, string | null>, string][] = [
      [{ response_type: null }, "invalid_request"],
      [{ response_type: "token" }, "unsupported_response_type"],
      [{ response_type: "code id_token" }, "unsupported_response_type"],
      [{ response_mode: "web_message" }, "invalid_request"],
      [{ scope: "openid admin" }, "invalid_scope"],
      [{ scope: 'a"b' }, "invalid_scope"],
      [{ code_challenge: null }, "invalid_request"],
      [{ code_challenge_method: "plain" }, "invalid_request"],
      [{ prompt: "none login" }, "invalid_request"],
      [{ max_age: "-1" }, "invalid_request"],
      [{ claims: "{" }, "invalid_request"],
      [{ resource: "https://api.example.com" }, "invalid_target"],
      [{ dpop_jkt: "short" }, "invalid_request"],
      [{ request_uri: "https://client.example.com/r" }, "request_uri_not_supported"],
      [{ registration: "{}" }, "registration_not_supported"],
    ];
    for (const [changes, code] of cases) {
      const error = refusal(() => validate(changes));
      expect([changes, error.code, error.target]).toEqual([changes, code, target]);
    }
  });

  it("need no state, as little as the request does: PKCE is what binds the answer (OAuth 2.1 §4.1.1)", () => {
    expect(validate({ state: null }).state).toBeUndefined();
    const error = refusal(() => validate({ state: null, response_type: "token" }));
    expect(error.target).toEqual({ ...target, state: undefined });
  });

  it("include a grant that the client may not use", () => {
    const error = refusal(() => validate({}, { ...CLIENT, grantTypes: ["client_credentials"] }));
    expect([error.code, error.target]).toEqual(["unauthorized_client", target]);
  });

  it("include every repeated parameter, and never return one of several states", () => {
    const repeatedScope = refusal(withRepeated("scope", "openid"));
    expect([repeatedScope.code, repeatedScope.target]).toEqual(["invalid_request", target]);
    const repeatedNonce = authorizationParameters();
    for (const nonce of ["a", "b"]) repeatedNonce.append("nonce", nonce);
    const validated = () => validateAuthorizationRequest(readParameters(repeatedNonce), CLIENT);
    expect(refusal(validated).target).toEqual(target);
    expect(refusal(withRepeated("state", "abc")).target).toEqual({ ...target, state: undefined });
  });

  it("use the response_mode that was asked for", () => {
    expect(refusal(() => validate({ response_mode: "fragment", scope: "x" })).target?.responseMode).toBe(
      "fragment",
    );
    expect(refusal(() => validate({ response_mode: "form_post", scope: "x" })).target?.responseMode).toBe(
      "form_post",
    );
  });

  it("allow a resource that the client is registered for (RFC 8707 §2)", () => {
    const resource = "https://api.example.com";
    expect(validate({ resource }, { ...CLIENT, resources: [resource] }).resources).toEqual([resource]);
  });
});

/** What became of a request: valid, or where its AuthorizationError goes. Anything else that is thrown gets through. */
function outcome(search: URLSearchParams): string | undefined {
  try {
    return validateAuthorizationRequest(readParameters(search), CLIENT).redirectUri;
  } catch (error) {
    if (error instanceof AuthorizationError && DESCRIPTION.test(error.message))
      return error.target?.redirectUri;
    throw error;
  }
}

it("throws nothing but AuthorizationErrors, and redirects to registered URIs only", () => {
  const names = [
    ...authorizationParameters().keys(),
    "prompt",
    "max_age",
    "claims",
    "response_mode",
    "resource",
    "request",
  ];
  const pair = fc.tuple(fc.constantFrom(...names), fc.oneof(fc.string(), fc.webUrl(), fc.json()));
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 4 }), (pairs) => {
      const added = outcome(new URLSearchParams([...authorizationParameters(), ...pairs]));
      const replaced = outcome(authorizationParameters(Object.fromEntries(pairs)));
      return [added, replaced].every((uri) => uri === undefined || CLIENT.redirectUris.includes(uri));
    }),
  );
});

describe("checks whose errors go to the client", () => {
  it("let errors of the program through", () => {
    const failure = new TypeError("a defect");
    const target = {
      redirectUri: "https://client.example.com/cb",
      responseMode: "query",
      state: "xyz",
    } as const;
    const act = () =>
      refuseTo(target, () => {
        throw failure;
      });
    expect(act).toThrow(failure);
  });
});

describe("how a request has to come", () => {
  const pushed = { pushed: true, signed: false };
  const signed = { pushed: false, signed: true };
  const read = (client: Partial<AuthorizationClient>, delivery?: typeof pushed) => () =>
    validateAuthorizationRequest(
      readParameters(authorizationParameters()),
      { ...CLIENT, ...client },
      delivery,
    );

  it("is pushed, of a client that has to (RFC 9126 §6)", () => {
    const client = { requirePushedAuthorizationRequests: true };
    expect(refusal(read(client)).code).toBe("invalid_request");
    expect(refusal(read(client, signed)).code).toBe("invalid_request");
    expect(read(client, pushed)().clientId).toBe(CLIENT.clientId);
  });

  it("is a signed request object, of a client that has to (RFC 9101 §10.5)", () => {
    const client = { requireSignedRequestObject: true };
    expect(refusal(read(client)).code).toBe("invalid_request");
    expect(refusal(read(client, pushed)).code).toBe("invalid_request");
    expect(read(client, signed)().clientId).toBe(CLIENT.clientId);
  });
});

describe("what a client is registered for counts where a request says nothing (OpenID Connect Registration §2)", () => {
  const client = { ...CLIENT, defaultMaxAge: 600, defaultAcrValues: ["urn:a", "urn:b"] };

  it("is default_max_age", () => {
    expect(validate({}, client).maxAge).toBe(600);
    expect(validate({ max_age: "0" }, client).maxAge).toBe(0);
    expect(validate({}, { ...client, defaultMaxAge: null }).maxAge).toBeUndefined();
  });

  it("is default_acr_values, unless acr is asked for in another way", () => {
    expect(validate({}, client).acrValues).toEqual(["urn:a", "urn:b"]);
    expect(validate({ acr_values: "urn:c" }, client).acrValues).toEqual(["urn:c"]);
    expect(validate({ claims: '{"id_token":{"acr":{"value":"urn:c"}}}' }, client).acrValues).toEqual([]);
  });
});
