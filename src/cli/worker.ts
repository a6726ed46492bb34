import { defineCommand } from "citty";
import { checkDatabase } from "./database-check.ts";
import { runService } from "./service.ts";
import { withDatabaseEnvironment } from "./support.ts";

export default defineCommand({
  meta: {
    description:
      "Runs one worker process (mail, webhooks, schedules) on a migrated database; stops on SIGTERM or SIGINT",
  },
  run: () =>
    runService(async () => {
      const [config, { startWorker }] = await Promise.all([
        withDatabaseEnvironment(),
        import("../../workers/main.ts"),
      ]);
      await checkDatabase(config.databaseUrl, { migrated: true });
      return startWorker(config);
    }),
});
