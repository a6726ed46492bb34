import { join } from "node:path";

const ROOT = join(import.meta.dir, "..", "..");

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `gatewright` of this checkout as its own process, in an environment that holds nothing but `env`. */
export function spawnCommand(args: readonly string[], env: Record<string, string> = {}) {
  return Bun.spawn([process.execPath, "--no-env-file", join(ROOT, "src", "cli.ts"), ...args], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

export async function runCommandLine(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<CommandResult> {
  const child = spawnCommand(args, env);
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}
