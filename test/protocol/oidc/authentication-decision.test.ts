import { describe, expect, it } from "bun:test";
import { AuthorizationError } from "../../../src/protocol/oauth/authorization-error.ts";
import { validateAuthorizationRequest } from "../../../src/protocol/oauth/authorization-request.ts";
import { readParameters } from "../../../src/protocol/oauth/parameters.ts";
import {
  accessDenied,
  type AuthenticationInput,
  decideAuthentication,
} from "../../../src/protocol/oidc/authentication-decision.ts";
import { ACR_1FA, ACR_2FA } from "../../../src/protocol/oidc/acr.ts";
import { authorizationParameters, CLIENT, NOW, oauthError, secondsFromNow } from "../support.ts";

const request = (changes: Record<string, string> = {}) =>
  validateAuthorizationRequest(readParameters(authorizationParameters(changes)), CLIENT);

/** Signed in an hour before the request, consent given, nothing left to ask. */
const settled: AuthenticationInput = {
  request: request(),
  client: { firstParty: false, tokenEndpointAuthMethod: "client_secret_basic" },
  session: {
    subject: "alice",
    authTime: secondsFromNow(-3600),
    acr: ACR_1FA,
    selected: false,
    agreed: false,
  },
  consent: { scopes: ["openid", "profile"], resources: [] },
  registration: true,
  requestedAt: secondsFromNow(-20),
  now: NOW,
};
const decide = (changes: Partial<AuthenticationInput>) => decideAuthentication({ ...settled, ...changes });
const alice = { subject: "alice", acr: ACR_1FA, selected: false, agreed: false };
const signedInSince = { ...alice, authTime: secondsFromNow(-10) };
const agreed = { ...alice, authTime: secondsFromNow(-3600), agreed: true };
const ours = { firstParty: true, tokenEndpointAuthMethod: "client_secret_basic" };

describe("authentication (OpenID Connect Core §3.1.2.3)", () => {
  it("is not repeated without need", () => {
    expect(decide({})).toEqual({ kind: "proceed" });
  });

  it("is needed without a session", () => {
    expect(decide({ session: undefined })).toEqual({ kind: "login", reason: "no_session" });
  });

  it("is repeated for prompt=login until it happens after the request", () => {
    const again = request({ prompt: "login" });
    expect(decide({ request: again })).toEqual({ kind: "login", reason: "prompt" });
    expect(decide({ request: again, session: signedInSince })).toEqual({ kind: "proceed" });
    const atOnce = { ...alice, authTime: settled.requestedAt };
    expect(decide({ request: again, session: atOnce }).kind).toBe("proceed");
  });

  it("asks which account it is to be for prompt=select_account, until one is chosen or signed in to", () => {
    const choose = request({ prompt: "select_account" });
    expect(decide({ request: choose })).toEqual({ kind: "select_account" });
    const chosen = { ...alice, authTime: secondsFromNow(-3600), selected: true };
    expect(decide({ request: choose, session: chosen })).toEqual({ kind: "proceed" });
    expect(decide({ request: choose, session: signedInSince })).toEqual({ kind: "proceed" });
    expect(decide({ request: choose, session: undefined }).kind).toBe("login");
  });

  it("is what several values of prompt ask for, one after the other", () => {
    const all = request({ prompt: "login select_account consent" });
    expect(decide({ request: all }).kind).toBe("login");
    const chosen = { ...alice, authTime: secondsFromNow(-3600), selected: true };
    expect(decide({ request: all, session: chosen }).kind).toBe("login");
    expect(decide({ request: all, session: signedInSince }).kind).toBe("consent");
    expect(decide({ request: all, session: { ...signedInSince, agreed: true } }).kind).toBe("proceed");
  });

  it("starts with a registration for prompt=create", () => {
    const create = request({ prompt: "create" });
    expect(decide({ request: create })).toEqual({ kind: "register" });
    expect(decide({ request: create, session: undefined })).toEqual({ kind: "register" });
    expect(decide({ request: create, session: signedInSince })).toEqual({ kind: "proceed" });
    expect(decide({ request: create, registration: false })).toEqual({ kind: "login", reason: "prompt" });
  });

  it("is repeated when it is older than max_age", () => {
    expect(decide({ request: request({ max_age: "3600" }) }).kind).toBe("proceed");
    expect(decide({ request: request({ max_age: "3599" }) })).toEqual({ kind: "login", reason: "max_age" });
    expect(decide({ request: request({ max_age: "0" }) })).toEqual({ kind: "login", reason: "max_age" });
  });

  it("satisfies every max_age when it happened since the request", () => {
    expect(decide({ request: request({ max_age: "0" }), session: signedInSince }).kind).toBe("proceed");
  });

  it("is repeated for the person that id_token_hint names, once", () => {
    expect(decide({ hintedSubject: "alice" }).kind).toBe("proceed");
    expect(decide({ hintedSubject: "bob" })).toEqual({ kind: "login", reason: "other_subject" });
    const error = oauthError(() => decide({ hintedSubject: "bob", session: signedInSince }));
    expect(error.code).toBe("login_required");
  });

  it("is repeated for the person that the claim sub names, once (§5.5.1)", () => {
    const claims = (asked: object) => request({ claims: JSON.stringify(asked) });
    const bob = claims({ id_token: { sub: { value: "bob" } } });
    expect(decide({ request: claims({ id_token: { sub: { value: "alice" } } }) }).kind).toBe("proceed");
    expect(decide({ request: claims({ id_token: { sub: { values: ["bob", "alice"] } } }) }).kind).toBe(
      "proceed",
    );
    expect(decide({ request: claims({ id_token: { sub: { essential: true } } }) }).kind).toBe("proceed");
    expect(decide({ request: bob })).toEqual({ kind: "login", reason: "other_subject" });
    expect(decide({ request: claims({ userinfo: { sub: { value: "bob" } } }) }).kind).toBe("login");
    expect(oauthError(() => decide({ request: bob, session: signedInSince })).code).toBe("login_required");
  });
});

