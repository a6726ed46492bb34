/** Accounts that nobody uses, and that somebody else could: who administers the tenant is told how many there are. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import type { Id } from "../../lib/ids.ts";
import { enqueue } from "../../queue/outbox.ts";
import { findAdministrators } from "../webhooks/service.ts";
import * as repo from "./repo.ts";

export type { Dormant } from "./repo.ts";

const DAY_SECONDS = 86_400;

/** Accounts of a tenant that are enabled and were not signed in to for so many days, or never since they were made. */
export function countDormantAccounts(
  deps: Deps,
  tenantId: Id<"tenant">,
  inactiveDays: number,
): Promise<repo.Dormant> {
  const before = addSeconds(deps.clock.now(), -inactiveDays * DAY_SECONDS);
  return repo.countDormant(deps.db, tenantId, before);
}

const MOST_TOLD = 20;

/** Mails the numbers to the tenant's administrators, in the caller's transaction. @returns how many are told */
export async function tellOfDormantAccounts(
  tx: Executor,
  tenantId: Id<"tenant">,
  { dormant, neverSignedIn, administrators }: repo.Dormant,
  { inactiveDays, now }: { inactiveDays: number; now: Date },
): Promise<number> {
  const told = await findAdministrators(tx, tenantId, MOST_TOLD);
  for (const userId of told) {
    const payload = {
      user_id: userId,
      inactive_days: inactiveDays,
      dormant,
      never_signed_in: neverSignedIn,
      administrators,
    };
    await enqueue(tx, { tenantId, queue: "email", name: "dormant_accounts", payload, now });
  }
  return told.length;
}
