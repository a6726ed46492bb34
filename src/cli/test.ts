import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineCommand } from "citty";
import { readEnvironment, variables } from "../config.ts";
import { createLogger } from "../lib/log.ts";
import { projectRoot } from "../lib/project-root.ts";
import { runChecks } from "./check.ts";
import { closingLine, readTotals, type Totals } from "./test-totals.ts";
import { startTestEnvironment, type TestEnvironment } from "./test-environment.ts";

/** Of one test; a loaded machine may take long for a browser or a new database. */
const TEST_TIMEOUT_MS = 30_000;

export default defineCommand({
  meta: { description: "Sets up all the tests need, runs every check and test, and ends with the counts" },
  args: {
    files: {
      type: "positional",
      required: false,
      valueHint: "...",
      description: "files, or parts of their names; all tests without",
    },
    "test-name-pattern": {
      type: "string",
      alias: "t",
      description: "run only tests whose name matches this",
    },
    checks: {
      type: "boolean",
      default: true,
      description: "check format, types and lint",
      negativeDescription: "run tests only",
    },
  },
  run: async ({ args }) => {
    const pattern = args["test-name-pattern"];
    const failedChecks = args.checks ? await runChecks() : [];
    const totals = await runTests([...(pattern ? ["--test-name-pattern", pattern] : []), ...args._]);
    const failed = totals.failed + failedChecks.length;
    console.log(closingLine({ ...totals, failed }));
    process.exit(failed > 0 ? 1 : 0);
  },
});

async function runTests(args: string[]): Promise<Totals> {
  const log = createLogger({ level: "warn", name: "test" });
  let child: Bun.Subprocess | undefined;
  let environment: TestEnvironment | undefined;
  let interrupted = false;
  // Ctrl-C reaches bun test itself; what was started here must still be stopped
  const interrupt = () => {
    interrupted = true;
    child?.kill();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
  try {
    environment = await startTestEnvironment(join(projectRoot, ".test"), log);
    for (const line of environment.skipped) console.log(line);
    if (interrupted) return { passed: 0, failed: 1, skipped: 0 };
    const { output, exitCode } = await bunTest(args, environment, (started) => (child = started));
    return readTotals(output, interrupted ? 1 : exitCode);
  } finally {
    await environment?.stop();
  }
}

/** Each test file in a process of its own, in an environment without the operator's settings. */
async function bunTest(
  args: string[],
  environment: TestEnvironment,
  started: (child: Bun.Subprocess) => void,
) {
  const settings = new Set(Object.keys(variables));
  const inherited = Object.entries(readEnvironment()).filter(([name]) => !settings.has(name));
  const child = Bun.spawn(
    [
      process.execPath,
      "test",
      "--no-env-file",
      `--parallel=${availableParallelism()}`,
      `--timeout=${TEST_TIMEOUT_MS}`,
      "--only-failures",
      ...args,
    ],
    {
      cwd: projectRoot,
      env: { ...Object.fromEntries(inherited), ...environment.variables, NODE_ENV: "test" },
      stdin: "ignore",
      stdout: "inherit",
      stderr: "pipe",
    },
  );
  started(child);
  let output = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stderr) {
    process.stderr.write(chunk);
    output += decoder.decode(chunk, { stream: true });
  }
  return { output, exitCode: await child.exited };
}
