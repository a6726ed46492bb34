/** People who are linked to a connection, without anybody having signed in there. */
import { externalAccounts } from "../../src/db/schema/index.ts";
import type { Tenant } from "../../src/domain/tenants/service.ts";
import { type Id, isId, newId } from "../../src/lib/ids.ts";
import { type Person, register } from "../attacks/support.ts";
import type { TestServer } from "./server.ts";

/** @param person somebody new, if left out */
export async function linkAccount(
  server: TestServer,
  of: { tenant: Tenant; base: string },
  connectionId: string,
  person?: Person,
): Promise<{ person: Person; id: Id<"externalAccount">; subject: string }> {
  const owner = person ?? (await register(of.base));
  return { person: owner, ...(await linkUser(server, of.tenant, connectionId, owner)) };
}

/** The same of a user who is there. */
export async function linkUser(
  server: TestServer,
  tenant: Tenant,
  connectionId: string,
  owner: Pick<Person, "id" | "email">,
): Promise<{ id: Id<"externalAccount">; subject: string }> {
  if (!isId("connection", connectionId) || !isId("user", owner.id)) throw new Error("not an id");
  const id = newId("externalAccount");
  const subject = crypto.randomUUID();
  const now = server.clock.now();
  await server.deps.db.insert(externalAccounts).values({
    tenantId: tenant.id,
    id,
    userId: owner.id,
    connectionId,
    subject,
    email: owner.email,
    createdAt: now,
    updatedAt: now,
  });
  return { id, subject };
}
