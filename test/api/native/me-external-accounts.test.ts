/** `/me/external-accounts`, and the same of a user in the hands of administrators. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import {
  connections,
  externalAccounts,
  formerExternalTokens,
  outbox,
  passwordCredentials,
  userEmails,
} from "../../../src/db/schema/index.ts";
import { createConnection } from "../../../src/domain/connections/administration.ts";
import { findConnection } from "../../../src/domain/connections/service.ts";
import { sealTokens } from "../../../src/domain/federation/tokens.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { updateTenantSettings } from "../../../src/domain/tenants/service.ts";
import { type Id, isId } from "../../../src/lib/ids.ts";
import { createOtherTenant, login, type OtherTenant, type Person, register } from "../../attacks/support.ts";
import { linkAccount } from "../../support/external-accounts.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import { auditOf, caller, giveRole, newAdministrator } from "./admin/support.ts";

let server: TestServer;
let of: OtherTenant;
let admin: ReturnType<typeof caller>;
let counter = 0;

beforeAll(async () => {
  server = await startTestServer();
  of = await createOtherTenant(server, "mine");
  admin = caller(of.base, (await newAdministrator(server, of)).token);
});
afterAll(() => server.stop());

async function connect(more: Record<string, unknown> = {}): Promise<Id<"connection">> {
  const by = { actor: { type: "system" }, context: systemContext, superAdmin: true } as const;
  const config = { issuer: "https://idp.example.com", client_id: "c", keep_tokens: true };
  const { connection } = await createConnection(
    server.deps,
    of.tenant.id,
    { kind: "oidc", key: `idp-${++counter}`, config, secrets: { client_secret: "s" }, ...more },
    by,
  );
  return connection.id;
}

interface Account {
  id: string;
  subject: string;
  connection: { id: string };
}

/** Somebody who is signed in, and linked to so many connections. */
async function somebody(links: number, { password = true } = {}) {
  const first = await linkAccount(server, of, await connect());
  const { person } = first;
  const accounts = [first];
  for (let more = 1; more < links; more++)
    accounts.push(await linkAccount(server, of, await connect(), person));
  const { access_token: token } = await login(of.base, person.username);
  if (!password) await forgetPassword(person);
  const call = async <Body>(method: string, path = "") => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${of.base}/me/external-accounts${path}`, { method, headers });
    const text = await response.text();
    return { status: response.status, body: (text === "" ? {} : JSON.parse(text)) as Body };
  };
  return { person, accounts, call };
}

async function forgetPassword({ id }: Person): Promise<void> {
  if (!isId("user", id)) throw new Error("not a user's id");
  await server.deps.db.delete(passwordCredentials).where(eq(passwordCredentials.userId, id));
}

const idsOf = async (call: Awaited<ReturnType<typeof somebody>>["call"]) =>
  (await call<{ external_accounts: Account[] }>("GET")).body.external_accounts.map(({ id }) => id);

describe("GET /me/external-accounts", () => {
  it("lists what the user is known by, and each of it", async () => {
    const { accounts, call } = await somebody(2);
    const { status, body } = await call<{ external_accounts: Account[] }>("GET");
    expect(status).toBe(200);
    expect(body.external_accounts.map(({ subject }) => subject)).toEqual(
      accounts.map(({ subject }) => subject),
    );
    const [first] = body.external_accounts;
    const one = await call<Account>("GET", `/${first?.id}`);
    expect([one.status, JSON.stringify(one.body)]).toEqual([200, JSON.stringify(first)]);
    expect(JSON.stringify(body)).not.toContain("token");
  });

  it("knows nothing of anybody else's", async () => {
    const { call } = await somebody(1);
    const other = await somebody(1);
    for (const id of [other.accounts[0]?.id, "ext_01JD2M9V7QX5T8Z4C6B3N0K1HF", "nothing"])
      for (const method of ["GET", "DELETE"]) expect((await call(method, `/${id}`)).status).toBe(404);
    expect(await idsOf(other.call)).toHaveLength(1);
  });
});

describe("DELETE /me/external-accounts/{id}", () => {
  it("unlinks, and leaves it in the audit trail", async () => {
    const { person, accounts, call } = await somebody(1);
    expect((await call("DELETE", `/${accounts[0]?.id}`)).status).toBe(204);
    expect(await idsOf(call)).toEqual([]);
    expect((await auditOf(server, person.id)).map(({ type }) => type)).toContain("social_account_unlinked");
  });

  it("keeps the last way in", async () => {
    const { accounts, call } = await somebody(2, { password: false });
    expect((await call("DELETE", `/${accounts[0]?.id}`)).status).toBe(204);
    const { status, body } = await call<{ error: string }>("DELETE", `/${accounts[1]?.id}`);
    expect([status, body.error]).toEqual([409, "last_sign_in_method"]);
    expect(await idsOf(call)).toEqual([accounts[1]?.id ?? ""]);
  });

  it("takes a connection that is off for no way in", async () => {
    const { accounts, call } = await somebody(2, { password: false });
    const { body } = await call<Account>("GET", `/${accounts[1]?.id}`);
    await server.deps.db
      .update(connections)
      .set({ allowSignIn: false })
      .where(and(eq(connections.tenantId, of.tenant.id), eq(connections.key, `idp-${counter}`)));
    expect(body.subject).toBe(accounts[1]?.subject ?? "");
    expect((await call("DELETE", `/${accounts[0]?.id}`)).status).toBe(409);
    expect((await call("DELETE", `/${accounts[1]?.id}`)).status).toBe(204);
  });

  it("takes a mailed code for a way in, where the tenant does and the address is verified", async () => {
    const { person, accounts, call } = await somebody(1, { password: false });
    await updateTenantSettings(server.deps, of.tenant, { email_code_enabled: true });
    expect((await call("DELETE", `/${accounts[0]?.id}`)).status).toBe(409);
    await server.deps.db
      .update(userEmails)
      .set({ verifiedAt: server.clock.now() })
      .where(eq(userEmails.address, person.email));
    expect((await call("DELETE", `/${accounts[0]?.id}`)).status).toBe(204);
    await updateTenantSettings(server.deps, of.tenant, { email_code_enabled: false });
  });

  it("has its tokens revoked there by the worker, and keeps them no longer than that", async () => {
    const { accounts, call } = await somebody(1);
    const [account] = accounts;
    if (!account) throw new Error("nobody is linked");
    const { body } = await call<Account>("GET", `/${account.id}`);
    const connection = await findConnection(server.deps, of.tenant.id, body.connection.id);
    const sealed =
      connection &&
      sealTokens(server.deps, connection, account.id, { accessToken: "upstream", refreshToken: "refresh" });
    await server.deps.db
      .update(externalAccounts)
      .set({ sealedTokens: sealed?.box ?? null, masterKeyId: sealed?.keyId ?? null })
      .where(eq(externalAccounts.id, account.id));
    expect((await call("DELETE", `/${account.id}`)).status).toBe(204);
    const jobs = await server.deps.db.select().from(outbox).where(eq(outbox.name, "revoke_external_tokens"));
    expect(jobs.map(({ payload }) => payload)).toEqual([{ external_account_id: account.id }]);
    const kept = await server.deps.db.select().from(formerExternalTokens);
    expect(kept.map(({ id }) => id)).toEqual([account.id]);
  });
});

describe("/api/v1/admin/users/{id}/external-accounts", () => {
  it("is listed and unlinked, the last way in too", async () => {
    const { person, accounts, call } = await somebody(1, { password: false });
    const path = `/users/${person.id}/external-accounts`;
    const { body } = await admin<{ data: Account[] }>("GET", path);
    expect(body.data.map(({ id }) => id)).toEqual([accounts[0]?.id ?? ""]);
    expect((await admin("DELETE", `${path}/${accounts[0]?.id}`)).status).toBe(204);
    expect(await idsOf(call)).toEqual([]);
  });

  it("of another user, or another tenant, is not there", async () => {
    const { person, accounts } = await somebody(1);
    const stranger = await register(of.base);
    const path = (user: string) => `/users/${user}/external-accounts`;
    expect((await admin("DELETE", `${path(stranger.id)}/${accounts[0]?.id}`)).status).toBe(404);
    const other = await createOtherTenant(server, `other${++counter}`);
    const theirs = caller(other.base, (await newAdministrator(server, other)).token);
    expect((await theirs("GET", path(person.id))).status).toBe(404);
    expect((await theirs("DELETE", `${path(person.id)}/${accounts[0]?.id}`)).status).toBe(404);
    expect((await admin<{ data: Account[] }>("GET", path(person.id))).body.data).toHaveLength(1);
  });

  it("of who administers every tenant is theirs alone to change", async () => {
    const { person, accounts } = await somebody(1);
    await giveRole(server, of.tenant, person, "super_admin");
    const path = `/users/${person.id}/external-accounts/${accounts[0]?.id}`;
    expect((await admin("DELETE", path)).status).toBe(403);
  });
});

describe("a sign-in that is no longer fresh", () => {
  it("reads, and unlinks nothing", async () => {
    const { person, accounts, call } = await somebody(1);
    const { refresh_token } = await login(of.base, person.username);
    server.clock.advance(16 * 60);
    const response = await postJson(`${of.base}/token/refresh`, { refresh_token });
    const { access_token: later }: { access_token: string } = JSON.parse(await response.text());
    const headers = { authorization: `Bearer ${later}` };
    const path = `${of.base}/me/external-accounts`;
    expect((await fetch(path, { headers })).status).toBe(200);
    const refused = await fetch(`${path}/${accounts[0]?.id}`, { method: "DELETE", headers });
    expect(refused.status).toBe(401);
    expect(await refused.text()).toContain("insufficient_user_authentication");
    expect((await call("GET")).status).toBe(401);
  });
});
