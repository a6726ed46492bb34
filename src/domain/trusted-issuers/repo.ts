import { and, asc, count, desc, eq, gt, lt, type SQL, sql } from "drizzle-orm";
import { type Database, type Executor, moment, parameter, prepared } from "../../db/client.ts";
import { trustedIssuers } from "../../db/schema/index.ts";
import { type Id, isId, uuidFromId } from "../../lib/ids.ts";
import { COUNTED_AT_MOST, type PageRequest, pageOf, type PageResult } from "../../lib/page.ts";

export type StoredTrustedIssuer = typeof trustedIssuers.$inferSelect;

const byIssuer = prepared((db) =>
  db
    .select()
    .from(trustedIssuers)
    .where(
      and(
        eq(trustedIssuers.tenantId, parameter(trustedIssuers.tenantId, "tenantId")),
        eq(trustedIssuers.issuer, parameter(trustedIssuers.issuer, "issuer")),
      ),
    )
    .prepare("trusted_issuer_by_issuer"),
);

export async function findByIssuer(
  db: Database,
  tenantId: Id<"tenant">,
  issuer: string,
): Promise<StoredTrustedIssuer | undefined> {
  const [found] = await byIssuer(db).execute({ tenantId, issuer });
  return found;
}

const theIssuer = (tenantId: Id<"tenant">, id: Id<"trustedIssuer">) =>
  and(eq(trustedIssuers.tenantId, tenantId), eq(trustedIssuers.id, id));

export async function findById(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"trustedIssuer">,
): Promise<StoredTrustedIssuer | undefined> {
  const [found] = await executor.select().from(trustedIssuers).where(theIssuer(tenantId, id));
  return found;
}

export async function insertIssuer(executor: Executor, issuer: StoredTrustedIssuer): Promise<void> {
  await executor.insert(trustedIssuers).values(issuer);
}

export async function updateIssuer(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"trustedIssuer">,
  changes: Omit<StoredTrustedIssuer, "tenantId" | "id" | "createdAt">,
): Promise<void> {
  await executor.update(trustedIssuers).set(changes).where(theIssuer(tenantId, id));
}

export async function deleteIssuer(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"trustedIssuer">,
): Promise<void> {
  await executor.delete(trustedIssuers).where(theIssuer(tenantId, id));
}

export async function listIssuers(
  db: Database,
  tenantId: Id<"tenant">,
  page: PageRequest<"created_at">,
): Promise<PageResult<StoredTrustedIssuer>> {
  const matching = eq(trustedIssuers.tenantId, tenantId);
  const direction = page.order === "asc" ? asc : desc;
  const [rows, [counted]] = await Promise.all([
    db
      .select()
      .from(trustedIssuers)
      .where(and(matching, following(page)))
      .orderBy(direction(trustedIssuers.createdAt), direction(trustedIssuers.id))
      .limit(page.limit + 1),
    db
      .select({ total: count() })
      .from(
        db
          .select({ id: trustedIssuers.id })
          .from(trustedIssuers)
          .where(matching)
          .limit(COUNTED_AT_MOST)
          .as("matching"),
      ),
  ]);
  return pageOf(rows, page.limit, counted?.total ?? 0);
}

function following({ after, order }: PageRequest<"created_at">): SQL | undefined {
  if (!after || !isId("trustedIssuer", after.id)) return undefined;
  const beyond = order === "asc" ? gt : lt;
  return beyond(
    sql`(${trustedIssuers.createdAt}, ${trustedIssuers.id})`,
    sql`(${moment(new Date(after.value))}, ${uuidFromId("trustedIssuer", after.id)}::uuid)`,
  );
}
