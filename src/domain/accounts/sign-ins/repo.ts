import { driverOf, type Executor, type Fragment, type Sql } from "../../../db/client.ts";
import { type AuditRow, eventInsert } from "../../audit/service.ts";
import { failuresForgotten } from "../../protection/service.ts";
import { type SessionRecord, sessionInsert, signedInFrom } from "../../sessions/service.ts";
import { familyInserts, type FamilyRecord } from "../../tokens/families.ts";
import { lastLoginUpdate, type User } from "../../users/service.ts";

export interface SignInRecord {
  readonly user: User;
  readonly userAgent: string | undefined;
  /** Undefined where one that stands was renewed. */
  readonly session: SessionRecord | undefined;
  /** The first tokens of the session. */
  readonly tokens: FamilyRecord | undefined;
  readonly event: AuditRow;
  /** For the case that the account was to be deleted. */
  readonly deletionCancelled: AuditRow;
  readonly now: Date;
}

/**
 * Writes all that a sign-in is, in one statement: the session and its first tokens, the user's last sign-in, the end of what
 * was counted against the account and of its deletion, and the audit trail's rows.
 * @returns whether the user had signed in with this browser before, or never at all
 */
export async function insertSignIn(executor: Executor, record: SignInRecord): Promise<boolean> {
  const sql = driverOf(executor);
  const { user, session, tokens, now } = record;
  const [row] = await sql<{ known: boolean }[]>`
    with before as (${signedInFrom(sql, user, record.userAgent)}),
    signed_in as (${lastLoginUpdate(sql, user, now)}),
    forgotten as (${failuresForgotten(sql, user.tenantId, user.id, "signed_in")}),
    cancelled as (${deletionCancellation(sql, now, "signed_in")}),
    cancellation as (${eventInsert(sql, record.deletionCancelled, "cancelled")}),
    audited as (${eventInsert(sql, record.event, "signed_in")})
    ${session ? sql`, session as (${sessionInsert(sql, session)})` : sql``}
    ${tokens ? familyInserts(sql, tokens.family, tokens.refreshToken, "signed_in") : sql``}
    select known from before`;
  return row?.known ?? true;
}

/**
 * Cancels the deletion of whoever signs in, if there is to be one, as a part of a larger statement.
 * @param source the common table expression that has the user's `tenant_id` and `id`
 * @returns one row when there was to be one
 */
const deletionCancellation = (driver: Sql, now: Date, source: string): Fragment => driver`
  update account_deletions d set cancelled_at = ${now.toISOString()}::timestamptz
  from ${driver(source)} u
  where d.tenant_id = u.tenant_id and d.user_id = u.id and d.cancelled_at is null and d.erased_at is null
  returning d.id`;

/** Whether the user had signed in with this browser before, or never at all. */
export async function hasSignedInFrom(
  executor: Executor,
  user: Pick<User, "tenantId" | "id">,
  userAgent: string | undefined,
): Promise<boolean> {
  const sql = driverOf(executor);
  const [row] = await sql<{ known: boolean }[]>`${signedInFrom(sql, user, userAgent)}`;
  return row?.known ?? true;
}
