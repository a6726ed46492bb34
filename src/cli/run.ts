/**
 * Runs a command line. Commands are citty's; what it does not do is done here: unknown options and superfluous
 * arguments are errors, every error is one line, and a subcommand's code is loaded only when that one is used.
 *
 * An option or a positional argument whose `valueHint` ends in `...` may be given several times (`valuesOf`).
 */
import { type ArgsDef, renderUsage, runCommand, type SubCommandsDef } from "citty";
import { AppError } from "../lib/errors.ts";
import { ConfigError } from "../lib/config-error.ts";
import { serializeError } from "../lib/log.ts";
import { CliError, fail } from "./support.ts";

export interface Program {
  readonly name: string;
  readonly description: string;
  /** By name, in the order in which help lists them. */
  readonly commands: Readonly<Record<string, ProgramCommand>>;
}

export interface ProgramCommand {
  readonly description: string;
  readonly load: () => Promise<Command>;
}

/** A command of any arguments, as citty types it in a list of subcommands. */
type Command = Exclude<Awaited<SubCommandsDef[string]>, (...args: never) => unknown>;

/** @returns the process's exit code: 0, or 1 when something is wrong, having said so on standard error. */
export async function runProgram(program: Program, rawArgs: readonly string[]): Promise<number> {
  try {
    const [name, ...rest] = rawArgs;
    if (name === undefined || name === "--help" || name === "-h" || name === "help") {
      print(programUsage(program));
      return name === undefined ? 1 : 0;
    }
    const command = Object.hasOwn(program.commands, name) ? program.commands[name] : undefined;
    if (!command) fail(`unknown command "${printable(name)}" (${program.name} --help lists them)`);
    await runLeaf(await command.load(), [program.name, name], rest);
    return 0;
  } catch (error) {
    for (const line of await errorLines(error)) console.error(`${program.name}: ${line}`);
    return 1;
  }
}

async function runLeaf(command: Command, path: string[], rawArgs: string[]): Promise<void> {
  const named = { ...command, meta: { ...(await resolved(command.meta)), name: path.join(" ") } };
  const subCommands = await resolved(command.subCommands);
  const [first, ...rest] = rawArgs;
  if (subCommands && first !== undefined && !first.startsWith("-")) {
    const sub = Object.hasOwn(subCommands, first) ? await resolved(subCommands[first]) : undefined;
    if (!sub)
      fail(
        `unknown command "${[...path.slice(1), printable(first)].join(" ")}" (${path.join(" ")} --help lists them)`,
      );
    return runLeaf(sub, [...path, first], rest);
  }
  if (asksForHelp(rawArgs)) return print(await renderUsage(named));
  if (subCommands) {
    const names = Object.keys(subCommands).join(", ");
    fail(`which one? ${path.join(" ")} needs one of: ${names}`);
  }
  checkArguments((await resolved(command.args)) ?? {}, rawArgs, path.join(" "));
  await runCommand(named, { rawArgs });
}

function asksForHelp(rawArgs: readonly string[]): boolean {
  const end = rawArgs.indexOf("--");
  return (end < 0 ? rawArgs : rawArgs.slice(0, end)).some(
    (argument) => argument === "--help" || argument === "-h",
  );
}

/** @throws CliError on what the command does not declare; citty itself would let it pass. */
function checkArguments(declared: ArgsDef, rawArgs: readonly string[], commandName: string): void {
  const see = `(${commandName} --help)`;
  const positionals = Object.values(declared).filter(({ type }) => type === "positional");
  const seen = new Set<string>();
  let positionalCount = 0;
  for (let index = 0; index < rawArgs.length; index++) {
    const argument = rawArgs[index] ?? "";
    if (argument === "--") break;
    if (!argument.startsWith("-") || argument === "-") {
      positionalCount++;
      const spare = positionalCount > positionals.length && !positionals.at(-1)?.valueHint?.endsWith("...");
      if (spare) fail(`unexpected argument "${printable(argument)}" ${see}`);
      continue;
    }
    const [flag = "", value] = argument.includes("=") ? splitOnce(argument, "=") : [argument];
    const found = findOption(declared, flag);
    if (!found) fail(`unknown option ${printable(flag)} ${see}`);
    const [name, definition] = found;
    if (seen.has(name) && !definition.valueHint?.endsWith("...")) fail(`--${name} is given twice ${see}`);
    seen.add(name);
    if (definition.type === "boolean") {
      if (value !== undefined) fail(`--${name} takes no value ${see}`);
      continue;
    }
    if (value === undefined) index++;
    const given = value ?? rawArgs[index];
    if (!given || (value === undefined && given.startsWith("--"))) fail(`--${name} needs a value ${see}`);
  }
}

function findOption(declared: ArgsDef, flag: string) {
  return Object.entries(declared).find(([name, definition]) => {
    if (definition.type === "positional") return false;
    const aliases = "alias" in definition ? [definition.alias ?? []].flat() : [];
    if (
      flag === `--${name}` ||
      aliases.some((alias) => flag === `${alias.length === 1 ? "-" : "--"}${alias}`)
    )
      return true;
    return definition.type === "boolean" && flag === `--no-${name}`;
  });
}

function programUsage({ name, description, commands }: Program): string {
  const width = Math.max(...Object.keys(commands).map((command) => command.length));
  const lines = Object.entries(commands).map(
    ([command, entry]) => `  ${command.padEnd(width)}  ${entry.description}`,
  );
  return [
    description,
    "",
    `Usage: ${name} <command> [options]`,
    "",
    ...lines,
    "",
    `${name} <command> --help says more.`,
  ].join("\n");
}

/** What to tell the operator: known problems by their text alone, anything else with its stack. */
async function errorLines(error: unknown): Promise<string[]> {
  if (error instanceof ConfigError) return [...error.problems];
  if (error instanceof AppError) {
    return [error.message, ...(error.details ?? []).map(({ field, message }) => `${field}: ${message}`)];
  }
  if (error instanceof CliError) return [error.message];
  const refusal = await databaseRefusal(error);
  if (refusal) return [...refusal.problems];
  // citty does not export its error class
  if (error instanceof Error && error.name === "CLIError") return [Bun.stripANSI(error.message)];
  const { type, message, code, stack } = serializeError(error);
  return [`unexpected error: ${[stack ?? `${type} ${message}`, code].filter(Boolean).join(" ")}`];
}

/** What the database says of connections, users and rights is the operator's to mend, whenever it says it. */
async function databaseRefusal(error: unknown): Promise<ConfigError | undefined> {
  const { readEnvironment } = await import("../config.ts");
  const { describeDatabaseRefusal } = await import("../db/database-problem.ts");
  return describeDatabaseRefusal(error, readEnvironment()["DATABASE_URL"] ?? "");
}

function print(text: string): void {
  console.log(process.stdout.isTTY ? text : Bun.stripANSI(text));
}

/** What somebody typed, safe to show on a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 80);
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + separator.length)];
}

function resolved<T extends object>(
  value: T | Promise<T> | (() => T) | (() => Promise<T>) | undefined,
): T | Promise<T> | undefined {
  return typeof value === "function" ? value() : value;
}
