import { defineCommand } from "citty";
import { checkDatabase } from "./database-check.ts";
import { runService } from "./service.ts";
import { withDatabaseEnvironment } from "./support.ts";

export default defineCommand({
  meta: {
    description:
      "Runs one API process on a database that is migrated (gatewright migrate); stops on SIGTERM or SIGINT",
  },
  run: () =>
    runService(async () => {
      const [config, { startServer }] = await Promise.all([
        withDatabaseEnvironment(),
        import("../server.ts"),
      ]);
      await checkDatabase(config.databaseUrl);
      return startServer(config);
    }),
});