describe("authentication context classes (OpenID Connect Core §3.1.2.1, §5.5.1.1, RFC 9470 §5)", () => {
  const strong = { ...alice, acr: ACR_2FA, authTime: secondsFromNow(-3600) };
  const essential = (value: string) =>
    request({ claims: JSON.stringify({ id_token: { acr: { essential: true, value } } }) });

  it("that the session is of, or stronger than, need nothing", () => {
    expect(decide({ request: request({ acr_values: ACR_1FA }), session: strong }).kind).toBe("proceed");
    expect(decide({ request: request({ acr_values: ACR_2FA }), session: strong }).kind).toBe("proceed");
    expect(decide({ request: request({ acr_values: `${ACR_2FA} ${ACR_1FA}` }) }).kind).toBe("proceed");
  });

  it("that the session is not of are stepped up to, after the sign-in", () => {
    expect(decide({ request: request({ acr_values: ACR_2FA }) })).toEqual({
      kind: "step_up",
      acrValues: [ACR_2FA],
    });
    expect(decide({ request: essential(ACR_2FA) })).toEqual({ kind: "step_up", acrValues: [ACR_2FA] });
    expect(decide({ request: request({ acr_values: ACR_2FA }), session: undefined }).kind).toBe("login");
    expect(decide({ request: request({ acr_values: ACR_2FA }), session: signedInSince }).kind).toBe(
      "step_up",
    );
  });

  it("that nobody here can reach are a wish, or an error where they are essential", () => {
    expect(decide({ request: request({ acr_values: "urn:unknown" }) }).kind).toBe("proceed");
    const claims = JSON.stringify({ id_token: { acr: { value: "urn:unknown" } } });
    expect(decide({ request: request({ claims }) }).kind).toBe("proceed");
    expect(oauthError(() => decide({ request: essential("urn:unknown") })).code).toBe(
      "unmet_authentication_requirements",
    );
    expect(oauthError(() => decide({ request: essential("urn:unknown"), session: undefined })).code).toBe(
      "unmet_authentication_requirements",
    );
  });
});

