import { driverOf, type Executor, type Fragment, type Sql } from "../../../db/client.ts";
import { uuidFromId } from "../../../lib/ids.ts";
import { jobInsert, type NewJob } from "../../../queue/outbox.ts";
import { type AuditRow, eventInsert } from "../../audit/service.ts";
import { holdingHash } from "../../passwords/service.ts";
import { type Counted, failuresForgotten } from "../../protection/service.ts";
import { type SessionRecord, sessionInsert, sessionRenewal, signedInFrom } from "../../sessions/service.ts";
import { familyInserts, type FamilyRecord } from "../../tokens/families.ts";
import { lastLoginUpdate, type User } from "../../users/service.ts";

/** What a password was when it proved right, and what its attempt is counted by, which ends with the sign-in. */
export interface CheckedPassword {
  readonly hash: string;
  readonly counted: readonly Counted[];
}

export interface SignInRecord {
  readonly user: User;
  readonly userAgent: string | undefined;
  /** Where nothing but a password that may have been changed meanwhile speaks for the sign-in. */
  readonly password: CheckedPassword | undefined;
  readonly session: SessionRecord;
  /** Whether it is one that stands. */
  readonly renewed: boolean;
  /** The first tokens of the session. */
  readonly tokens: FamilyRecord | undefined;
  readonly event: AuditRow;
  /** For the case that the account was to be deleted. */
  readonly deletionCancelled: AuditRow;
  /** Tells the user of a browser that is not known; without it, there is no sign-in from such a one. */
  readonly notice: NewJob<"email", "new_sign_in"> | undefined;
  readonly now: Date;
}

/**
 * - `done`
 * - `refused`: the password is another one by now, the session to be renewed has ended, or the user is gone or disabled
 * - `new_browser`: the user had signed in before, though not with this browser, and there was no notice of it
 */
export type SignInOutcome = "done" | "refused" | "new_browser";

/**
 * Writes all that a sign-in is, in one statement, or nothing: the session and its first tokens, the user's last sign-in, the
 * end of what was counted against the account and of its deletion, and the audit trail's rows.
 */
export async function insertSignIn(executor: Executor, record: SignInRecord): Promise<SignInOutcome> {
  const sql = driverOf(executor);
  const { user, password, session, renewed, tokens, notice, now } = record;
  const [row] = await sql<{ done: boolean; known: boolean }[]>`
    with before as (${signedInFrom(sql, user, record.userAgent)})
    ${password ? sql`, held as (${holdingHash(sql, user.tenantId, user.id, password.hash)})` : sql``},
    enabled as (${holdingEnabled(sql, user)}),
    granted as (
      select from before ${password ? sql`, held` : sql``}, enabled ${notice ? sql`` : sql`where before.known`}
    )
    ${renewed ? sql`, renewed as (${sessionRenewal(sql, session, "granted")})` : sql``},
    signed_in as (${lastLoginUpdate(sql, user, now, renewed ? "renewed" : "granted")})
    ${renewed ? sql`` : sql`, session as (${sessionInsert(sql, session, "signed_in")})`}
    ${tokens ? familyInserts(sql, tokens.family, tokens.refreshToken, "signed_in") : sql``}
    ${failuresForgotten(sql, user, password?.counted ?? [], "signed_in")},
    cancelled as (${deletionCancellation(sql, now, "signed_in")}),
    cancellation as (${eventInsert(sql, record.deletionCancelled, "cancelled")}),
    audited as (${eventInsert(sql, record.event, "signed_in")})
    ${notice ? sql`, told as (${newBrowserNotice(sql, notice)})` : sql``}
    select known, exists (select from signed_in) as done from before`;
  if (row?.done) return "done";
  return row && !row.known && !notice ? "new_browser" : "refused";
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

/** One row for a user who may sign in, and who is not disabled until that is done. */
const holdingEnabled = (driver: Sql, { tenantId, id }: User): Fragment => driver`
  select 1 from users
  where tenant_id = ${uuidFromId("tenant", tenantId)}::uuid and id = ${uuidFromId("user", id)}::uuid and enabled
  for no key update`;

const newBrowserNotice = (driver: Sql, notice: NewJob<"email", "new_sign_in">): Fragment =>
  driver`${jobInsert(driver, notice, "signed_in")}, before where not before.known`;
