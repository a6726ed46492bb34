/** Service accounts: what they have of administrators, and what not. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import { auditEvents, roles } from "../../src/db/schema/index.ts";
import { caller, giveRole, newAdministrator } from "../api/native/admin/support.ts";
import { accountKey, asAdmin, begin, by, end, mine, next, server } from "./api-key-fixture.ts";
import { createOtherTenant, login, PASSWORD, register } from "./support.ts";

beforeAll(begin);
afterAll(end);

describe("a service account", () => {
  it("is named by the audit trail, with its key", async () => {
    const { account, key } = await accountKey(["admin"], ["roles:write"]);
    const role = await by(key)<{ id: string }>("POST", "/roles", { name: `role${next()}` });
    expect(role.status).toBe(201);
    const [event] = await server.deps.db
      .select()
      .from(auditEvents)
      .where(and(eq(auditEvents.targetId, role.body.id), eq(auditEvents.type, "role.created")));
    expect([event?.actorType, event?.actorId, event?.details["api_key"]]).toEqual([
      "service_account",
      account,
      key.id,
    ]);
  });

  /** Guard: service-accounts/service.ts: requireMayAssign with the account's roles. */
  it("that administers every tenant is out of an administrator's hands", async () => {
    const [role] = await server.deps.db
      .select({ id: roles.id })
      .from(roles)
      .where(and(eq(roles.tenantId, mine.tenant.id), eq(roles.name, "super_admin")));
    expect(role).toBeDefined();
    expect((await asAdmin("POST", "/service-accounts", { name: "S", roles: ["super_admin"] })).status).toBe(
      403,
    );
    const chief = await register(mine.base);
    await giveRole(server, mine.tenant, chief, "super_admin");
    const asChief = caller(mine.base, (await login(mine.base, chief.username)).access_token);
    const made = await asChief<{ id: string }>("POST", "/service-accounts", {
      name: "S",
      roles: ["super_admin"],
    });
    expect(made.status).toBe(201);
    const path = `/service-accounts/${made.body.id}`;
    const key = { name: "x", scopes: ["users:read"] };
    expect((await asAdmin("POST", `${path}/api-keys`, key)).status).toBe(403);
    expect((await asAdmin("PUT", path, { enabled: false })).status).toBe(403);
    expect((await asAdmin("DELETE", path)).status).toBe(403);
    expect((await asChief("POST", `${path}/api-keys`, key)).status).toBe(201);
  });

  /** Guard: administrators/repo.ts counts users alone. */
  it("is no administrator who is left when the last one goes", async () => {
    const lone = await createOtherTenant(server, "lone");
    const { person, token } = await newAdministrator(server, lone);
    const call = caller(lone.base, token);
    expect((await call("POST", "/service-accounts", { name: "S", roles: ["admin"] })).status).toBe(201);
    expect((await call("PUT", `/users/${person.id}`, { roles: [] })).status).toBe(409);
  });

  it("is not signed in as, by whatever name", async () => {
    const { account } = await accountKey(["admin"], ["users:read"]);
    const response = await fetch(`${mine.base}/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ identifier: account, password: PASSWORD }),
    });
    expect(response.status).toBe(401);
  });
});