describe("consent (OpenID Connect Core §3.1.2.4)", () => {
  it("is asked of a third-party client for what it has not got", () => {
    expect(decide({ consent: undefined })).toEqual({
      kind: "consent",
      scopes: ["openid", "profile"],
      resources: [],
      added: ["openid", "profile"],
    });
    expect(decide({ consent: { scopes: ["openid"], resources: [] } })).toEqual({
      kind: "consent",
      scopes: ["openid", "profile"],
      resources: [],
      added: ["profile"],
    });
  });

  it("is remembered", () => {
    expect(
      decide({
        consent: { scopes: ["profile", "email", "openid"], resources: [] },
      }).kind,
    ).toBe("proceed");
  });

  it("is not asked for a first-party client", () => {
    expect(decide({ client: ours, consent: undefined }).kind).toBe("proceed");
  });

  it("is asked again for prompt=consent, of every client, until it is given after the request", () => {
    const again = request({ prompt: "consent" });
    expect(decide({ request: again })).toEqual({
      kind: "consent",
      scopes: ["openid", "profile"],
      resources: [],
      added: [],
    });
    expect(decide({ request: again, client: ours }).kind).toBe("consent");
    expect(decide({ request: again, session: agreed }).kind).toBe("proceed");
    expect(decide({ request: again, client: ours, session: agreed }).kind).toBe("proceed");
    // Taken back meanwhile.
    expect(decide({ request: again, session: agreed, consent: undefined }).kind).toBe("consent");
  });

  it("covers the resources that were agreed to, and no others (RFC 8707)", () => {
    const api = "https://api.example.com";
    const client = { ...CLIENT, resources: [api] };
    const asked = validateAuthorizationRequest(
      readParameters(authorizationParameters({ resource: api })),
      client,
    );
    expect(decide({ request: asked })).toMatchObject({ kind: "consent", resources: [api], added: [] });
    expect(
      decide({ request: asked, consent: { scopes: ["openid", "profile"], resources: [api] } }).kind,
    ).toBe("proceed");
  });

  it("of before does not count for a client that any program on the device can pretend to be (RFC 8252 §8.6)", () => {
    const anyone = { firstParty: false, tokenEndpointAuthMethod: "none" };
    const redirectUris = ["https://client.example.com/cb", "com.example.app:/cb", "http://127.0.0.1/cb"];
    const to = (uri: string) =>
      validateAuthorizationRequest(readParameters(authorizationParameters({ redirect_uri: uri })), {
        ...CLIENT,
        applicationType: "native",
        redirectUris,
      });
    expect(decide({ client: anyone, request: to("https://client.example.com/cb") }).kind).toBe("proceed");
    for (const uri of ["com.example.app:/cb", "http://127.0.0.1:5000/cb"]) {
      expect(decide({ client: anyone, request: to(uri) }).kind).toBe("consent");
      expect(decide({ client: anyone, request: to(uri), session: agreed }).kind).toBe("proceed");
      expect(decide({ client: ours, request: to(uri) }).kind).toBe("proceed");
    }
  });

  it("is asked for single claims as for the scopes that they belong to (OpenID Connect Core §5.4, §5.5)", () => {
    const client = { ...CLIENT, scopes: ["openid", "email"] };
    const ask = (claims: object) =>
      validateAuthorizationRequest(
        readParameters(authorizationParameters({ scope: "openid", claims: JSON.stringify(claims) })),
        client,
      );
    const email = ask({ userinfo: { email: null }, id_token: { email_verified: { essential: true } } });
    expect(decide({ request: email })).toMatchObject({ scopes: ["openid", "email"], added: ["email"] });
    const consent = { scopes: ["openid", "email"], resources: [] };
    expect(decide({ request: email, consent }).kind).toBe("proceed");
    expect(decide({ request: ask({ id_token: { auth_time: null, unknown: null } }) }).kind).toBe("proceed");
  });

  it("comes after the sign-in", () => {
    expect(decide({ session: undefined, consent: undefined }).kind).toBe("login");
  });
});

describe("prompt=none (OpenID Connect Core §3.1.2.6)", () => {
  const none = request({ prompt: "none" });

  it("answers at once when there is nothing to ask", () => {
    expect(decide({ request: none })).toEqual({ kind: "proceed" });
  });

  it("is an error for the client when there is", () => {
    const cases: [Partial<AuthenticationInput>, string][] = [
      [{ request: none, session: undefined }, "login_required"],
      [{ request: request({ prompt: "none", max_age: "60" }) }, "login_required"],
      [{ request: none, hintedSubject: "bob" }, "login_required"],
      [{ request: request({ prompt: "none", acr_values: ACR_2FA }) }, "login_required"],
      [{ request: none, consent: undefined }, "consent_required"],
    ];
    for (const [changes, code] of cases) {
      const error = oauthError(() => decide(changes));
      expect(error.code).toBe(code);
      expect(error instanceof AuthorizationError && error.target).toEqual({
        redirectUri: "https://client.example.com/cb",
        responseMode: "query",
        state: "xyz",
      });
    }
  });
});

describe("a refusal by the person (RFC 6749 §4.1.2.1)", () => {
  it("is access_denied, for the client", () => {
    const error = accessDenied(request());
    expect([error.code, error.target?.state]).toEqual(["access_denied", "xyz"]);
    expect(Object.keys(error.target ?? {}).toSorted()).toEqual(["redirectUri", "responseMode", "state"]);
  });
});
