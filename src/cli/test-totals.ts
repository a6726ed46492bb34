/** What `bun test` counted, read from the summary it ends with. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const LINE = /^\s*(\d+) (pass|fail|skip|todo|error)s?$/;

/**
 * @param output what `bun test` wrote to standard error
 * @param exitCode a run that failed without a failing test (a crash, no tests at all) counts as one failure
 */
export function readTotals(output: string, exitCode: number): Totals {
  const counted = { pass: 0, fail: 0, skip: 0, todo: 0, error: 0 };
  const lines = Bun.stripANSI(output).trimEnd().split("\n");
  const end = lines.findLastIndex((line) => line.startsWith("Ran "));
  // the summary is the run of counts above the line "Ran 7 tests across 4 files."; a test may print such lines too
  for (let index = end - 1; index >= 0; index--) {
    const line = lines[index] ?? "";
    const [, count, kind] = LINE.exec(line) ?? [];
    if (kind === "pass" || kind === "fail" || kind === "skip" || kind === "todo" || kind === "error") {
      counted[kind] = Number(count);
    } else if (!/expect\(\) calls|^\s*\d+ snapshots|filtered out/.test(line)) break;
  }
  const failed = Math.max(counted.fail, counted.error);
  const sound = end >= 0 && exitCode === 0 && counted.pass + failed > 0;
  return {
    passed: counted.pass,
    failed: failed === 0 && !sound ? 1 : failed,
    skipped: counted.skip + counted.todo,
  };
}

/** The closing line, for people and for scripts alike. */
export function closingLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
