import type { Framework } from "../reports/model.ts";
import type { Facts } from "./facts.ts";
import type { Check, Status } from "./model.ts";

/** What a check makes of the facts. */
export type Evaluate = (facts: Facts, framework: Framework) => Pick<Check, "status" | "detail" | "evidence">;

/** The first that is true counts: the worst ones come first, and the last is always true. */
export function verdict(cases: readonly (readonly [condition: boolean, status: Status, detail: string])[]): {
  status: Status;
  detail: string;
} {
  const found = cases.find(([condition]) => condition);
  if (!found) throw new Error("a check without a last case");
  return { status: found[1], detail: found[2] };
}

/** In whole percent, rounded down; of nobody it is all. */
export const share = (part: number, whole: number): number =>
  whole === 0 ? 100 : Math.floor((part / whole) * 100);
