import { describe, expect, it } from "bun:test";
import {
  ACCESS_TOKEN_TYPE,
  decideTokenExchange,
  type ExchangedToken,
  readTokenExchangeRequest,
} from "../../../../src/protocol/oauth/grants/token-exchange.ts";
import { singleValued } from "../../../../src/protocol/oauth/parameters.ts";
import { oauthError } from "../../support.ts";

const ISSUER = "https://id.example.com";
const ORDERS = "https://orders.example";
const STOCK = "https://stock.example";

/** A service that receives orders and asks the stock for its user. */
const client = {
  clientId: "orders",
  scopes: ["stock:read", "orders:read"],
  tokenExchangeModes: ["impersonation", "delegation"],
  resources: [ORDERS, STOCK],
};
const token = (
  changes: Partial<ExchangedToken> = {},
  claims: Record<string, unknown> = {},
): ExchangedToken => ({
  clientId: "shop",
  scope: ["openid", "offline_access", "orders:read", "stock:read", "stock:write"],
  dpopJkt: undefined,
  ...changes,
  claims: { iss: ISSUER, sub: "alice", client_id: "shop", aud: ORDERS, exp: 1000, ...claims },
});
const actorToken = (changes: Partial<ExchangedToken> = {}, claims = {}) =>
  token(
    { clientId: "orders", ...changes },
    { sub: "orders", client_id: "orders", aud: ISSUER, exp: 900, ...claims },
  );

const request = {
  subjectToken: "s",
  actorToken: undefined as string | undefined,
  scope: [] as string[],
  targets: [STOCK],
  provenJkt: undefined as string | undefined,
};
const decide = (
  subject: ExchangedToken | undefined = token(),
  {
    actor,
    of = client,
    ...changes
  }: Partial<typeof request> & { actor?: ExchangedToken; of?: typeof client } = {},
) =>
  decideTokenExchange(
    { subject, actor },
    { ...request, ...(actor ? { actorToken: "a" } : {}), ...changes },
    of,
    ISSUER,
  );
const codeOf = (...input: Parameters<typeof decide>) => oauthError(() => decide(...input)).code;
const only = (...modes: string[]) => ({ ...client, tokenExchangeModes: modes });

describe("reading a token exchange (RFC 8693 §2.1)", () => {
  const read = (search: Record<string, string>, more: [string, string][] = []) =>
    readTokenExchangeRequest(singleValued(new URLSearchParams([...Object.entries(search), ...more])));
  const least = { subject_token: "s", subject_token_type: ACCESS_TOKEN_TYPE };

  it("takes access tokens, and targets by either name", () => {
    expect(read(least)).toEqual({ subjectToken: "s", actorToken: undefined, scope: [], targets: [] });
    const more: [string, string][] = [
      ["resource", STOCK],
      ["resource", ORDERS],
      ["audience", STOCK],
    ];
    const whole = { ...least, actor_token: "a", actor_token_type: ACCESS_TOKEN_TYPE, scope: "x" };
    expect(read({ ...whole, requested_token_type: ACCESS_TOKEN_TYPE }, more)).toEqual({
      subjectToken: "s",
      actorToken: "a",
      scope: ["x"],
      targets: [STOCK, ORDERS],
    });
  });

  it("refuses what is missing, and every other type", () => {
    const idToken = "urn:ietf:params:oauth:token-type:id_token";
    const wrong: Record<string, string>[] = [
      { subject_token: "s" },
      { subject_token_type: ACCESS_TOKEN_TYPE },
      { ...least, subject_token_type: idToken },
      { ...least, actor_token: "a" },
      { ...least, actor_token_type: ACCESS_TOKEN_TYPE },
      { ...least, actor_token: "a", actor_token_type: idToken },
      { ...least, requested_token_type: "urn:ietf:params:oauth:token-type:refresh_token" },
    ];
    for (const search of wrong)
      expect([search, oauthError(() => read(search)).code]).toEqual([search, "invalid_request"]);
  });
});

