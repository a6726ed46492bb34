import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import postgres from "postgres";
import {
  findDataExport,
  makeDataExport,
  requestDataExport,
} from "../../../src/domain/data-exports/service.ts";
import { sections } from "../../../src/domain/data-exports/sections/service.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { findUserById, type User } from "../../../src/domain/users/service.ts";
import { cleanUp } from "../../../src/domain/maintenance/service.ts";
import { isId } from "../../../src/lib/ids.ts";
import { register } from "../../attacks/support.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

async function someone(): Promise<User> {
  const { id } = await register(server.url);
  const user = isId("user", id) ? await findUserById(server.deps, server.tenant.id, id) : undefined;
  if (!user) throw new Error("nobody registered");
  return user;
}

const make = (user: User, id: Parameters<typeof makeDataExport>[3]) =>
  server.deps.db.transaction((tx) => makeDataExport(server.deps, tx, user.tenantId, id));

describe("a copy of a person's data", () => {
  it("is the same one while it is being made, and another one afterwards", async () => {
    const user = await someone();
    const first = await requestDataExport(server.deps, user, systemContext);
    expect((await requestDataExport(server.deps, user, systemContext)).id).toBe(first.id);
    await make(user, first.id);
    expect((await requestDataExport(server.deps, user, systemContext)).id).not.toBe(first.id);
  });

  it("is made once, however often the job comes; one that was killed halfway is made by the next", async () => {
    const user = await someone();
    const { id } = await requestDataExport(server.deps, user, systemContext);
    const killed = server.deps.db.transaction(async (tx) => {
      await makeDataExport(server.deps, tx, user.tenantId, id);
      throw new Error("killed");
    });
    await expect(killed).rejects.toThrow("killed");
    expect(await findDataExport(server.deps, user, id)).toMatchObject({ status: "pending" });
    expect(await make(user, id)).toBe(user.id);
    expect(await make(user, id)).toBeUndefined();
    expect(await findDataExport(server.deps, user, id)).toMatchObject({ status: "ready" });
  });

  it("is removed by the clean-up when its time is over", async () => {
    const user = await someone();
    const { id } = await requestDataExport(server.deps, user, systemContext);
    await make(user, id);
    server.clock.advance(7 * 86_400 + 1);
    expect(await cleanUp(server.deps)).toMatchObject({ data_exports: expect.any(Number) });
    await expect(findDataExport(server.deps, user, id)).rejects.toMatchObject({ status: 404 });
  });
});

/** Tables that hold something about a user and are in no section, and why. */
const leftOut = new Map([
  ["backup_code_sets", "a key"],
  ["backup_codes", "digests of codes"],
  ["password_credentials", "when it was changed is in the profile; the rest is a hash"],
  ["password_history", "hashes"],
  ["proofs", "codes and links of the last minutes"],
  ["challenges", "links and pending proofs of the last hours"],
  ["data_exports", "the copies themselves"],
  ["account_deletions", "that one was asked for is among the events"],
  ["token_families", "the sessions' tokens"],
  ["upstream_saml_sessions", "names of the sessions elsewhere that sessions began with"],
  ["authorization_codes", "secrets of a minute"],
  ["access_tokens", "tokens of the sessions"],
  ["pushed_authorization_requests", "requests of a minute"],
  ["device_authorizations", "requests of some minutes"],
  ["impersonations", "who signed in as them is among the events"],
  ["user_search", "name and addresses once more, to be searched by"],
]);

/** Which section tells of which table. */
const told: Record<string, string> = {
  users: "profile",
  user_emails: "emails",
  email_changes: "email_changes",
  user_phones: "phones",
  user_roles: "roles",
  group_users: "groups",
  organization_members: "organizations",
  scim_users: "directory",
  scim_external_ids: "directory_ids",
  sessions: "sessions",
  grants: "applications",
  external_accounts: "external_accounts",
  saml_sessions: "saml_applications",
  totp_devices: "authenticator_apps",
  passkeys: "passkeys",
  trusted_devices: "trusted_devices",
  api_keys: "api_keys",
  audit_events: "events",
};

describe("what the copy holds", () => {
  it("is something of every table that knows a user", async () => {
    const sql = postgres(server.config.databaseUrl, { max: 1 });
    const tables = await sql<{ name: string }[]>`
      select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and a.attname = 'user_id'`;
    await sql.end();
    const names = tables.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !(name in told) && !leftOut.has(name))).toEqual([]);
    expect(Object.values(told).toSorted()).toEqual(Object.keys(sections).toSorted());
  });
});
