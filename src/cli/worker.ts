import { setPriority } from "node:os";
import { defineCommand } from "citty";
import { readEnvironment } from "../config.ts";
import { checkDatabase } from "./database-check.ts";
import { runService } from "./service.ts";
import { withDatabaseEnvironment } from "./support.ts";

/** Of a process, from -20 to 19; others have 0. Where all want the processor, this one gets a tenth of what they get. */
const NICENESS = 10;

export default defineCommand({
  meta: {
    description:
      "Runs one worker process (mail, webhooks, schedules) on a migrated database; stops on SIGTERM or SIGINT",
  },
  run: () =>
    runService(async () => {
      // People wait for what an API process does, its start included, and for reports and imports nobody does. Tests wait for
      // both.
      if (readEnvironment()["NODE_ENV"] !== "test") setPriority(NICENESS);
      const [config, { startWorker }] = await Promise.all([
        withDatabaseEnvironment(),
        import("../../workers/main.ts"),
      ]);
      await checkDatabase(config.databaseUrl, { migrated: true });
      return startWorker(config);
    }),
});
