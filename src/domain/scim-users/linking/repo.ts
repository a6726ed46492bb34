import { sql } from "drizzle-orm";
import type { Executor } from "../../../db/client.ts";
import { type Id, idFromUuid, uuidFromId } from "../../../lib/ids.ts";
import { emailKey, usernameKey } from "../../users/service.ts";
import type { ScimUserColumns } from "../model.ts";

/** The user who has the name or one of the addresses, whoever manages them, with a lock. */
export async function findExisting(
  executor: Executor,
  tenantId: Id<"tenant">,
  user: Pick<ScimUserColumns, "username" | "emails">,
): Promise<{ id: Id<"user">; managed: boolean; emailVerified: boolean } | undefined> {
  const tenant = uuidFromId("tenant", tenantId);
  const keys = user.emails.map(({ value }) => emailKey(value));
  const rows = await executor.execute<{ id: string; managed: boolean; verified: boolean }>(sql`
    select u.id, exists (select 1 from scim_users s where s.tenant_id = u.tenant_id and s.user_id = u.id) as managed,
      exists (select 1 from user_emails m where m.tenant_id = u.tenant_id and m.user_id = u.id
        and m.verified_at is not null and m.address_key in ${keys.length > 0 ? keys : [""]}) as verified
    from users u
    where u.tenant_id = ${tenant}::uuid and (u.username_key = ${usernameKey(user.username)}
      or u.id in (select m.user_id from user_emails m
        where m.tenant_id = ${tenant}::uuid and m.address_key in ${keys.length > 0 ? keys : [""]}))
    order by u.id limit 2 for no key update of u`);
  const [row] = rows;
  if (!row || rows.length > 1) return undefined;
  return { id: idFromUuid("user", row.id), managed: row.managed, emailVerified: row.verified };
}
