import { join } from "node:path";
import { defineCommand } from "citty";
import { projectRoot } from "../lib/project-root.ts";
import { fail } from "./support.ts";

const BUN = process.execPath;

/** What a change has to pass before its tests are worth running, quickest first. */
const STEPS: readonly { name: string; command: string[]; mend: string }[] = [
  { name: "wrapper", command: ["sh", "-n", "gatewright"], mend: "correct its shell syntax" },
  { name: "format", command: [BUN, "fmt", "--check"], mend: "run `bun fmt`" },
  { name: "types", command: [BUN, "check"], mend: "correct the types" },
  {
    name: "lint",
    command: [BUN, join("node_modules", "oxlint", "bin", "oxlint"), "--deny-warnings"],
    mend: "correct what it names",
  },
];

/**
 * Runs every step, also after one failed, and prints a line for each.
 *
 * @returns the names of the steps that failed
 */
export async function runChecks(): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, command, mend } of STEPS) {
    const startedAt = performance.now();
    const child = Bun.spawn(command, { cwd: projectRoot, stdout: "pipe", stderr: "pipe", stdin: "ignore" });
    const [output, errors, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    if (code === 0) {
      console.log(`check ${name}: ok (${seconds} s)`);
      continue;
    }
    failed.push(name);
    console.log(
      `check ${name}: FAILED, ${mend}\n${[output.trim(), errors.trim()].filter(Boolean).join("\n")}`,
    );
  }
  return failed;
}

export default defineCommand({
  meta: { description: "Checks format, types and lint" },
  run: async () => {
    const failed = await runChecks();
    if (failed.length > 0) fail(`failed: ${failed.join(", ")}`);
  },
});
