import { describe, expect, it } from "bun:test";
import { AuthorizationError } from "../../../src/protocol/oauth/authorization-error.ts";
import { validateAuthorizationRequest } from "../../../src/protocol/oauth/authorization-request.ts";
import { readParameters } from "../../../src/protocol/oauth/parameters.ts";
import {
  accessDenied,
  type AuthenticationInput,
  decideAuthentication,
} from "../../../src/protocol/oidc/authentication-decision.ts";
import { authorizationParameters, CLIENT, NOW, oauthError, secondsFromNow } from "../support.ts";

const request = (changes: Record<string, string> = {}) =>
  validateAuthorizationRequest(readParameters(authorizationParameters(changes)), CLIENT);

/** Signed in an hour before the request, consent given, nothing left to ask. */
const settled: AuthenticationInput = {
  request: request(),
  client: { firstParty: false },
  session: { userId: "alice", authTime: secondsFromNow(-3600) },
  consent: { scopes: ["openid", "profile"], grantedAt: secondsFromNow(-3600) },
  requestedAt: secondsFromNow(-20),
  now: NOW,
};
const decide = (changes: Partial<AuthenticationInput>) => decideAuthentication({ ...settled, ...changes });
const signedInSince = { userId: "alice", authTime: secondsFromNow(-10) };
const agreedSince = { scopes: ["openid", "profile"], grantedAt: secondsFromNow(-5) };

describe("authentication (OpenID Connect Core §3.1.2.3)", () => {
  it("is not repeated without need", () => {
    expect(decide({})).toEqual({ kind: "proceed" });
  });

  it("is needed without a session", () => {
    expect(decide({ session: undefined })).toEqual({ kind: "login", reason: "no_session" });
  });

  it("is repeated for prompt=login and select_account until it happens after the request", () => {
    for (const prompt of ["login", "select_account"]) {
      expect(decide({ request: request({ prompt }) })).toEqual({ kind: "login", reason: "prompt" });
      expect(decide({ request: request({ prompt }), session: signedInSince })).toEqual({ kind: "proceed" });
    }
    const atOnce = { userId: "alice", authTime: settled.requestedAt };
    expect(decide({ request: request({ prompt: "login" }), session: atOnce }).kind).toBe("proceed");
  });

  it("starts with a registration for prompt=create", () => {
    const create = request({ prompt: "create" });
    expect(decide({ request: create })).toEqual({ kind: "register" });
    expect(decide({ request: create, session: undefined })).toEqual({ kind: "register" });
    expect(decide({ request: create, session: signedInSince })).toEqual({ kind: "proceed" });
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
    expect(decide({ hintedUserId: "alice" }).kind).toBe("proceed");
    expect(decide({ hintedUserId: "bob" })).toEqual({ kind: "login", reason: "id_token_hint" });
    const error = oauthError(() => decide({ hintedUserId: "bob", session: signedInSince }));
    expect(error.code).toBe("login_required");
  });
});

describe("consent (OpenID Connect Core §3.1.2.4)", () => {
  it("is asked of a third-party client for what it has not got", () => {
    expect(decide({ consent: undefined })).toEqual({
      kind: "consent",
      scopes: ["openid", "profile"],
      added: ["openid", "profile"],
    });
    expect(decide({ consent: { scopes: ["openid"], grantedAt: NOW } })).toEqual({
      kind: "consent",
      scopes: ["openid", "profile"],
      added: ["profile"],
    });
  });

  it("is remembered", () => {
    expect(
      decide({ consent: { scopes: ["profile", "email", "openid"], grantedAt: secondsFromNow(-1e6) } }).kind,
    ).toBe("proceed");
  });

  it("is not asked for a first-party client", () => {
    expect(decide({ client: { firstParty: true }, consent: undefined }).kind).toBe("proceed");
  });

  it("is asked again for prompt=consent, of every client, until it is given after the request", () => {
    const again = request({ prompt: "consent" });
    expect(decide({ request: again })).toEqual({ kind: "consent", scopes: ["openid", "profile"], added: [] });
    expect(decide({ request: again, client: { firstParty: true } }).kind).toBe("consent");
    expect(decide({ request: again, consent: agreedSince }).kind).toBe("proceed");
    const agreedAtOnce = { ...agreedSince, grantedAt: settled.requestedAt };
    expect(decide({ request: again, consent: agreedAtOnce }).kind).toBe("proceed");
    expect(decide({ request: again, client: { firstParty: true }, consent: agreedSince }).kind).toBe(
      "proceed",
    );
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
      [{ request: none, hintedUserId: "bob" }, "login_required"],
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
