/** The chart of sign-ins: a bar for each day, those that failed on top of those that succeeded. */
import type { ComplianceReport } from "./model.ts";
import type { Pdf } from "./pdf.ts";

const HEIGHT = 92;
const AXIS = 34;
const SUCCEEDED = "#2f6fb3";
const FAILED = "#c9483f";
const INK = "#1a1f2b";
const QUIET = "#5b6472";
const LINE = "#e4e7ec";
const DAY_MS = 86_400_000;
/** Narrower bars than a day's are joined, so that years of days still can be seen. */
const MOST_BARS = 120;

interface Bar {
  readonly from: string;
  readonly succeeded: number;
  readonly failed: number;
}

export function drawSignIns(
  pdf: Pdf,
  report: ComplianceReport,
  { left, width }: { left: number; width: number },
): void {
  pdf.font("bold").fontSize(12).fillColor(INK).text("Sign-ins by day", left, pdf.y);
  drawLegend(pdf, left + width);
  const bars = barsOf(report);
  const highest = Math.max(1, ...bars.map(({ succeeded, failed }) => succeeded + failed));
  const ceiling = niceCeiling(highest);
  const top = pdf.y + 10;
  const base = top + HEIGHT;
  const plotLeft = left + AXIS;
  const plotWidth = width - AXIS;
  pdf.font("text").fontSize(7);
  for (const part of [0, 0.5, 1]) {
    const y = base - HEIGHT * part;
    pdf
      .moveTo(plotLeft, y)
      .lineTo(left + width, y)
      .lineWidth(0.5)
      .strokeColor(LINE)
      .stroke();
    const label = (ceiling * part).toLocaleString("en-US");
    pdf.fillColor(QUIET).text(label, left, y - 4, { width: AXIS - 6, align: "right", lineBreak: false });
  }
  const step = plotWidth / Math.max(bars.length, 1);
  for (const [index, { succeeded, failed }] of bars.entries()) {
    const x = plotLeft + index * step + step * 0.1;
    const good = (succeeded / ceiling) * HEIGHT;
    const bad = (failed / ceiling) * HEIGHT;
    if (good > 0)
      pdf
        .rect(x, base - good, step * 0.8, good)
        .fillColor(SUCCEEDED)
        .fill();
    if (bad > 0)
      pdf
        .rect(x, base - good - bad, step * 0.8, bad)
        .fillColor(FAILED)
        .fill();
  }
  labelDays(pdf, bars, { plotLeft, plotWidth, y: base + 5 });
  pdf.x = left;
  pdf.y = base + 30;
}

function drawLegend(pdf: Pdf, right: number): void {
  const y = pdf.y - 12;
  pdf.font("text").fontSize(8);
  for (const [offset, colour, label] of [
    [150, SUCCEEDED, "succeeded"],
    [60, FAILED, "failed"],
  ] as const) {
    pdf
      .rect(right - offset, y, 8, 8)
      .fillColor(colour)
      .fill();
    pdf.fillColor(QUIET).text(label, right - offset + 12, y - 1, { lineBreak: false });
  }
  pdf.y = y + 12;
}

function labelDays(
  pdf: Pdf,
  bars: readonly Bar[],
  { plotLeft, plotWidth, y }: { plotLeft: number; plotWidth: number; y: number },
): void {
  const labels = Math.min(6, bars.length);
  for (let label = 0; label < labels; label++) {
    const index = labels === 1 ? 0 : Math.round((label * (bars.length - 1)) / (labels - 1));
    const middle = plotLeft + ((index + 0.5) * plotWidth) / bars.length;
    const x = Math.min(Math.max(middle - 30, plotLeft - 10), plotLeft + plotWidth - 60);
    pdf
      .fillColor(QUIET)
      .text(bars[index]?.from ?? "", x, y, { width: 60, align: "center", lineBreak: false });
  }
}

/** Every day of the period, also those without a sign-in. */
function barsOf({ period, sign_ins: signIns }: ComplianceReport): Bar[] {
  const byDay = new Map(signIns.map((one) => [one.day, one]));
  const first = Date.parse(period.from.slice(0, 10));
  const days = Math.max(1, Math.ceil((Date.parse(period.to) - first) / DAY_MS));
  const daysInBar = Math.ceil(days / MOST_BARS);
  return Array.from({ length: Math.ceil(days / daysInBar) }, (_, bar) => {
    const names = Array.from({ length: daysInBar }, (_day, offset) =>
      new Date(first + (bar * daysInBar + offset) * DAY_MS).toISOString().slice(0, 10),
    );
    const found = names.flatMap((name) => byDay.get(name) ?? []);
    return {
      from: names[0] ?? "",
      succeeded: found.reduce((sum, { succeeded }) => sum + succeeded, 0),
      failed: found.reduce((sum, { failed }) => sum + failed, 0),
    };
  });
}

/** 1, 2 or 5 times a power of ten, and even where it is halved. */
function niceCeiling(highest: number): number {
  const power = 10 ** Math.floor(Math.log10(highest));
  const factor = [1, 2, 4, 6, 8, 10].find((one) => one * power >= highest) ?? 10;
  return Math.max(2, factor * power);
}
