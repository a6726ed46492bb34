/** Roles that users have through groups. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { groupGroups, groupRoles, groups, groupUsers, roles } from "../../src/db/schema/index.ts";
import { createAccount } from "../../src/domain/accounts/registration.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { findUserById, findUserByIdentifier, type User } from "../../src/domain/users/service.ts";
import { newId } from "../../src/lib/ids.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

let server: TestServer;
let ada: User;

beforeAll(async () => {
  server = await startTestServer();
  const account = { username: "ada", email: "ada@example.com", password: "C0rrect-Horse!" };
  ada = await createAccount(
    server.deps,
    server.tenant,
    { ...account, emailVerified: true, roles: [] },
    systemContext,
  );
});
afterAll(() => server.stop());

async function addGroup() {
  const { deps, tenant, clock } = server;
  const id = newId("group");
  const now = clock.now();
  await deps.db
    .insert(groups)
    .values({ tenantId: tenant.id, id, displayName: "G", createdAt: now, updatedAt: now });
  return id;
}

describe("a role of a group", () => {
  it("is its members' and those of the groups in it, for as long as they are", async () => {
    const { deps, tenant, clock } = server;
    const { db } = deps;
    const createdAt = clock.now();
    const tenantId = tenant.id;
    const [inner, middle, outer] = [await addGroup(), await addGroup(), await addGroup()];
    const rolesOf = async () => (await findUserById(deps, tenantId, ada.id))?.roles;
    const [admin] = await db.select().from(roles).where(eq(roles.name, "admin"));
    if (!admin) throw new Error("no such role");
    await db.insert(groupRoles).values({ tenantId, groupId: outer, roleId: admin.id, createdAt });
    await db.insert(groupUsers).values({ tenantId, groupId: inner, userId: ada.id, createdAt });
    expect(await rolesOf()).toEqual([]);
    await db.insert(groupGroups).values([
      { tenantId, groupId: middle, memberId: inner, createdAt },
      { tenantId, groupId: outer, memberId: middle, createdAt },
      // A circle, however it came about, ends the search and not the server.
      { tenantId, groupId: inner, memberId: outer, createdAt },
    ]);
    expect(await rolesOf()).toEqual(["admin"]);
    await db.delete(groupUsers).where(eq(groupUsers.userId, ada.id));
    expect(await rolesOf()).toEqual([]);
  });
});

describe("an identifier with an @", () => {
  it("is an address first, and a directory's name for somebody otherwise", async () => {
    const { deps, tenant } = server;
    const found = async (identifier: string) => (await findUserByIdentifier(deps, tenant.id, identifier))?.id;
    expect(await found(" ADA@example.com")).toBe(ada.id);
    expect(await found("nobody@example.com")).toBeUndefined();
  });
});
