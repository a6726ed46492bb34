/** Registration of clients by strangers (RFC 7591 §5, RFC 7592 §5, RFC 9700 §4.1). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { count, eq } from "drizzle-orm";
import { clients } from "../../src/db/schema/index.ts";
import { createInitialAccessToken } from "../../src/domain/client-registration/initial-access-tokens.ts";
import { findClient } from "../../src/domain/clients/service.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { updateTenantSettings } from "../../src/domain/tenants/service.ts";
import { OutboundError } from "../../src/outbound/client.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { createOtherTenant, type OtherTenant, REDIRECT_URI } from "./support.ts";

interface Registered extends Record<string, unknown> {
  client_id: string;
  client_secret: string;
  registration_access_token: string;
  registration_client_uri: string;
}

const asked: string[] = [];
let server: TestServer;
let other: OtherTenant;
beforeAll(async () => {
  const outbound = {
    request(url: string) {
      asked.push(url);
      return Promise.reject(new OutboundError("address", "not public"));
    },
  };
  server = await startTestServer({ outbound });
  other = await createOtherTenant(server, "other");
  for (const tenant of [server.tenant, other.tenant])
    await updateTenantSettings(server.deps, tenant, { dynamic_registration: "open" });
});
afterAll(() => server.stop());

const sound = { client_name: "App", redirect_uris: [REDIRECT_URI] };
const send = (metadata: unknown, token?: string, base = server.url) =>
  postJson(
    `${base}/oauth/register`,
    metadata,
    token === undefined ? {} : { authorization: `Bearer ${token}` },
  );
const register = async (metadata: Record<string, unknown> = {}): Promise<Registered> =>
  (await (await send({ ...sound, ...metadata })).json()) as Registered;
const invite = async (uses: number, lifetimeSeconds = 600) =>
  createInitialAccessToken(
    server.deps,
    server.tenant.id,
    { uses, lifetimeSeconds },
    { actor: { type: "system" }, context: systemContext },
  );
const countClients = async () =>
  (await server.deps.db.select({ total: count() }).from(clients))[0]?.total ?? 0;

function manage(uri: string, token: string, method = "GET", body?: unknown): Promise<Response> {
  return fetch(uri, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

describe("A stranger who registers", () => {
  /**
   * Guard: readClientMetadata takes registrationMembers alone for whoever describes themselves, and `narrow` the grants;
   * findClient sets what the tenant allows.
   */
  it("cannot make themselves one of ours, or get more than the tenant lets such clients have", async () => {
    const { client_id } = await register({
      first_party: true,
      firstParty: true,
      origin: "administrator",
      scope: "openid admin",
      resources: ["https://api.example/"],
      grant_types: ["authorization_code", "urn:ietf:params:oauth:grant-type:token-exchange"],
      token_exchange_modes: ["impersonation"],
      access_token_lifetime: 3600,
    });
    expect(await findClient(server.deps, server.tenant.id, client_id)).toMatchObject({
      firstParty: false,
      origin: "dynamic",
      scopes: ["openid"],
      resources: [],
      grantTypes: ["authorization_code"],
      tokenExchangeModes: [],
      accessTokenLifetimeSeconds: null,
    });
  });

  /** Guard: redirectUriProblem in clientMetadataProblems. */
  it.each([
    "javascript:alert(1)",
    "data:text/html,x",
    "http://evil.example/cb",
    "https://good.example@evil.example/cb",
    "https://good.example/cb?code=x",
    "com.example:/cb",
  ])("cannot have codes sent to %s", async (uri) => {
    for (const changes of [{ redirect_uris: [uri] }, { redirect_uris: [REDIRECT_URI, uri] }]) {
      const response = await send({ ...sound, ...changes });
      expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([
        400,
        "invalid_redirect_uri",
      ]);
    }
  });

  /** Guard: webAddressProblem without loopback for whoever describes themselves; `javascript:` would run on our page. */
  it.each([
    "logo_uri",
    "client_uri",
    "policy_uri",
    "tos_uri",
    "initiate_login_uri",
    "backchannel_logout_uri",
    "jwks_uri",
  ])("cannot put anything but a public https address into %s", async (member) => {
    for (const uri of [
      "javascript:alert(1)",
      "http://127.0.0.1:9000/",
      "http://localhost/",
      "file:///etc/passwd",
    ])
      expect([uri, (await send({ ...sound, [member]: uri })).status]).toEqual([uri, 400]);
  });

  /** Guard: readRegistrationRequest refuses software_statement: an unchecked one would vouch for whatever it says. */
  it("cannot vouch for themselves by a software statement", async () => {
    const statement = `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify({ software_id: "bank" }))}.`;
    const response = await send({ ...sound, software_statement: statement });
    expect((await response.json()) as object).toMatchObject({ error: "unapproved_software_statement" });
  });

  /** Guard: checkSectorIdentifier, by which users would be the same `sub` to two strangers (OpenID Connect Core §8.1). */
  it("cannot join a sector that does not list them, and learns nothing of what was found there", async () => {
    const uri = "https://internal.example/list.json";
    const response = await send({ ...sound, subject_type: "pairwise", sector_identifier_uri: uri });
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain("public");
    expect(asked).toContain(uri);
  });

  /** Guard: registration is switched off unless a tenant switches it on. */
  it("cannot where the tenant did not let them", async () => {
    const before = await countClients();
    for (const mode of ["off", "token"] as const) {
      await server.configure({ dynamic_registration: mode });
      expect((await send(sound)).status).toBe(mode === "off" ? 404 : 401);
    }
    await server.configure({ dynamic_registration: "open" });
    expect(await countClients()).toBe(before);
  });

  /** Guard: requireInitialAccessToken comes before the body is read and anything is fetched. */
  it("cannot make the server fetch anything without the token that they need", async () => {
    await server.configure({ dynamic_registration: "token" });
    const uri = "https://unasked.example/list.json";
    const metadata = { ...sound, subject_type: "pairwise", sector_identifier_uri: uri };
    expect((await send(metadata)).status).toBe(401);
    expect((await send(metadata, "iat_x")).status).toBe(401);
    await server.configure({ dynamic_registration: "open" });
    expect(asked).not.toContain(uri);
  });
});

