import { and, eq, sql } from "drizzle-orm";
import { type Database, type Executor, parameter, prepared } from "../../db/client.ts";
import { backupCodes, passkeys, totpDevices, userEmails, userPhones, users } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

const selectMethods = (executor: Executor) =>
  executor
    .select({
      webauthn: sql<boolean>`exists (select 1 from ${passkeys} x
        where x.tenant_id = users.tenant_id and x.user_id = users.id)`,
      totp: sql<boolean>`exists (select 1 from ${totpDevices} x
        where x.tenant_id = users.tenant_id and x.user_id = users.id and x.confirmed_at is not null)`,
      backup_code: sql<boolean>`exists (select 1 from ${backupCodes} x
        where x.tenant_id = users.tenant_id and x.user_id = users.id and x.used_at is null)`,
      email_code: sql<boolean>`exists (select 1 from ${userEmails} x
        where x.tenant_id = users.tenant_id and x.user_id = users.id and x.is_primary
          and x.verified_at is not null)`,
      sms_code: sql<boolean>`exists (select 1 from ${userPhones} x
        where x.tenant_id = users.tenant_id and x.user_id = users.id and x.verified_at is not null)`,
    })
    .from(users);

const methods = prepared((db) =>
  selectMethods(db)
    .where(
      and(
        eq(users.tenantId, parameter(users.tenantId, "tenantId")),
        eq(users.id, parameter(users.id, "userId")),
      ),
    )
    .prepare("second_factor_methods"),
);

/** Which second factors a user has, by the method's name, in one round trip. */
export async function findMethods(
  db: Database,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
): Promise<Record<string, boolean>> {
  const [row] = await methods(db).execute({ tenantId, userId });
  return row ?? {};
}

/**
 * The same in a transaction that adds or removes factors. The user's row is held until its end: of requests that race, each
 * sees what the one before made of them.
 */
export async function lockMethods(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
): Promise<Record<string, boolean>> {
  const ofUser = and(eq(users.tenantId, tenantId), eq(users.id, userId));
  // By a statement of its own: what is read after it has waited is what is there then.
  await executor.select({ id: users.id }).from(users).where(ofUser).for("no key update");
  const [row] = await selectMethods(executor).where(ofUser);
  return row ?? {};
}
