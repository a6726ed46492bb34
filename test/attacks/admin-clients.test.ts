/** Administration of clients by whoever may not: applications, ordinary users, administrators of other tenants. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { clients, userRoles } from "../../src/db/schema/index.ts";
import { findClient } from "../../src/domain/clients/service.ts";
import { isId } from "../../src/lib/ids.ts";
import { administratorsToken, caller, giveRole, newAdministrator } from "../api/native/admin/support.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  authorizationParameters,
  Browser,
  createApp,
  createOtherTenant,
  exchangeCode,
  login,
  obtainCode,
  type OtherTenant,
  type Person,
  refresh,
  register,
  tokenRequest,
  tokensOf,
  whereItWorks,
} from "./support.ts";

let server: TestServer;
let other: OtherTenant;
let admin: ReturnType<typeof caller>;
beforeAll(async () => {
  server = await startTestServer();
  other = await createOtherTenant(server, "other");
  admin = caller(server.url, await administratorsToken(server));
});
afterAll(() => server.stop());

const sound = { name: "Shop", redirect_uris: ["https://shop.example/cb"] };

/** Every route of the administrators' API for clients, with an id that it may be tried on. */
const routes = (client: string, issuer: string, invitation: string): [string, string, unknown?][] => [
  ["GET", "/clients"],
  ["POST", "/clients", sound],
  ["GET", `/clients/${client}`],
  ["PUT", `/clients/${client}`, sound],
  ["POST", `/clients/${client}/rotate-secret`, {}],
  ["DELETE", `/clients/${client}`],
  ["GET", "/initial-access-tokens"],
  ["POST", "/initial-access-tokens", {}],
  ["DELETE", `/initial-access-tokens/${invitation}`],
  ["GET", "/trusted-issuers"],
  ["POST", "/trusted-issuers", trust],
  ["GET", `/trusted-issuers/${issuer}`],
  ["PUT", `/trusted-issuers/${issuer}`, trust],
  ["DELETE", `/trusted-issuers/${issuer}`],
];
const trust = {
  issuer: "https://evil.example",
  jwks_uri: "https://evil.example/jwks",
  subject_kind: "username",
  scopes: ["openid"],
};

interface Made {
  id: string;
}
async function make(call: ReturnType<typeof caller>, issuer: string) {
  const client = await call<Made>("POST", "/clients", sound);
  const trusted = await call<Made>("POST", "/trusted-issuers", { ...trust, issuer });
  const invitation = await call<Made>("POST", "/initial-access-tokens", {});
  return [client.body.id, trusted.body.id, invitation.body.id] as const;
}

/** A token of an application that somebody signed in to. */
async function applicationsToken(person: Person, firstParty: boolean): Promise<string> {
  const app = await createApp(server, { firstParty });
  const browser = new Browser(server.url);
  await browser.signIn(person.username);
  if (!firstParty) await consent(browser, app);
  return (await tokensOf(exchangeCode(app, await obtainCode(browser, app)))).access_token;
}

/** Says yes on the consent page, so that the next request is answered with a code. */
async function consent(browser: Browser, app: App): Promise<void> {
  const asked = await browser.get(`/oauth/authorize?${authorizationParameters(app)}`);
  const page = new URL(asked.headers.get("location") ?? "", server.url);
  await browser.submit(page.pathname + page.search, { decision: "allow" });
}

describe("the administrators' API", () => {
  /** Guard: the check of roles in adminScope (http/scope.ts). */
  it("refuses a user who is no administrator", async () => {
    const ids = await make(admin, "https://idp-a.example");
    const person = await register(server.url);
    const call = caller(server.url, (await login(server.url, person.username)).access_token);
    for (const [method, path, body] of routes(...ids))
      expect([method, path, (await call(method, path, body)).status]).toEqual([method, path, 403]);
  });

  /** Guard: isOwnApplication in adminScope. What an administrator let an application see is not the tenant. */
  it("refuses an administrator who comes by an ordinary application", async () => {
    const ids = await make(admin, "https://idp-b.example");
    const { person } = await newAdministrator(server, { tenant: server.tenant, base: server.url });
    const call = caller(server.url, await applicationsToken(person, false));
    for (const [method, path, body] of routes(...ids))
      expect([method, path, (await call(method, path, body)).status]).toEqual([method, path, 403]);
  });

  it("takes an administrator who comes by a first-party application", async () => {
    const { person } = await newAdministrator(server, { tenant: server.tenant, base: server.url });
    const call = caller(server.url, await applicationsToken(person, true));
    expect((await call("GET", "/clients")).status).toBe(200);
  });

  /** Guard: the token's user is read anew (findLiveAccessToken), not believed from the token. */
  it("refuses who was an administrator when the token was made", async () => {
    const { person, token } = await newAdministrator(server, { tenant: server.tenant, base: server.url });
    const call = caller(server.url, token);
    expect((await call("GET", "/clients")).status).toBe(200);
    if (!isId("user", person.id)) throw new Error("not a user's id");
    await server.deps.db.delete(userRoles).where(eq(userRoles.userId, person.id));
    expect((await call("GET", "/clients")).status).toBe(403);
  });

  /** Guard: requireUserAccess takes users' tokens alone. */
  it("refuses a client's own token, whatever its scopes are called", async () => {
    const machine = await createApp(server, { grantTypes: ["client_credentials"], scopes: ["admin"] });
    const { access_token } = await tokensOf(tokenRequest(machine, { grant_type: "client_credentials" }));
    expect((await caller(server.url, access_token)("GET", "/clients")).status).toBe(401);
  });

  it("refuses whoever brings no token", async () => {
    for (const [method, path, body] of routes("x", "x", "x"))
      expect([path, (await caller(server.url, undefined)(method, path, body)).status]).toEqual([path, 401]);
  });

  /** Guard: adminScope comes before the body is validated. */
  it("tells a stranger nothing about a body", async () => {
    expect((await caller(server.url, undefined)("POST", "/clients", { name: 1 })).status).toBe(401);
  });
});

