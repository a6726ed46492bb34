/** Which jobs have had their effect: what turns the queue's "at least once" into "once". */
import { and, eq, isNull, sql } from "drizzle-orm";
import type { Executor } from "../db/client.ts";
import { jobLedger } from "../db/schema/index.ts";
import type { Id } from "../lib/ids.ts";

/**
 * Claims a job for one attempt, in the caller's transaction. Of two deliveries of the same job the second waits here
 * until the first one's transaction ends, and then sees what came of it.
 * @returns whether the job is still to be done.
 */
export async function claimJob(
  executor: Executor,
  tenantId: Id<"tenant">,
  jobId: string,
  now: Date,
): Promise<boolean> {
  const claimed = await executor
    .insert(jobLedger)
    .values({ tenantId, jobId, attempts: 1, startedAt: now })
    .onConflictDoUpdate({
      target: [jobLedger.tenantId, jobLedger.jobId],
      set: { attempts: sql`${jobLedger.attempts} + 1` },
      setWhere: isNull(jobLedger.completedAt),
    })
    .returning({ jobId: jobLedger.jobId });
  return claimed.length > 0;
}

export async function completeJob(
  executor: Executor,
  tenantId: Id<"tenant">,
  jobId: string,
  now: Date,
): Promise<void> {
  await executor
    .update(jobLedger)
    .set({ completedAt: now })
    .where(and(eq(jobLedger.tenantId, tenantId), eq(jobLedger.jobId, jobId)));
}
