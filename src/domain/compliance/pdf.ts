/** A compliance report on paper. */
import { join } from "node:path";
import PdfWriter from "pdfkit";
import { projectRoot } from "../../lib/project-root.ts";
import type { Check, ComplianceReport, Status } from "./model.ts";
import { drawSignIns } from "./pdf-chart.ts";

const fonts = join(projectRoot, "node_modules", "dejavu-fonts-ttf", "ttf");
const MARGIN = 42;
const WIDTH = 595.28 - 2 * MARGIN;
const BOTTOM = 841.89 - MARGIN - 16;

const INK = "#1a1f2b";
const QUIET = "#5b6472";
const LINE = "#d8dce3";
const colours: Readonly<Record<Status, string>> = { pass: "#1b7f4b", warning: "#b26a00", fail: "#b3261e" };

const titles = { soc2: "SOC 2", gdpr: "GDPR", hipaa: "HIPAA" } as const;

export type Pdf = PDFKit.PDFDocument;

export async function reportPdf(report: ComplianceReport): Promise<Uint8Array> {
  const pdf = new PdfWriter({
    size: "A4",
    margin: MARGIN,
    bufferPages: true,
    info: { Title: `${titles[report.framework]} compliance report, ${report.organization.name}` },
  });
  const chunks: Uint8Array[] = [];
  const ended = Promise.withResolvers<void>();
  pdf.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  pdf.on("end", ended.resolve);
  pdf.on("error", ended.reject);
  pdf.registerFont("text", join(fonts, "DejaVuSans.ttf"));
  pdf.registerFont("bold", join(fonts, "DejaVuSans-Bold.ttf"));

  drawHead(pdf, report);
  drawTotals(pdf, report);
  drawSignIns(pdf, report, { left: MARGIN, width: WIDTH });
  drawChecks(pdf, report.checks);
  numberPages(pdf, report);
  pdf.end();
  await ended.promise;
  return Buffer.concat(chunks);
}

const day = (moment: string) => moment.slice(0, 10);

function drawHead(pdf: Pdf, { framework, organization, period, generated }: ComplianceReport): void {
  pdf.font("bold").fontSize(20).fillColor(INK).text(`${titles[framework]} compliance report`, MARGIN, MARGIN);
  pdf.moveDown(0.3).fontSize(13).text(organization.name, { width: WIDTH, height: 34, ellipsis: true });
  pdf
    .font("text")
    .fontSize(9.5)
    .fillColor(QUIET)
    .moveDown(0.3)
    .text(`Tenant ${organization.slug}`)
    .text(`Period: ${day(period.from)} to ${day(period.to)} (UTC)`)
    .text(`Generated: ${generated.slice(0, 19).replace("T", " ")} UTC`);
  pdf.moveDown(0.8);
}

function drawTotals(pdf: Pdf, { totals, summary }: ComplianceReport): void {
  const tiles: [string, number, string][] = [
    ["Users", totals.users, INK],
    ["Sign-ins", totals.sign_ins, INK],
    ["Failed sign-ins", totals.failed_sign_ins, INK],
    ["Passed", summary.pass, colours.pass],
    ["Warnings", summary.warning, colours.warning],
    ["Failed", summary.fail, colours.fail],
  ];
  const gap = 8;
  const width = (WIDTH - gap * (tiles.length - 1)) / tiles.length;
  const top = pdf.y;
  for (const [index, [label, count, colour]] of tiles.entries()) {
    const left = MARGIN + index * (width + gap);
    pdf.roundedRect(left, top, width, 48, 4).lineWidth(0.75).strokeColor(LINE).stroke();
    pdf.font("bold").fontSize(14).fillColor(colour);
    pdf.text(count.toLocaleString("en-US"), left + 4, top + 9, { width: width - 8, align: "center" });
    pdf.font("text").fontSize(7.5).fillColor(QUIET);
    pdf.text(label, left + 4, top + 31, { width: width - 8, align: "center" });
  }
  pdf.x = MARGIN;
  pdf.y = top + 48 + 18;
}

function drawChecks(pdf: Pdf, checks: readonly Check[]): void {
  pdf.font("bold").fontSize(12).fillColor(INK).text("Checks", MARGIN, pdf.y);
  pdf.moveDown(0.5);
  for (const check of checks) drawCheck(pdf, check);
}

function drawCheck(pdf: Pdf, check: Check): void {
  const evidence = Object.entries(check.evidence)
    .map(([what, count]) => `${what.replaceAll("_", " ")}: ${count.toLocaleString("en-US")}`)
    .join("   ");
  const textWidth = WIDTH - 84;
  pdf.font("text").fontSize(8.5);
  const height =
    16 +
    pdf.heightOfString(check.description, { width: textWidth }) +
    pdf.heightOfString(check.detail, { width: textWidth }) +
    pdf.fontSize(7).heightOfString(evidence, { width: textWidth }) +
    14;
  if (pdf.y + height > BOTTOM) pdf.addPage();
  const top = pdf.y;
  const left = MARGIN + 84;
  pdf.roundedRect(MARGIN, top, 68, 16, 3).fillColor(colours[check.status]).fill();
  pdf.font("bold").fontSize(8).fillColor("#ffffff");
  pdf.text(check.status.toUpperCase(), MARGIN, top + 4, { width: 68, align: "center" });
  pdf
    .font("bold")
    .fontSize(10)
    .fillColor(INK)
    .text(`${check.name} (${check.id})`, left, top + 1, { width: textWidth });
  pdf.font("text").fontSize(8.5).fillColor(QUIET).text(check.description, { width: textWidth });
  pdf.fillColor(INK).text(check.detail, { width: textWidth });
  pdf.fontSize(7).fillColor(QUIET).text(evidence, { width: textWidth });
  pdf.x = MARGIN;
  pdf.y += 5;
  pdf
    .moveTo(MARGIN, pdf.y)
    .lineTo(MARGIN + WIDTH, pdf.y)
    .lineWidth(0.5)
    .strokeColor(LINE)
    .stroke();
  pdf.y += 7;
}

function numberPages(pdf: Pdf, { organization }: ComplianceReport): void {
  const { start, count } = pdf.bufferedPageRange();
  for (let page = start; page < start + count; page++) {
    pdf.switchToPage(page);
    // Below the margin a text would open a new page.
    pdf.page.margins.bottom = 0;
    pdf.font("text").fontSize(7.5).fillColor(QUIET);
    pdf.text(`${organization.name} · page ${page + 1} of ${count}`, MARGIN, BOTTOM + 20, {
      width: WIDTH,
      align: "center",
      lineBreak: false,
    });
  }
}