describe("An initial access token", () => {
  const only = (status: number, statuses: readonly number[]) =>
    statuses.filter((one) => one === status).length;

  /** Guard: consumeToken takes a use off in one statement that asks for `uses_left > 0`, in the registration's own
   * transaction. */
  it("registers as many clients as it is for, however many ask at once", async () => {
    const { token } = await invite(3);
    const before = await countClients();
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(sound, token)));
    const statuses = answers.map(({ status }) => status);
    expect([only(201, statuses), only(401, statuses)]).toEqual([3, 17]);
    expect((await countClients()) - before).toBe(3);
  });

  /** Guard: `expires_at` in requireInitialAccessToken and in consumeToken. */
  it("ends with its time", async () => {
    const { token } = await invite(5, 60);
    server.clock.advance(60);
    expect((await send(sound, token)).status).toBe(401);
  });

  /** Guard: matchesHash in requireInitialAccessToken: its id is no secret, administrators see it in lists. */
  it("is not its id, nor its digest, nor that of another tenant", async () => {
    const { id, token } = await invite(5);
    const guessed = `${id}_${"A".repeat(43)}`;
    expect((await send(sound, guessed)).status).toBe(401);
    expect((await send(sound, id)).status).toBe(401);
    expect((await send(sound, token, other.base)).status).toBe(401);
    expect((await send(sound, token)).status).toBe(201);
  });
});

describe("A registration access token", () => {
  /** Guard: matchesHash in requireRegistration compares with the digest of the client that the path names. */
  it("opens its own registration alone", async () => {
    const [mine, theirs] = [await register(), await register()];
    const update = { ...sound, client_id: theirs.client_id, redirect_uris: ["https://evil.example/cb"] };
    const token = mine.registration_access_token;
    expect((await manage(theirs.registration_client_uri, token)).status).toBe(401);
    expect((await manage(theirs.registration_client_uri, token, "PUT", update)).status).toBe(401);
    expect((await manage(theirs.registration_client_uri, token, "DELETE")).status).toBe(401);
    const found = await findClient(server.deps, server.tenant.id, theirs.client_id);
    expect(found?.redirectUris).toEqual([REDIRECT_URI]);
  });

  /** Guard: client_id of an update has to be that of the path (readRegistrationUpdate). */
  it("does not change a client that the body names instead", async () => {
    const [mine, theirs] = [await register(), await register()];
    const update = { ...sound, client_id: theirs.client_id };
    const response = await manage(
      mine.registration_client_uri,
      mine.registration_access_token,
      "PUT",
      update,
    );
    expect(response.status).toBe(400);
  });

  /** Guard: findRegistered looks in the tenant of the request. */
  it("opens nothing in another tenant", async () => {
    const mine = await register();
    const uri = `${other.base}/oauth/register/${mine.client_id}`;
    expect((await manage(uri, mine.registration_access_token)).status).toBe(401);
  });

  /** Guard: the policy of updateRegistration; what one may not register, one may not become. */
  it("makes a client no more than registration could", async () => {
    const mine = await register();
    const response = await manage(mine.registration_client_uri, mine.registration_access_token, "PUT", {
      ...sound,
      client_id: mine.client_id,
      grant_types: ["authorization_code", "client_credentials"],
      scope: "openid admin",
      first_party: true,
      enabled: true,
    });
    expect(await response.json()).toMatchObject({ grant_types: ["authorization_code"], scope: "openid" });
    expect(await findClient(server.deps, server.tenant.id, mine.client_id)).toMatchObject({
      firstParty: false,
    });
  });

  /** Guard: requireRegistration needs an enabled client of origin "dynamic". */
  it("does not enable what an administrator disabled", async () => {
    const mine = await register();
    await server.deps.db.update(clients).set({ enabled: false }).where(eq(clients.clientId, mine.client_id));
    const update = { ...sound, client_id: mine.client_id };
    const response = await manage(
      mine.registration_client_uri,
      mine.registration_access_token,
      "PUT",
      update,
    );
    expect(response.status).toBe(401);
    expect(await findClient(server.deps, server.tenant.id, mine.client_id)).toBeUndefined();
  });

  it("is not to be had from the database", async () => {
    const mine = await register();
    const [row] = await server.deps.db.select().from(clients).where(eq(clients.clientId, mine.client_id));
    expect(JSON.stringify(row)).not.toContain(mine.registration_access_token.slice(-20));
    expect(row?.registrationTokenHash).toHaveLength(32);
  });
});
