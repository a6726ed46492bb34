/** What a kind of task is. The kinds themselves: `catalogue.ts`. */
import { type Static, type TObject, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import type { FieldError } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";

export type TaskScope = "installation" | "tenant";

export interface TaskJob<Parameters> {
  /** Whose task it is; of the installation's, the default tenant. */
  readonly tenantId: Id<"tenant">;
  readonly parameters: Parameters;
  /** Aborted when the run is no longer this worker's: another one may have begun it again. */
  readonly signal: AbortSignal;
}

export interface TaskResult {
  /** What it did, in numbers. */
  readonly counts: Record<string, number>;
  /** What is to be done exactly once: in the transaction that ends the run. */
  readonly finish?: (tx: Executor) => Promise<void>;
}

interface Described {
  /** Stable: rows name it. */
  readonly kind: string;
  readonly name: string;
  /** What it does, for who decides whether to run it. */
  readonly description: string;
  /** Whose data it works on. Only who administers every tenant sees those of the whole installation. */
  readonly scope: TaskScope;
  /** When it is done unless somebody says otherwise, in UTC. */
  readonly cron: string;
  /** Whether every installation, or every tenant, has one from the start. */
  readonly builtIn: boolean;
}

export interface TaskKind extends Described {
  /** What can be chosen, each with a default or optional: a JSON schema. */
  readonly parameters: TObject;
  /** Safe to repeat: a run whose worker was killed is begun again. */
  run(deps: Deps, job: TaskJob<unknown>): Promise<TaskResult>;
}

/** A kind without parameters: `run` is all that there is to say. */
export function simpleKind(
  description: Described,
  run: (deps: Deps, job: TaskJob<unknown>) => Promise<Record<string, number>>,
): TaskKind {
  const parameters = Type.Object({}, { additionalProperties: false });
  return { ...description, parameters, run: async (deps, job) => ({ counts: await run(deps, job) }) };
}

/** A kind whose work depends on what somebody chose. */
export function kindWith<Parameters extends TObject>(
  description: Described,
  parameters: Parameters,
  run: (deps: Deps, job: TaskJob<Static<Parameters>>) => Promise<TaskResult>,
): TaskKind {
  return {
    ...description,
    parameters,
    async run(deps, { parameters: given, ...job }) {
      if (!Value.Check(parameters, given)) throw new Error("the task's parameters are none of its kind");
      return run(deps, { ...job, parameters: given });
    },
  };
}

/** What was given, with the kind's defaults for the rest; or what is wrong with it. */
export function readParameters(
  { parameters: schema }: TaskKind,
  given: Record<string, unknown>,
): { parameters: Record<string, unknown> } | { errors: FieldError[] } {
  const parameters: unknown = Value.Default(schema, structuredClone(given));
  if (isRecord(parameters) && Value.Check(schema, parameters)) return { parameters };
  const errors = [...Value.Errors(schema, parameters)].map(({ path, message }) => {
    const names = path.split("/").slice(1);
    // A name that somebody made up is not repeated to them.
    return names.every((name) => Object.hasOwn(schema.properties, name))
      ? { field: ["parameters", ...names].join("."), message }
      : { field: "parameters", message: "holds what this kind does not take" };
  });
  // One for each field: the first says enough.
  return { errors: errors.filter(({ field }, at) => errors.findIndex((one) => one.field === field) === at) };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
