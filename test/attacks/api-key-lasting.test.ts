/** What a stolen API key would leave behind when it is revoked, and whom it still serves (CWE-269, CWE-613). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { caller, newAdministrator } from "../api/native/admin/support.ts";
import {
  accountKey,
  admin,
  asAdmin,
  begin,
  by,
  end,
  mine,
  next,
  ownKey,
  server,
  type Key,
} from "./api-key-fixture.ts";
import { bearer, login } from "./support.ts";

let all: Key;
beforeAll(async () => {
  await begin();
  all = await ownKey(admin.username, ["admin:read", "admin:write"]);
});
afterAll(end);

describe("by an API key nobody", () => {
  /** Guard: api-keys/scopes.ts `forPeople`: whom an issuer names, its assertions are (RFC 7523 §2.1). */
  it("trusts an issuer, or other keys of one", async () => {
    const issuer = {
      issuer: `https://issuer${next()}.example.com`,
      jwks_uri: "https://issuer.example.com/jwks",
      subject_kind: "username",
      scopes: ["openid", "profile", "email"],
    };
    expect((await by(all)("POST", "/trusted-issuers", issuer)).status).toBe(403);
    const made = await asAdmin<{ id: string }>("POST", "/trusted-issuers", issuer);
    expect(made.status).toBe(201);
    expect((await by(all)("PUT", `/trusted-issuers/${made.body.id}`, issuer)).status).toBe(403);
    expect((await by(all)("DELETE", `/trusted-issuers/${made.body.id}`)).status).toBe(204);
  });

  /** Guard: clients/administration.ts `requireMayBeOwn`: administrators are signed in to these without being asked. */
  it("makes a first-party client, makes a client one, or says where the codes of one go", async () => {
    const redirect_uris = ["https://thief.example.com/callback"];
    const own = { name: `Own ${next()}`, redirect_uris, first_party: true };
    expect((await by(all)("POST", "/clients", own)).status).toBe(403);
    const importing = `/organizations/${mine.tenant.id}/import`;
    expect((await by(all)("POST", importing, { version: 1, clients: [own] })).status).toBe(403);
    const other = await by(all)<{ id: string }>("POST", "/clients", { ...own, first_party: false });
    expect(other.status).toBe(201);
    expect((await by(all)("PUT", `/clients/${other.body.id}`, own)).status).toBe(403);
    const made = await asAdmin<{ id: string }>("POST", "/clients", own);
    expect(made.status).toBe(201);
    expect((await by(all)("PUT", `/clients/${made.body.id}`, own)).status).toBe(403);
    expect((await by(all)("PUT", `/clients/${made.body.id}`, { ...own, first_party: false })).status).toBe(
      403,
    );
  });

  /** Guard: api-keys/scopes.ts `IMPORT`: a configuration has clients, roles and groups in it. */
  it("brings in with a scope for tenants what needs scopes of its own", async () => {
    const { key } = await accountKey(["admin"], ["organizations:write"]);
    const path = `/organizations/${mine.tenant.id}/import`;
    const document = { version: 1, roles: [{ name: `role-${next()}` }] };
    expect((await by(key)("POST", path, document)).status).toBe(403);
    expect((await by(all)("POST", path, document)).status).toBe(200);
  });
});

describe("an API key", () => {
  /** Guard: api-keys/repo.ts `leaving`: who asked to be deleted is signed out everywhere, and administers nothing. */
  it("of who leaves opens nothing, until they stay", async () => {
    const { person } = await newAdministrator(server, mine);
    const key = await ownKey(person.username, ["admin:read"]);
    expect((await by(key)("GET", "/users")).status).toBe(200);
    const { access_token: token } = await login(mine.base, person.username);
    const asked = await fetch(`${mine.base}/me`, { method: "DELETE", headers: bearer(token) });
    expect(asked.status).toBe(202);
    expect((await by(key)("GET", "/users")).status).toBe(401);
    await login(mine.base, person.username);
    expect((await by(key)("GET", "/users")).status).toBe(200);
  });
});

describe("password hashes", () => {
  /** Guard: `requireFresh` in api/native/admin/user-exports.ts. */
  it("are not taken out by a token that was stolen a while ago", async () => {
    const long = { access_token_lifetime: 3600 };
    expect((await asAdmin("PUT", `/organizations/${mine.tenant.id}/settings`, long)).status).toBe(200);
    const { access_token: token } = await login(mine.base, admin.username);
    server.clock.advance(15 * 60 + 1);
    const answer = await caller(mine.base, token)<{ error: string }>("POST", "/users/export", {
      include_password_hashes: true,
    });
    expect([answer.status, answer.body.error]).toEqual([401, "insufficient_user_authentication"]);
  });
});
