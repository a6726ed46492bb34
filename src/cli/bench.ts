import { join } from "node:path";
import { defineCommand } from "citty";
import { projectRoot } from "../lib/project-root.ts";
import { fail, wholeNumber } from "./support.ts";

const MAIN = join(projectRoot, "bench", "main.ts");

export default defineCommand({
  meta: {
    description:
      "Measures this server beside others on this machine: requests a second, times, processor time and memory. The others are installed on first use",
  },
  args: {
    case: {
      type: "positional",
      required: false,
      valueHint: "case...",
      description:
        "token, introspect, userinfo, refresh, code, login, session, discovery, jwks, admin-list, scim-filter, enqueue, drain or start (default: all of them)",
    },
    seconds: { type: "string", description: "how long a round takes (default: 5)" },
    rounds: {
      type: "string",
      description: "how many rounds each gets, in turn with the others (default: 3)",
    },
    processes: { type: "string", description: "how many API processes share the port (default: 1)" },
    alone: { type: "boolean", description: "without the other servers" },
    json: { type: "boolean", description: "print JSON" },
    "write-readme": { type: "boolean", description: "put the table into README.md" },
  },
  run: async ({ args, rawArgs }) => {
    for (const [option, maximum] of [
      ["seconds", 600],
      ["rounds", 100],
      ["processes", 64],
    ] as const) {
      const value = args[option];
      if (value !== undefined) wholeNumber(value, option, { minimum: 1, maximum });
    }
    if (!(await Bun.file(MAIN).exists())) fail("the bench is not part of this installation");
    const child = Bun.spawn([process.execPath, MAIN, ...rawArgs], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    // Ctrl-C reaches it too; it stops what it started.
    process.on("SIGINT", () => {});
    const code = await child.exited;
    if (code !== 0) process.exit(code);
  },
});
