import { defineCommand } from "citty";

export default defineCommand({
  meta: {
    description:
      "Sets up all it needs (PostgreSQL, secrets, schema, first administrator), then runs the server and a worker until Ctrl-C",
  },
  // the settings are environment variables: .env.example lists them
  run: async () => {
    const { start } = await import("./installation.ts");
    await start();
  },
});
