import { describe, expect, it } from "bun:test";
import { runCommandLine } from "../support/command-line.ts";
import { scratchDirectory } from "../support/scratch.ts";

const COMMANDS = [
  ["start"],
  ["api"],
  ["worker"],
  ["migrate"],
  ["tenants"],
  ["tenants", "create"],
  ["tenants", "configure"],
  ["users"],
  ["users", "create"],
  ["users", "list"],
  ["users", "show"],
  ["users", "enable"],
  ["users", "disable"],
  ["users", "roles"],
  ["users", "reset-password"],
  ["users", "sign-out"],
  ["users", "delete"],
  ["users", "set-email"],
  ["clients"],
  ["clients", "create"],
  ["clients", "list"],
  ["clients", "show"],
  ["clients", "update"],
  ["clients", "rotate-secret"],
  ["clients", "delete"],
  ["registration-tokens"],
  ["registration-tokens", "create"],
  ["registration-tokens", "list"],
  ["registration-tokens", "delete"],
  ["trusted-issuers"],
  ["trusted-issuers", "create"],
  ["trusted-issuers", "list"],
  ["trusted-issuers", "update"],
  ["trusted-issuers", "delete"],
  ["seed"],
  ["jobs"],
  ["jobs", "list"],
  ["jobs", "retry"],
  ["test"],
  ["check"],
  ["version"],
];

describe("Command line: help", () => {
  it.concurrent.each(COMMANDS.map((path) => [path.join(" "), path] as const))(
    "%s --help",
    async (name, path) => {
      const { code, stdout, stderr } = await runCommandLine([...path, "--help"]);
      expect(stderr).toBe("");
      expect(stdout).toContain(`USAGE gatewright ${name}`);
      expect(code).toBe(0);
    },
  );

  it("lists every command", async () => {
    const { code, stdout } = await runCommandLine(["--help"]);
    for (const [name = ""] of COMMANDS) expect(stdout).toContain(`\n  ${name} `);
    expect(code).toBe(0);
  });

  it("is shown, with a failure, when no command is given", async () => {
    const { code, stdout } = await runCommandLine([]);
    expect(stdout).toContain("Usage: gatewright <command>");
    expect(code).toBe(1);
  });

  it("has no colours away from a terminal", async () => {
    const { stdout } = await runCommandLine(["test", "--help"], { TERM: "xterm-256color" });
    expect(stdout).toBe(Bun.stripANSI(stdout));
  });
});

describe("Command line: bad input", () => {
  const mistakes: [string[], string][] = [
    [["frobnicate"], 'unknown command "frobnicate"'],
    [["constructor"], 'unknown command "constructor"'],
    [["--version"], 'unknown command "--version"'],
    [["clients", "destroy"], 'unknown command "clients destroy"'],
    [["clients", "toString"], 'unknown command "clients toString"'],
    [["clients"], "clients needs one of: create"],
    [["jobs"], "jobs needs one of: list, retry"],
    [["version", "--verbose"], "unknown option --verbose"],
    [["version", "-x"], "unknown option -x"],
    [["version", "now"], 'unexpected argument "now"'],
    [["start", "--port=1"], "unknown option --port"],
    [["test", "--test-name-pattern"], "--test-name-pattern needs a value"],
    [["test", "--test-name-pattern="], "--test-name-pattern needs a value"],
    [["test", "-t", "--no-checks"], "--test-name-pattern needs a value"],
    [["test", "-t", "a", "-t", "b"], "--test-name-pattern is given twice"],
    [["test", "--checks=maybe"], "--checks takes no value"],
    [["\u001b[2J"], 'unknown command "?[2J"'],
  ];

  it.concurrent.each(mistakes)("%j is one line and a failure", async (args, expected) => {
    const { code, stdout, stderr } = await runCommandLine(args);
    expect(stderr).toContain(expected);
    expect(stderr).toStartWith("gatewright: ");
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stdout).toBe("");
    expect(code).toBe(1);
  });

  const repeated: [string[]][] = [
    [
      [
        "clients",
        "create",
        "--name",
        "x",
        "--redirect-uri",
        "https://a.example/",
        "--redirect-uri=https://b.example/",
      ],
    ],
    [["users", "create", "--email", "a@b.example", "--role", "a", "--role=b"]],
    [["tenants", "create", "--slug", "x", "--name", "x", "--domain", "a.example", "--domain=b.example"]],
  ];

  it.concurrent.each(repeated)("%j may repeat its last option", async (args) => {
    using scratch = scratchDirectory();
    const { stderr } = await runCommandLine(args, { GATEWRIGHT_DATA_DIR: scratch.path });
    expect(stderr).toStartWith("gatewright: nothing is running on ");
  });

  it("names every wrong variable, a line each, and none of their values", async () => {
    const { code, stderr } = await runCommandLine(["start"], { PORT: "zq1", LOG_LEVEL: "zq2" });
    expect(stderr).toBe(
      "gatewright: PORT must be a port number\n" +
        "gatewright: LOG_LEVEL must be fatal, error, warn, info, debug, trace or silent\n",
    );
    expect(code).toBe(1);
  });

  it("start in production makes nothing up", async () => {
    using scratch = scratchDirectory();
    const dataDir = `${scratch.path}/data`;
    const { code, stderr } = await runCommandLine(["start"], {
      NODE_ENV: "production",
      GATEWRIGHT_DATA_DIR: dataDir,
    });
    for (const name of ["PUBLIC_URL", "DATABASE_URL", "GATEWRIGHT_MASTER_KEY", "GATEWRIGHT_METRICS_TOKEN"]) {
      expect(stderr).toContain(`gatewright: ${name} `);
    }
    expect(await Bun.file(`${dataDir}/secrets.json`).exists()).toBe(false);
    expect(code).toBe(1);
  });

  it.each(["api", "worker", "migrate"])("%s without a database says where to get one", async (command) => {
    using scratch = scratchDirectory();
    const { code, stderr } = await runCommandLine([command], { GATEWRIGHT_DATA_DIR: scratch.path });
    expect(stderr).toBe(
      `gatewright: nothing is running on ${scratch.path}: start it first (gatewright start), or set DATABASE_URL\n`,
    );
    expect(code).toBe(1);
  });
});

describe("Command line: version", () => {
  it("prints those of Gatewright and of Bun", async () => {
    const { code, stdout } = await runCommandLine(["version"]);
    expect(stdout).toMatch(/^gatewright \d+\.\d+\.\d+ \(bun \d+\.\d+\.\d+\)\n$/);
    expect(code).toBe(0);
  });
});
