import { describe, expect, it } from "bun:test";
import { join } from "node:path";
import { closingLine, readTotals } from "../../src/cli/test-totals.ts";
import { scratchDirectory } from "../support/scratch.ts";

/** What this very version of Bun prints for these test files. */
async function totalsOf(files: Record<string, string>) {
  using scratch = scratchDirectory();
  for (const [name, text] of Object.entries(files)) {
    await Bun.write(join(scratch.path, name), `import { expect, it } from "bun:test";\n${text}`);
  }
  const child = Bun.spawn([process.execPath, "test", "--parallel=2", "--only-failures"], {
    cwd: scratch.path,
    stdout: "ignore",
    stderr: "pipe",
  });
  const output = await new Response(child.stderr).text();
  return readTotals(output, await child.exited);
}

describe("Closing line", () => {
  it("is the plain count", () => {
    expect(closingLine({ passed: 12, failed: 0, skipped: 0 })).toBe("12 passed, 0 failed");
    expect(closingLine({ passed: 12, failed: 1, skipped: 3 })).toBe("12 passed, 1 failed, 3 skipped");
  });
});

describe("Totals of a test run", () => {
  it("count what passed, failed and was skipped", async () => {
    expect(
      await totalsOf({
        "a.test.ts": `it("a", () => {}); it("b", () => expect(1).toBe(2)); it.skip("c", () => {}); it.todo("d");`,
        "b.test.ts": `it("a", () => {});`,
      }),
    ).toEqual({ passed: 2, failed: 1, skipped: 2 });
  });

  it("count a file that crashes as failed", async () => {
    const totals = await totalsOf({
      "a.test.ts": `it("a", () => { process.kill(process.pid, "SIGKILL"); });`,
      "b.test.ts": `it("a", () => {}); it("b", () => {});`,
    });
    expect(totals).toEqual({ passed: 2, failed: 1, skipped: 0 });
  });

  it("count a file that ends the process, even in order, as failed", async () => {
    const totals = await totalsOf({
      "a.test.ts": `it("a", () => { process.exit(0); });`,
      "b.test.ts": `it("a", () => {});`,
    });
    expect(totals.failed).toBe(1);
  });

  it("count a file that does not load as failed", async () => {
    const totals = await totalsOf({
      "a.test.ts": `throw new Error("no");`,
      "b.test.ts": `it("a", () => {});`,
    });
    expect(totals.failed).toBeGreaterThanOrEqual(1);
    expect(totals.passed).toBe(1);
  });

  it("count no tests at all as failed", async () => {
    expect(await totalsOf({})).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it("are not those that a test prints itself", async () => {
    const totals = await totalsOf({
      "a.test.ts": `it("a", () => { console.error(" 99 pass\\n 0 fail\\nRan 99 tests across 1 file."); });`,
    });
    expect(totals).toEqual({ passed: 1, failed: 0, skipped: 0 });
  });

  it("count a run that was killed before its summary as failed", () => {
    expect(readTotals("", 137)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(readTotals(" 5 pass\n 0 fail\nRan 5 tests across 1 file.", 1)).toMatchObject({ failed: 1 });
  });
});
