/**
 * A file of users that gives what whoever sends it may not give (CWE-269): each row goes through the same questions as a user
 * who is made by hand. Guards: `keepAllowed` and `conflictOf` of `domain/user-import/batch.ts`; the tenant in every query.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createTenant } from "../../src/domain/tenants/service.ts";
import { login, register } from "./support.ts";
import { caller, newAdministrator } from "../api/native/admin/support.ts";
import { lines, startImporting } from "../api/native/admin/user-imports-support.ts";

let at: Awaited<ReturnType<typeof startImporting>>;
beforeAll(async () => {
  at = await startImporting();
});
afterAll(() => at.stop());

describe("who imports", () => {
  const row = { username: "appointed", email: "appointed@example.com", roles: ["super_admin"] };

  it("gives no role that they may not give: super_admin", async () => {
    const done = await at.imported(at.post(lines(row)));
    expect(done.rows).toMatchObject({ created: 0, failed: 1 });
    expect((await at.errorsOf(done.id)).map(({ field }) => field)).toEqual(["roles"]);
    expect((await at.imported(at.post(lines(row), { as: at.superToken }))).rows).toMatchObject({
      created: 1,
    });
  });

  it("changes nobody who administers every tenant, unless they do so themselves", async () => {
    const change = lines({ email: "appointed@example.com", given_name: "Changed" });
    const query = "?on_conflict=update";
    expect((await at.imported(at.post(change, { query }))).rows).toMatchObject({ updated: 0, failed: 1 });
    expect((await at.imported(at.post(change, { query, as: at.superToken }))).rows).toMatchObject({
      updated: 1,
    });
  });

  it("puts nobody into a group that gives what they may not give", async () => {
    const call = caller(at.server.url, at.superToken);
    const group = await call<{ id: string }>("POST", "/groups", { name: "Mighty" });
    expect(group.status).toBe(201);
    const roles = await call("PUT", `/groups/${group.body.id}/roles`, { roles: ["super_admin"] });
    expect(roles.status).toBeLessThan(300);
    const member = { email: "member@example.com", groups: ["Mighty"] };
    expect((await at.imported(at.post(lines(member)))).rows).toMatchObject({ created: 0, failed: 1 });
    expect((await at.imported(at.post(lines(member), { as: at.superToken }))).rows).toMatchObject({
      created: 1,
    });
    expect(await at.find("member@example.com")).toMatchObject([{ roles: ["super_admin"] }]);
  });

  it("is an administrator of the tenant, who sees no other tenant's", async () => {
    const { id } = await at.imported(at.post(lines({ email: "mine@example.com" })));
    const tenant = await createTenant(at.server.deps, { slug: "elsewhere", name: "Elsewhere" });
    const base = `${at.server.url}/t/elsewhere`;
    const other = caller(base, (await newAdministrator(at.server, { tenant, base })).token);
    expect((await other("GET", `/users/imports/${id}`)).status).toBe(404);
    expect((await other("GET", `/users/imports/${id}/errors`)).status).toBe(404);
    expect((await other("POST", `/users/imports/${id}/cancel`)).status).toBe(404);
    expect((await other<{ data: unknown[] }>("GET", "/users/imports")).body.data).toEqual([]);
    const ordinary = (await login(at.server.url, (await register(at.server.url)).username)).access_token;
    expect((await at.post(lines({ email: "x@example.com" }), { as: ordinary })).status).toBe(403);
    expect((await at.post(lines({ email: "x@example.com" }), { as: "none" })).status).toBe(401);
  });
});
