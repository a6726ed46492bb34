/** Assertions as authorization grants (RFC 7521 §4.1, RFC 7523 §2.1 and §3.1): our reading of them. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import * as client from "openid-client";
import { auditEvents, tokenFamilies, trustedIssuers, userEmails } from "../../../src/db/schema/index.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { newId } from "../../../src/lib/ids.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { jwksOf, newTestKey, signTestJwt, type TestKey } from "../../support/signed.ts";
import { addUser, type Application, refusal, registerApplication, userinfoStatus } from "../support.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ISSUER = "https://workload.example.com";
const API = "https://api.example.com/";

let server: TestServer;
let ada: User;
let key: TestKey;
let app: Application;

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
  key = await newTestKey();
  await trust({ issuer: ISSUER, subjectKind: "user_id", jwks: jwksOf(key) });
  app = await registerApplication(server, {
    grantTypes: [GRANT, "refresh_token"],
    redirectUris: [],
    scopes: ["openid", "profile", "orders:read", "orders:write", "offline_access"],
    row: { resources: [API] },
  });
});
afterAll(() => server.stop());

async function trust(row: Partial<typeof trustedIssuers.$inferInsert> & { issuer: string }) {
  const now = server.clock.now();
  await server.deps.db.insert(trustedIssuers).values({
    tenantId: server.tenant.id,
    id: newId("trustedIssuer"),
    subjectKind: "user_id",
    scopes: ["openid", "orders:read", "orders:delete"],
    createdAt: now,
    updatedAt: now,
    ...row,
  });
}

async function assertion(changes: Record<string, unknown> = {}, by = key, header = {}): Promise<string> {
  const now = Math.floor(server.clock.now().getTime() / 1000);
  const claims = {
    iss: ISSUER,
    sub: ada.id,
    aud: server.url,
    jti: crypto.randomUUID(),
    iat: now,
    exp: now + 60,
    ...changes,
  };
  return signTestJwt(by, claims, header);
}

const exchange = (token: string, parameters: Record<string, string> = {}) =>
  client.genericGrantRequest(app.config, GRANT, { assertion: token, ...parameters });

const claimsOf = (jwt: string) => JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());

describe("RFC 7523 §2.1: an assertion of a trusted issuer", () => {
  it("gets an access token of the user it is about", async () => {
    const issued = await exchange(await assertion());
    expect(issued).toMatchObject({ token_type: "bearer", scope: "orders:read" });
    expect(claimsOf(issued.access_token)).toMatchObject({
      sub: ada.id,
      client_id: app.registered.client.clientId,
      aud: server.url,
    });
  });

  it("gets no refresh token (RFC 7521 §4.1), no ID token, and tells of no sign-in", async () => {
    const issued = await exchange(await assertion());
    expect(issued).not.toHaveProperty("refresh_token");
    expect(issued).not.toHaveProperty("id_token");
    for (const name of ["sid", "auth_time", "acr", "amr"])
      expect(claimsOf(issued.access_token)).not.toHaveProperty(name);
    expect(await userinfoStatus(server, issued.access_token)).toBe(403);
  });

  it("gets the scope that both its issuer and the client may have, and less where less is asked for", async () => {
    expect((await exchange(await assertion(), { scope: "orders:read" })).scope).toBe("orders:read");
    for (const scope of ["orders:write", "orders:delete", "openid", "offline_access"])
      expect(await refusal(exchange(await assertion(), { scope }))).toBe("invalid_scope");
  });

  it("gets a token for a resource of the client's (RFC 8707)", async () => {
    const issued = await exchange(await assertion(), { resource: API });
    expect(claimsOf(issued.access_token).aud).toBe(API);
    const other = exchange(await assertion(), { resource: "https://other.example.com/" });
    expect(await refusal(other)).toBe("invalid_target");
  });

  it("opens a family without a session, which ends with the user's other tokens", async () => {
    const { access_token } = await exchange(await assertion());
    const { fam } = claimsOf(access_token);
    const [family] = await server.deps.db.select().from(tokenFamilies).where(eq(tokenFamilies.id, fam));
    expect(family).toMatchObject({ sessionId: null, userId: ada.id, offline: false });
    await client.tokenRevocation(app.config, access_token);
    expect(await client.tokenIntrospection(app.config, access_token)).toEqual({ active: false });
  });

  it("is written into the audit trail", async () => {
    await exchange(await assertion());
    const events = await server.deps.db
      .select({ details: auditEvents.details })
      .from(auditEvents)
      .where(and(eq(auditEvents.type, "token.issued"), eq(auditEvents.targetId, ada.id)));
    expect(events.map(({ details }) => details["grant_type"])).toContain(GRANT);
  });
});

describe("the subject of an assertion", () => {
  it("may be a username", async () => {
    await trust({ issuer: "https://names.example.com", subjectKind: "username", jwks: jwksOf(key) });
    const issued = await exchange(await assertion({ iss: "https://names.example.com", sub: "Ada" }));
    expect(claimsOf(issued.access_token).sub).toBe(ada.id);
  });

  it("may be an email address, which counts only when it is verified here", async () => {
    await trust({ issuer: "https://mail.example.com", subjectKind: "email", jwks: jwksOf(key) });
    const about = (sub: string) => assertion({ iss: "https://mail.example.com", sub });
    const issued = await exchange(await about("ada@example.com"));
    expect(claimsOf(issued.access_token).sub).toBe(ada.id);
    const bob = await addUser(server, "bob");
    await server.deps.db.update(userEmails).set({ verifiedAt: null }).where(eq(userEmails.userId, bob.id));
    expect(await refusal(exchange(await about("bob@example.com")))).toBe("invalid_grant");
  });

  it("that nobody here is gets nothing", async () => {
    for (const sub of ["user_00000000000000000000000001", "ada", "", undefined])
      expect(await refusal(exchange(await assertion({ sub })))).toBe("invalid_grant");
  });
});

describe("RFC 7523 §3: an assertion that is refused", () => {
  it.each([
    ["of an issuer that is not trusted", { iss: "https://evil.example.com" }],
    ["for another audience", { aud: "https://other.example.com" }],
    ["for several audiences", { aud: ["https://other.example.com", "ours"] }],
    ["without an end", { exp: undefined }],
    ["whose time is over", { exp: 1 }],
    ["whose time has not come", { nbf: 9e9 }],
    ["that would hold for a year", { exp: 9e9 }],
  ])("%s", async (_, changes) => {
    const claims: Record<string, unknown> = { ...changes };
    if (Array.isArray(claims["aud"])) claims["aud"] = ["https://other.example.com", server.url];
    expect(await refusal(exchange(await assertion(claims)))).toBe("invalid_grant");
  });

  it("by a key that is not the issuer's", async () => {
    const other = await newTestKey();
    const forged = await assertion({}, other, { kid: key.kid });
    expect(await refusal(exchange(forged))).toBe("invalid_grant");
  });

  it("of an issuer that is disabled", async () => {
    await trust({ issuer: "https://off.example.com", jwks: jwksOf(key), enabled: false });
    const off = await assertion({ iss: "https://off.example.com" });
    expect(await refusal(exchange(off))).toBe("invalid_grant");
  });

  it("that is missing", async () => {
    expect(await refusal(client.genericGrantRequest(app.config, GRANT, {}))).toBe("invalid_request");
  });
});
