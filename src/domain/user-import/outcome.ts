/** What became of the rows of an import. */
import type { ImportError } from "./repo.ts";

export interface Outcome {
  created: number;
  updated: number;
  skipped: number;
  failed: number;
  readonly errors: ImportError[];
}

export const noOutcome = (): Outcome => ({ created: 0, updated: 0, skipped: 0, failed: 0, errors: [] });

/** Of one row: a row can name hundreds of roles and groups that there are none of. */
const MOST_PROBLEMS = 20;

/** Adds what is wrong with a row. */
export function fail(
  outcome: Outcome,
  row: number,
  problems: readonly { field: string; message: string }[],
): void {
  outcome.failed++;
  for (const [number, { field, message }] of problems.slice(0, MOST_PROBLEMS).entries())
    outcome.errors.push({ row, number, field, reason: message });
}

/** A statement of PostgreSQL takes 65,535 parameters, and a row of ours some ten at most. */
const SLICE = 5000;

/** The same, in as many parts as statements are needed to write them. */
export function* slices<Row>(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let at = 0; at < rows.length; at += SLICE) yield rows.slice(at, at + SLICE);
}
