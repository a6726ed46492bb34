import { and, eq } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { trustedIssuers } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

export type TrustedIssuer = typeof trustedIssuers.$inferSelect;

export async function findTrustedIssuer(
  executor: Executor,
  tenantId: Id<"tenant">,
  issuer: string,
): Promise<TrustedIssuer | undefined> {
  const [found] = await executor
    .select()
    .from(trustedIssuers)
    .where(
      and(
        eq(trustedIssuers.tenantId, tenantId),
        eq(trustedIssuers.issuer, issuer),
        eq(trustedIssuers.enabled, true),
      ),
    );
  return found;
}
