import { and, eq } from "drizzle-orm";
import { clients } from "../../src/db/schema/index.ts";
import type { Client } from "../../src/domain/clients/service.ts";
import type { TestServer } from "./server.ts";

/** Changes what the database says of an application, beyond what making one takes; the server sees it at once. */
export async function configureClient(
  server: Pick<TestServer, "deps">,
  { client }: { client: Client },
  row: Partial<typeof clients.$inferInsert>,
): Promise<void> {
  await server.deps.db
    .update(clients)
    .set(row)
    .where(and(eq(clients.tenantId, client.tenantId), eq(clients.id, client.id)));
  server.deps.caches.clear();
}
