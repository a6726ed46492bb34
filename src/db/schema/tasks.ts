import { sql } from "drizzle-orm";
import {
  boolean,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { id, instant } from "../columns.ts";
import { tenants } from "./tenants.ts";

/**
 * What is to be done at which times. Those of the whole installation are rows of the default tenant, which cannot be
 * removed: so every row has an owner, and its audit trail.
 */
export const scheduledTasks = pgTable(
  "scheduled_tasks",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("task", "id").notNull(),
    scope: text("scope").$type<"installation" | "tenant">().notNull(),
    /** Of `domain/tasks/catalogue.ts`; another build may know kinds that this one does not. */
    kind: text("kind").notNull(),
    builtIn: boolean("built_in").notNull(),
    /** What its administrator calls it; null for a built-in one, which is called as its kind is. */
    name: text("name"),
    cron: text("cron").notNull(),
    /** IANA. */
    timeZone: text("time_zone").notNull(),
    parameters: jsonb("parameters").$type<Record<string, unknown>>().notNull().default({}),
    pausedAt: instant("paused_at"),
    /** The earliest moment that nothing has come of yet; null when there is none to come. */
    nextRunAt: instant("next_run_at"),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex("scheduled_tasks_built_in")
      .on(table.tenantId, table.kind)
      .where(sql`built_in`),
    index("scheduled_tasks_due")
      .on(table.nextRunAt)
      .where(sql`paused_at is null`),
    index("scheduled_tasks_installation")
      .on(table.createdAt)
      .where(sql`scope = 'installation'`),
  ],
);

/** What came of the moments at which something was due, and of the runs that somebody asked for. */
export const taskRuns = pgTable(
  "task_runs",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("taskRun", "id").notNull(),
    taskId: id("task", "task_id").notNull(),
    trigger: text("trigger").$type<"schedule" | "catch_up" | "manual" | "retry">().notNull(),
    outcome: text("outcome")
      .$type<"queued" | "running" | "succeeded" | "failed" | "lost" | "missed" | "skipped">()
      .notNull(),
    /** How often the same work was begun, this run included. */
    attempt: integer("attempt").notNull().default(1),
    /** The moment that it is for; of several that were missed or skipped, the first. */
    dueAt: instant("due_at").notNull(),
    startedAt: instant("started_at"),
    finishedAt: instant("finished_at"),
    /**
     * By the database's own time. While it runs: when it counts as lost, unless its worker says before that it lives.
     * While it waits: when it is put on the queue once more.
     */
    leaseUntil: instant("lease_until"),
    /** When it is done again, after it failed or was lost. */
    retryAt: instant("retry_at"),
    /** What it did; for what was missed or skipped, how many moments. */
    counts: jsonb("counts").$type<Record<string, number>>().notNull().default({}),
    /** Why it failed, without anybody's data. */
    error: text("error"),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({
      columns: [table.tenantId, table.taskId],
      foreignColumns: [scheduledTasks.tenantId, scheduledTasks.id],
    }).onDelete("cascade"),
    // What keeps a task from running twice at the same time, whoever started it.
    uniqueIndex("task_runs_active")
      .on(table.tenantId, table.taskId)
      .where(sql`outcome in ('queued', 'running')`),
    index("task_runs_task").on(table.tenantId, table.taskId, table.createdAt, table.id),
    index("task_runs_lease")
      .on(table.leaseUntil)
      .where(sql`outcome in ('queued', 'running')`),
    index("task_runs_retry")
      .on(table.retryAt)
      .where(sql`retry_at is not null`),
  ],
);
