/** The queue `users`. */
import type { Deps } from "../../src/deps.ts";
import { failExport, makeExport } from "../../src/domain/user-export/making.ts";
import { giveUpImport, runImport } from "../../src/domain/user-import/working.ts";
import { isId } from "../../src/lib/ids.ts";
import { PermanentJobError } from "../../src/queue/job-error.ts";
import type { JobProcessor } from "../../src/queue/worker-handle.ts";
import { createTenantProcessor, type OutsideEffect } from "../processor.ts";

/**
 * Outside of the jobs' transactions, since each may take minutes: an import notes with each batch how far it is and goes on
 * there, an export writes its file anew and whole.
 */
export function createUsersProcessor(deps: Deps): JobProcessor {
  return createTenantProcessor(deps, "users", {
    async import({ tenantId, payload: { import_id: id }, isLastAttempt }) {
      if (!isId("userImport", id)) throw new PermanentJobError("the job names no import");
      const giveUp = () => giveUpImport(deps, tenantId, id);
      return attempt(() => runImport(deps, tenantId, id), isLastAttempt ? giveUp : undefined);
    },
    async export({ tenantId, payload: { export_id: id }, isLastAttempt }) {
      if (!isId("userExport", id)) throw new PermanentJobError("the job names no export");
      const giveUp = () => failExport(deps, tenantId, id);
      return attempt(() => makeExport(deps, tenantId, id), isLastAttempt ? giveUp : undefined);
    },
  });
}

/** @param giveUp what is left to do when nobody tries again */
function attempt(work: () => Promise<void>, giveUp: (() => Promise<void>) | undefined): OutsideEffect {
  return async () => {
    try {
      await work();
    } catch (error) {
      await giveUp?.();
      throw error;
    }
  };
}