describe("another tenant's administrator", () => {
  /** Guard: `tenant_id` in every where-clause of the repos of clients, trusted issuers and initial access tokens. */
  it("finds nothing of this tenant's, by any route that takes an id", async () => {
    const ids = await make(admin, "https://idp-c.example");
    const { token } = await newAdministrator(server, other);
    const call = caller(other.base, token);
    for (const [method, path, body] of routes(...ids).filter(([, path]) =>
      ids.some((id) => path.includes(id)),
    ))
      expect([method, path, (await call(method, path, body)).status]).toEqual([method, path, 404]);
    expect((await admin("GET", `/clients/${ids[0]}`)).status).toBe(200);
    expect((await admin("GET", `/trusted-issuers/${ids[1]}`)).status).toBe(200);
  });

  it("lists their own tenant's alone", async () => {
    await make(admin, "https://idp-d.example");
    const { token } = await newAdministrator(server, other);
    const list = await caller(other.base, token)<{ data: { client_id: string }[] }>("GET", "/clients");
    expect(list.body.data.map(({ client_id }) => client_id)).toEqual(["native"]);
  });

  it("has a token for their own tenant alone", async () => {
    const { token } = await newAdministrator(server, other);
    expect((await caller(server.url, token)("GET", "/clients")).status).toBe(401);
  });

  /** Guard: roles are those of the tenant that the user belongs to. */
  it("is none because of a role of that name elsewhere", async () => {
    const person = await register(other.base);
    await giveRole(server, other.tenant, person, "admin");
    const mine = await register(server.url, { username: `${person.username}x` });
    const call = caller(server.url, (await login(server.url, mine.username)).access_token);
    expect((await call("GET", "/clients")).status).toBe(403);
  });
});

describe("a client that is deleted", () => {
  /** Guard: the foreign keys on delete cascade, from families and tokens to their client. */
  it("takes every token that it was given with it", async () => {
    const app = await createApp(server);
    const person = await register(server.url);
    const browser = new Browser(server.url);
    await browser.signIn(person.username);
    const scope = "openid profile email offline_access";
    const tokens = await tokensOf(exchangeCode(app, await obtainCode(browser, app, { scope })));
    expect(await whereItWorks(server.url, tokens.access_token)).toEqual({ me: 200, userinfo: 200 });
    const pending = await obtainCode(browser, app);
    expect((await admin("DELETE", `/clients/${app.client.id}`)).status).toBe(204);
    expect(await whereItWorks(server.url, tokens.access_token)).toEqual({ me: 401, userinfo: 401 });
    expect((await refresh(app, tokens.refresh_token)).status).toBe(401);
    expect((await exchangeCode(app, pending)).status).toBe(401);
  });
});

describe("a client's secret", () => {
  /** Guard: endSecrets in rotateSecret: a leaked secret must end with the answer that says it did. */
  it("is not to be had from the database, and a rotated one not from the cache", async () => {
    const app = await createApp(server, { grantTypes: ["client_credentials"] });
    const grant = { grant_type: "client_credentials" };
    expect((await tokenRequest(app, grant)).status).toBe(200);
    await admin("POST", `/clients/${app.client.id}/rotate-secret`, {});
    expect((await tokenRequest(app, grant)).status).toBe(401);
    const [row] = await server.deps.db.select().from(clients).where(eq(clients.id, app.client.id));
    expect(JSON.stringify(row)).not.toContain(`${app.secret?.slice(-20)}`);
    expect(await findClient(server.deps, server.tenant.id, app.client.clientId)).toBeDefined();
  });
});
