/** A worker's half of a run: from its row to what it does. */
import type { Deps } from "../../deps.ts";
import { kindOf } from "./catalogue.ts";
import type { TaskKind } from "./kind.ts";
import * as repo from "./repo.ts";
import { claim, LEASE_SECONDS, performRun as perform, type RunKey, type TaskRun } from "./runs/service.ts";

export interface Claimed {
  readonly run: TaskRun;
  readonly kind: TaskKind;
  readonly parameters: Record<string, unknown>;
}

/**
 * Takes a run that waits.
 * @returns undefined when somebody else has it, or had it
 * @throws Error when it is of a kind that this build does not know: it goes on waiting for one that does
 */
export function claimRun(deps: Deps, key: RunKey): Promise<Claimed | undefined> {
  return deps.db.transaction(async (tx) => {
    const run = await claim(tx, key, deps.clock.now(), LEASE_SECONDS);
    const task = run && (await repo.findTask(tx, { tenantId: run.tenantId, id: run.taskId }));
    if (!run || !task) return undefined;
    const kind = kindOf(task.kind);
    if (!kind) throw new Error(`this build knows no task of the kind ${task.kind}`);
    return { run, kind, parameters: task.parameters };
  });
}

/** Does it, and records what came of it. Does not throw because of what the task does. */
export function performRun(deps: Deps, { run, kind, parameters }: Claimed): Promise<void> {
  return perform(deps, run, kind, parameters);
}
