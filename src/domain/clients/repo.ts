import { and, asc, eq } from "drizzle-orm";
import { type Database, type Executor, parameter, prepared } from "../../db/client.ts";
import { clients, clientSecrets } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";
import type { Client } from "./model.ts";

const byClientId = prepared((db) =>
  db
    .select({ client: clients, secret: { hash: clientSecrets.hash, expiresAt: clientSecrets.expiresAt } })
    .from(clients)
    .leftJoin(
      clientSecrets,
      and(eq(clientSecrets.tenantId, clients.tenantId), eq(clientSecrets.clientId, clients.id)),
    )
    .where(
      and(
        eq(clients.tenantId, parameter(clients.tenantId, "tenantId")),
        eq(clients.clientId, parameter(clients.clientId, "clientId")),
      ),
    )
    .orderBy(asc(clientSecrets.createdAt))
    .prepare("client_by_client_id"),
);

export async function findByClientId(
  db: Database,
  tenantId: Id<"tenant">,
  clientId: string,
): Promise<Client | undefined> {
  const rows = await byClientId(db).execute({ tenantId, clientId });
  const [first] = rows;
  return first && { ...first.client, secrets: rows.flatMap(({ secret }) => (secret ? [secret] : [])) };
}

export async function insertClient(executor: Executor, client: typeof clients.$inferInsert): Promise<void> {
  await executor.insert(clients).values(client);
}

export async function insertSecret(
  executor: Executor,
  secret: typeof clientSecrets.$inferInsert,
): Promise<void> {
  await executor.insert(clientSecrets).values(secret);
}
