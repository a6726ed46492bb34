import { sql } from "drizzle-orm";
import { type Executor, moment } from "../../db/client.ts";
import { type Id, uuidFromId } from "../../lib/ids.ts";

export interface Dormant {
  /** Signed in before, and not since. */
  readonly dormant: number;
  readonly neverSignedIn: number;
  /** Those of both who administer. */
  readonly administrators: number;
}

/**
 * Accounts that could be signed in to, and were not since `before`; those that are newer had no time to. The condition on
 * the sign-in is the expression that `users_last_login` is an index of.
 */
export async function countDormant(
  executor: Executor,
  tenantId: Id<"tenant">,
  before: Date,
): Promise<Dormant> {
  const [row] = await executor.execute<{ dormant: string; fresh: string; administrators: string }>(sql`
    select count(*) filter (where u.last_login_at is not null) as dormant,
      count(*) filter (where u.last_login_at is null) as fresh,
      count(*) filter (where exists (
        select 1 from user_roles ur join roles r on r.tenant_id = ur.tenant_id and r.id = ur.role_id
        where ur.tenant_id = u.tenant_id and ur.user_id = u.id and r.name in ('admin', 'super_admin'))) as administrators
    from users u
    where u.tenant_id = ${uuidFromId("tenant", tenantId)}::uuid and u.enabled and u.created_at < ${moment(before)}
      and coalesce(u.last_login_at, '1970-01-01 00:00:00+00'::timestamptz) < ${moment(before)}`);
  return {
    dormant: Number(row?.dormant ?? 0),
    neverSignedIn: Number(row?.fresh ?? 0),
    administrators: Number(row?.administrators ?? 0),
  };
}
