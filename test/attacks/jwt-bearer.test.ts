/** Attacks on assertions as grants (RFC 7521 §8, RFC 7523 §3). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { trustedIssuers } from "../../src/db/schema/index.ts";
import { newId } from "../../src/lib/ids.ts";
import type { Tenant } from "../../src/domain/tenants/service.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { jwksOf, newTestKey, signTestJwt, type TestKey } from "../support/signed.ts";
import {
  type App,
  createApp,
  createOtherTenant,
  errorOf,
  type Person,
  register,
  setEnabled,
  tokenRequest,
} from "./support.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ISSUER = "https://workload.example";

let server: TestServer;
let key: TestKey;
let app: App;
let person: Person;

beforeAll(async () => {
  server = await startTestServer();
  key = await newTestKey();
  await trust(ISSUER, key);
  app = await createApp(server, { grantTypes: [GRANT, "refresh_token"], scopes: ["openid", "a", "admin"] });
  person = await register(server.url);
});
afterAll(() => server.stop());

async function trust(issuer: string, by: TestKey, tenant: Tenant = server.tenant): Promise<void> {
  const now = server.clock.now();
  await server.deps.db.insert(trustedIssuers).values({
    tenantId: tenant.id,
    id: newId("trustedIssuer"),
    issuer,
    jwks: jwksOf(by),
    subjectKind: "user_id",
    scopes: ["a", "openid"],
    createdAt: now,
    updatedAt: now,
  });
}

async function assertion(changes: Record<string, unknown> = {}, by = key, header = {}): Promise<string> {
  const now = Math.floor(server.clock.now().getTime() / 1000);
  const claims = { iss: ISSUER, sub: person.id, aud: server.url, iat: now, exp: now + 60 };
  return signTestJwt(by, { ...claims, jti: crypto.randomUUID(), ...changes }, header);
}

const send = (token: string, fields: Record<string, string> = {}, by = app) =>
  tokenRequest(by, { grant_type: GRANT, assertion: token, ...fields });

const refused: [number, string] = [400, "invalid_grant"];

describe("an assertion that was used", () => {
  /** RFC 7523 §3 (7). Guard: assertions/jwt-bearer.ts, consume (useOnce). */
  it("is refused the second time", async () => {
    const token = await assertion();
    expect((await send(token)).status).toBe(200);
    expect(await errorOf(send(token))).toEqual(refused);
  });

  /** Guard: domain/replay/repo.ts, one statement in the transaction that issues. */
  it("by 20 requests at once gives tokens to one", async () => {
    const token = await assertion();
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(token)));
    expect(answers.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
  });

  /** One without a jti is itself its id. Guard: grants/jwt-bearer.ts, verifyJwtBearerAssertion. */
  it("is refused the second time when it has no jti", async () => {
    const token = await assertion({ jti: undefined });
    expect((await send(token)).status).toBe(200);
    expect(await errorOf(send(token))).toEqual(refused);
  });

  /** Two issuers may choose the same jti. Guard: singleUse (by owner). */
  it("does not use up another issuer's", async () => {
    const [other, jti] = [await newTestKey(), crypto.randomUUID()];
    await trust("https://second.example", other);
    expect((await send(await assertion({ jti }))).status).toBe(200);
    expect((await send(await assertion({ jti, iss: "https://second.example" }, other))).status).toBe(200);
  });
});

describe("an assertion that somebody else made", () => {
  /** Guard: verifiedClaims, by the key of the issuer that is named. */
  it("is refused: by a stranger, or by another trusted issuer in this one's name", async () => {
    const [thief, neighbour] = [await newTestKey(), await newTestKey()];
    await trust("https://neighbour.example", neighbour);
    for (const by of [thief, neighbour]) {
      expect(await errorOf(send(await assertion({}, by)))).toEqual(refused);
      expect(await errorOf(send(await assertion({}, by, { kid: key.kid })))).toEqual(refused);
      expect(await errorOf(send(await assertion({}, by, { jwk: by.publicJwk })))).toEqual(refused);
    }
  });

  /** Our own tokens are no assertions of somebody we trust. Guard: findTrustedIssuer. */
  it("is refused: a token of ours", async () => {
    const answer = await send(await assertion());
    const { access_token } = (await answer.json()) as { access_token: string };
    expect(await errorOf(send(access_token))).toEqual(refused);
  });

  /** RFC 8725 §3.11: an access or ID token that the issuer gave for another purpose. Guard: typ. */
  it("is refused: a JWT of the issuer's for another purpose", async () => {
    for (const typ of ["at+jwt", "dpop+jwt", "logout+jwt"])
      expect(await errorOf(send(await assertion({}, key, { typ })))).toEqual(refused);
  });
});

describe("an assertion for somebody else", () => {
  /** The audience injection. Guard: `aud` is our issuer and nothing besides. */
  it("is refused: for another server, for several, for the token endpoint", async () => {
    const audiences = [
      "https://other.example",
      [server.url, "https://other.example"],
      `${server.url}/oauth/token`,
      `${server.url}/t/other`,
      undefined,
    ];
    for (const aud of audiences) expect(await errorOf(send(await assertion({ aud })))).toEqual(refused);
  });

  /** Guard: findTrustedIssuer (by tenant). */
  it("is refused: where another tenant trusts its issuer, and this one does not", async () => {
    const other = await createOtherTenant(server, "trusting");
    const theirs = await newTestKey();
    await trust("https://theirs.example", theirs, other.tenant);
    const token = await assertion({ iss: "https://theirs.example" }, theirs);
    expect(await errorOf(send(token))).toEqual(refused);
  });

  /** Guard: findSubject (by tenant), user.enabled. */
  it("is refused: about a user of another tenant, or one who is disabled", async () => {
    const other = await createOtherTenant(server, "neighbours");
    const stranger = await register(other.base);
    expect(await errorOf(send(await assertion({ sub: stranger.id })))).toEqual(refused);
    const away = await register(server.url);
    await setEnabled(server, away, false);
    expect(await errorOf(send(await assertion({ sub: away.id })))).toEqual(refused);
  });
});

describe("more than the issuer may vouch for", () => {
  /** Guard: jwtBearerScope; issueToUser (refreshable). */
  it("is not to be had: another scope, an ID token, a refresh token", async () => {
    for (const scope of ["admin", "openid", "offline_access"])
      expect(await errorOf(send(await assertion(), { scope }))).toEqual([400, "invalid_scope"]);
    const answer = (await (await send(await assertion())).json()) as Record<string, unknown>;
    expect(answer["scope"]).toBe("a");
    for (const name of ["id_token", "refresh_token"]) expect(answer).not.toHaveProperty(name);
  });

  /** Guard: requestedGrantType. */
  it("is not to be had by a client that is not registered for the grant", async () => {
    const other = await createApp(server);
    expect(await errorOf(send(await assertion(), {}, other))).toEqual([400, "unauthorized_client"]);
  });
});
