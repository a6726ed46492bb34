/** `gatewright`: what an operator does, one subcommand each. Code is loaded by the subcommand that needs it. */
import { type Program, runProgram } from "./cli/run.ts";

const program: Program = {
  name: "gatewright",
  description: "Gatewright, an identity server",
  commands: {
    start: {
      description: "set up all it needs, then run the server and a worker",
      load: () => import("./cli/start.ts").then((module) => module.default),
    },
    api: {
      description: "run one API process",
      load: () => import("./cli/api.ts").then((module) => module.default),
    },
    worker: {
      description: "run one worker process",
      load: () => import("./cli/worker.ts").then((module) => module.default),
    },
    migrate: {
      description: "bring the database to this version's schema",
      load: () => import("./cli/migrate.ts").then((module) => module.default),
    },
    bundle: {
      description: "put the code of the services into few files",
      load: () => import("./cli/bundle.ts").then((module) => module.default),
    },
    tenants: {
      description: "create and configure tenants",
      load: () => import("./cli/tenants.ts").then((module) => module.default),
    },
    users: {
      description: "look after users",
      load: () => import("./cli/users.ts").then((module) => module.default),
    },
    clients: {
      description: "look after clients: the applications that sign people in",
      load: () => import("./cli/clients.ts").then((module) => module.default),
    },
    keys: {
      description: "list, rotate and revoke the keys that sign tokens",
      load: () => import("./cli/keys.ts").then((module) => module.default),
    },
    "registration-tokens": {
      description: "let somebody register clients of their own",
      load: () => import("./cli/registration-tokens.ts").then((module) => module.default),
    },
    "trusted-issuers": {
      description: "whose assertions are exchanged for tokens",
      load: () => import("./cli/trusted-issuers.ts").then((module) => module.default),
    },
    organizations: {
      description: "create and list organizations, the customer companies inside a tenant",
      load: () => import("./cli/organizations.ts").then((module) => module.default),
    },
    groups: {
      description: "the roles that groups give to their members",
      load: () => import("./cli/groups.ts").then((module) => module.default),
    },
    "scim-tokens": {
      description: "let directories provision users and groups",
      load: () => import("./cli/scim-tokens.ts").then((module) => module.default),
    },
    tasks: {
      description: "list, run, pause and resume scheduled tasks",
      load: () => import("./cli/tasks.ts").then((module) => module.default),
    },
    jobs: {
      description: "list the jobs that failed, or retry them",
      load: () => import("./cli/jobs.ts").then((module) => module.default),
    },
    audit: {
      description: "prove that the audit trail is what was written",
      load: () => import("./cli/audit.ts").then((module) => module.default),
    },
    seed: {
      description: "fill the database with invented users and events, to try and to measure it",
      load: () => import("./cli/seed.ts").then((module) => module.default),
    },
    bench: {
      description: "measure it beside others on this machine",
      load: () => import("./cli/bench.ts").then((module) => module.default),
    },
    test: {
      description: "set up all it needs, then run every check and test",
      load: () => import("./cli/test.ts").then((module) => module.default),
    },
    check: {
      description: "check format, types and lint",
      load: () => import("./cli/check.ts").then((module) => module.default),
    },
    version: {
      description: "print the version",
      load: () => import("./cli/version.ts").then((module) => module.default),
    },
  },
};

const code = await runProgram(program, process.argv.slice(2));
if (code !== 0) {
  // Whatever the command had opened must not keep alive a process that does nothing.
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => stream.write("", () => resolve()));
  }
  process.exit(code);
}
