/** What was measured, for people, for machines and for the README. */
import type { Measurement } from "./measure.ts";
import type { StartResult } from "./start.ts";

export interface CaseReport {
  readonly name: string;
  readonly title: string;
  readonly measurements: readonly Measurement[];
  /** The bare thing that it cannot be quicker than. */
  readonly limit?: Measurement | undefined;
}

export interface Report {
  readonly machine: string;
  readonly generator: string;
  readonly cases: readonly CaseReport[];
  readonly start?: StartResult | undefined;
}

const OURS = "Gatewright";

const number = (value: number | undefined, digits = 0) =>
  value === undefined || !Number.isFinite(value)
    ? ""
    : value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
/** Two significant digits at least, since some take microseconds. */
const ms = (value: number | undefined) => number(value, value !== undefined && value < 1 ? 3 : 2);

/** How many times as much our requests a second are, where there is another to compare with. */
export function ratiosOf({ measurements, limit }: CaseReport): Record<string, number> {
  const ours = measurements.find(({ name }) => name === OURS);
  if (!ours) return {};
  const others = [...measurements.filter((one) => one !== ours), ...(limit ? [limit] : [])];
  return Object.fromEntries(others.map(({ name, perSecond }) => [name, ours.perSecond / perSecond]));
}

const COLUMNS = ["", "requests/s", "p50 ms", "p99 ms", "CPU ms", "of its database", "MB", "ours is"];

function rowOf(measurement: Measurement, ratio: number | undefined): string[] {
  const { name, perSecond, p50Ms, p99Ms, cpuMs, databaseCpuMs, residentMb } = measurement;
  return [
    name,
    number(perSecond, perSecond < 100 ? 1 : 0),
    ms(p50Ms),
    ms(p99Ms),
    ms(cpuMs),
    ms(databaseCpuMs),
    number(residentMb),
    ratio === undefined ? "" : `${ratio.toFixed(2)} x`,
  ];
}

/** One case as lines of a table of fixed width. */
export function caseText(report: CaseReport): string {
  const ratios = ratiosOf(report);
  const all = [
    ...report.measurements,
    ...(report.limit ? [{ ...report.limit, name: `bare ${report.limit.name}` }] : []),
  ];
  const rows = [
    COLUMNS,
    ...all.map((one) => rowOf(one, ratios[one.name] ?? ratios[one.name.replace(/^bare /, "")])),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  "),
  );
  const steal = Math.max(...all.map((one) => one.steal));
  const stolen = `processors taken away meanwhile: ${(steal * 100).toFixed(1)} % at most`;
  return [`${report.name}: ${report.title}`, ...lines, stolen].join("\n");
}

export function startText({ readyMs, apiMb, workerMb }: StartResult): string {
  const times = readyMs.map((time) => `${number(time)} ms`).join(", ");
  return `start: ready after ${times}; at rest the API takes ${number(apiMb)} MB, the worker ${number(workerMb)} MB`;
}

const BEGIN = "<!-- written by `gatewright bench --write-readme`: begin -->";
const END = "<!-- written by `gatewright bench --write-readme`: end -->";

/**
 * Puts the table in its place in a README.
 * @throws Error when the README has no such place
 */
export function withTable(readme: string, report: Report): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the README has no place for it: ${BEGIN} and ${END}`);
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${markdown(report)}\n\n${readme.slice(end)}`;
}

function markdown(report: Report): string {
  const header = ["case", "server", ...COLUMNS.slice(1)];
  const body = report.cases.flatMap((one) => {
    const ratios = ratiosOf(one);
    return [...one.measurements, ...(one.limit ? [one.limit] : [])].map((measurement, index) => {
      const bare = measurement === one.limit;
      const [name = "", ...cells] = rowOf(measurement, ratios[measurement.name]);
      return [index === 0 ? one.title : "", bare ? `_bare ${name}_` : name, ...cells];
    });
  });
  const alignment = header.map((_, column) => (column < 2 ? "---" : "---:"));
  return [
    `${report.machine}; load from ${report.generator} on the same machine.${report.start ? ` ${startText(report.start).replace("start: r", "R")}.` : ""}`,
    "",
    ...[header, alignment, ...body].map(line),
    "",
    ...budgets(report),
  ].join("\n");
}

const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

/** By which to plan: how many requests a second use up one core of an API process, and one of PostgreSQL. */
function budgets({ cases }: Report): string[] {
  // Of less nothing can be said: it is what the database does by itself.
  const perCore = (cpuMs: number | undefined) => number(cpuMs && cpuMs > 0.005 ? 1000 / cpuMs : undefined);
  const rows = cases.flatMap(({ title, measurements }) => {
    const ours = measurements.find(({ name }) => name === OURS);
    return ours ? [[title, perCore(ours.cpuMs), perCore(ours.databaseCpuMs)]] : [];
  });
  if (rows.length === 0) return [];
  return [
    "So many requests a second use up one core:",
    "",
    ...[["case", "of an API process", "of PostgreSQL"], ["---", "---:", "---:"], ...rows].map(line),
  ];
}
