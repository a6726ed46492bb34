/** A database with a default tenant, and what the tests of scheduled tasks look at in it. */
import { and, asc, eq } from "drizzle-orm";
import { outbox, scheduledTasks, taskRuns } from "../../../src/db/schema/index.ts";
import { createDeps, type Deps } from "../../../src/deps.ts";
import type { Administrator } from "../../../src/domain/administrators/service.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import type { RunKey } from "../../../src/domain/tasks/runs/service.ts";
import type { Id } from "../../../src/lib/ids.ts";
import { createLogger } from "../../../src/lib/log.ts";
import { createTestDatabase } from "../../support/database.ts";
import { insertTestTenant, testConfig } from "../../support/queue.ts";

export const by: Administrator = { actor: { type: "system" }, context: systemContext, superAdmin: true };

export type Run = typeof taskRuns.$inferSelect;

export interface TasksWorld {
  readonly deps: Deps;
  readonly databaseUrl: string;
  /** The default one. */
  readonly tenantId: Id<"tenant">;
  setTime(now: Date): void;
  builtIn(kind: string): Promise<typeof scheduledTasks.$inferSelect>;
  /** The oldest first. */
  runsOf(taskId: Id<"task">): Promise<Run[]>;
  /** Runs whose jobs are on their way to the queue. */
  queuedRuns(): Promise<string[]>;
  /** As if the worker of a run had not been heard of for longer than its lease. */
  loseLease(key: RunKey): Promise<void>;
  stop(): Promise<void>;
}

export async function createTasksWorld(): Promise<TasksWorld> {
  const database = await createTestDatabase();
  let now = new Date("2031-05-20T12:00:00Z");
  const deps = await createDeps(testConfig({ DATABASE_URL: database.url }), {
    process: "worker",
    clock: { now: () => now },
    log: createLogger({ level: "silent", name: "test" }),
  });
  const tenantId = await insertTestTenant(deps.db, { isDefault: true });
  return {
    deps,
    databaseUrl: database.url,
    tenantId,
    setTime(time) {
      now = time;
    },
    async builtIn(kind) {
      const [task] = await deps.db
        .select()
        .from(scheduledTasks)
        .where(
          and(
            eq(scheduledTasks.tenantId, tenantId),
            eq(scheduledTasks.kind, kind),
            eq(scheduledTasks.builtIn, true),
          ),
        );
      if (!task) throw new Error(`there is no built-in task ${kind}`);
      return task;
    },
    runsOf: (taskId) =>
      deps.db.select().from(taskRuns).where(eq(taskRuns.taskId, taskId)).orderBy(asc(taskRuns.id)),
    async queuedRuns() {
      const rows = await deps.db.select().from(outbox).where(eq(outbox.queue, "tasks"));
      return rows.map(({ payload }) => String(payload["run_id"]));
    },
    async loseLease({ tenantId: of, id }) {
      await deps.db
        .update(taskRuns)
        .set({ leaseUntil: new Date("2000-01-01T00:00:00Z") })
        .where(and(eq(taskRuns.tenantId, of), eq(taskRuns.id, id)));
    },
    async stop() {
      await deps.close();
      await database.drop();
    },
  };
}
