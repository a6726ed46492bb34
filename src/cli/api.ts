import { defineCommand } from "citty";
import { checkDatabase } from "./database-check.ts";
import { claimPort } from "./port.ts";
import { completeEnvironment, runService } from "./service.ts";
import { withDatabaseEnvironment } from "./support.ts";

export default defineCommand({
  meta: {
    description:
      "Runs one API process on a database that is migrated (gatewright migrate); stops on SIGTERM or SIGINT",
  },
  run: () =>
    runService(async () => {
      const [config, { startServer }] = await Promise.all([
        completeEnvironment().then(withDatabaseEnvironment),
        import("../server.ts"),
      ]);
      // Several processes share the port, and `start` has checked it before it starts them.
      if (config.webConcurrency === 1 && process.send === undefined)
        await claimPort(config.host, config.port);
      await checkDatabase(config.databaseUrl, { migrated: true });
      return startServer(config);
    }),
});
