import { defineCommand } from "citty";
import { checkDatabase } from "./database-check.ts";
import { administratorLines } from "./summary.ts";
import { withDatabaseEnvironment } from "./support.ts";

export default defineCommand({
  meta: {
    description:
      "Brings the database to this version's schema, and makes the default tenant, its keys and the first administrator when there are none; safe to run again",
  },
  run: async () => {
    const config = await withDatabaseEnvironment();
    await checkDatabase(config.databaseUrl);
    const [{ migrateDatabase }, { bootstrap }] = await Promise.all([
      import("../db/migrate.ts"),
      import("../bootstrap.ts"),
    ]);
    await migrateDatabase(config);
    const administrator = await bootstrap(config);
    console.log("the database is up to date");
    for (const [name, value] of administratorLines(administrator)) console.log(`${name}: ${value}`);
  },
});