describe("whose token is exchanged (RFC 8693 §2.1, §5)", () => {
  it("is the client's own, or one for a resource of its registration", () => {
    expect(decide(token()).subject).toBe("alice");
    expect(decide(token({ clientId: "orders" }, { aud: ISSUER })).subject).toBe("alice");
    for (const aud of [ISSUER, "https://other.example", undefined, [ISSUER]])
      expect(codeOf(token({}, { aud }))).toBe("invalid_request");
    expect(decide(token({}, { aud: [ISSUER, ORDERS] })).subject).toBe("alice");
  });

  it("holds at this moment, and belongs to a user", () => {
    expect(
      oauthError(() => decideTokenExchange({ subject: undefined, actor: undefined }, request, client, ISSUER))
        .code,
    ).toBe("invalid_request");
    expect(codeOf(token({}, { sub: "shop" }))).toBe("invalid_request");
  });

  it("comes with a proof of the key that it is bound to (RFC 9449 §7)", () => {
    const bound = token({ dpopJkt: "k" });
    expect(codeOf(bound)).toBe("invalid_request");
    expect(codeOf(bound, { provenJkt: "other" })).toBe("invalid_request");
    expect(decide(bound, { provenJkt: "k" }).subject).toBe("alice");
    expect(codeOf(token(), { actor: actorToken({ dpopJkt: "k" }) })).toBe("invalid_request");
  });

  it("may say who alone may act for its subject (§4.4)", () => {
    expect(decide(token({}, { may_act: { sub: "orders" } })).subject).toBe("alice");
    expect(decide(token({}, { may_act: { sub: "orders", iss: ISSUER } })).subject).toBe("alice");
    const others = [{ sub: "stock" }, { sub: "orders", iss: "https://other.example" }, {}, null, "orders"];
    for (const may_act of others) {
      expect(codeOf(token({}, { may_act }))).toBe("invalid_request");
      expect(codeOf(token({}, { may_act }), { actor: actorToken() })).toBe("invalid_request");
    }
  });
});

describe("impersonation and delegation (RFC 8693 §1.1, §4.1)", () => {
  it("impersonation tells of nobody but the subject", () => {
    expect(decide(token(), { of: only("impersonation") }).actor).toBeUndefined();
  });

  it("delegation names the owner of the actor token, or else the client", () => {
    expect(decide(token(), { actor: actorToken({}, { sub: "support-bob" }) }).actor).toEqual({
      sub: "support-bob",
    });
    expect(decide(token(), { of: only("delegation") }).actor).toEqual({ sub: "orders" });
  });

  it("keeps the actors before it, outermost first", () => {
    const earlier = token({}, { act: { sub: "gateway", act: { sub: "edge" } } });
    expect(decide(earlier, { actor: actorToken() }).actor).toEqual({
      sub: "orders",
      act: { sub: "gateway", act: { sub: "edge" } },
    });
    expect(decide(earlier, { of: only("impersonation") }).actor).toEqual({
      sub: "gateway",
      act: { sub: "edge" },
    });
  });

  it("does not go on for ever", () => {
    const chain = (length: number): object =>
      length === 1 ? { sub: "1" } : { sub: "n", act: chain(length - 1) };
    expect(decide(token({}, { act: chain(4) }), { actor: actorToken() }).actor).toMatchObject({
      sub: "orders",
    });
    expect(codeOf(token({}, { act: chain(5) }), { actor: actorToken() })).toBe("invalid_request");
  });

  it("is what the client is registered for", () => {
    expect(codeOf(token(), { of: only() })).toBe("unauthorized_client");
    expect(codeOf(token(), { actor: actorToken(), of: only("impersonation") })).toBe("unauthorized_client");
  });

  it("takes no actor token of somebody else", () => {
    expect(codeOf(token(), { actor: actorToken({ clientId: "shop" }) })).toBe("invalid_request");
    expect(codeOf(token(), { actorToken: "unknown" })).toBe("invalid_request");
  });
});

describe("what the new token opens (RFC 8693 §2.1)", () => {
  it("is within the scope of the subject token and of the client, without a sign-in's", () => {
    expect(decide().scope).toEqual(["orders:read", "stock:read"]);
    expect(decide(token(), { scope: ["stock:read"] }).scope).toEqual(["stock:read"]);
    for (const scope of ["stock:write", "email", "openid", "offline_access"])
      expect(codeOf(token(), { scope: [scope] })).toBe("invalid_scope");
  });

  it("is for targets that the client may ask for", () => {
    expect(decide(token(), { targets: [] }).audience).toEqual([]);
    expect(decide(token(), { targets: [STOCK, ISSUER] }).audience).toEqual([STOCK, ISSUER]);
    expect(codeOf(token(), { targets: [STOCK, "https://other.example"] })).toBe("invalid_target");
  });

  it("lives no longer than the tokens it was made of", () => {
    expect(decide().notAfter).toBe(1000);
    expect(decide(token(), { actor: actorToken() }).notAfter).toBe(900);
  });
});
