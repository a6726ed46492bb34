/** Compliance reports: every check is computed from what the database holds. */
import type { Deps } from "../../deps.ts";
import { csvLine } from "../../lib/csv.ts";
import type { Framework } from "../reports/model.ts";
import type { Tenant } from "../tenants/service.ts";
import { runCheck, summaryOf } from "./checks.ts";
import { readFacts } from "./facts.ts";
import { checksOf, type ComplianceReport } from "./model.ts";

export type { ComplianceReport } from "./model.ts";

/** @param onProgress told the percentage */
export async function computeReport(
  deps: Deps,
  tenant: Tenant,
  framework: Framework,
  period: { from: Date; to: Date },
  onProgress: (percent: number) => Promise<void>,
): Promise<ComplianceReport> {
  const facts = await readFacts(deps, tenant, period, onProgress);
  const checks = checksOf[framework].map((id) => runCheck(id, facts, framework));
  return {
    framework,
    generated: facts.now.toISOString(),
    organization: { slug: tenant.slug, name: tenant.name },
    period: { from: period.from.toISOString(), to: period.to.toISOString() },
    checks,
    summary: summaryOf(checks),
    totals: {
      users: facts.users.users,
      sign_ins: facts.signIns.reduce((sum, { succeeded }) => sum + succeeded, 0),
      failed_sign_ins: facts.signIns.reduce((sum, { failed }) => sum + failed, 0),
    },
    sign_ins: facts.signIns,
  };
}

export function reportCsv({ checks }: ComplianceReport): string {
  const columns = ["id", "category", "name", "status", "detail", "evidence"];
  return [
    csvLine(columns),
    ...checks.map(({ id, category, name, status, detail, evidence }) => {
      const numbers = Object.entries(evidence).map(([what, count]) => `${what}: ${count}`);
      return csvLine([id, category, name, status, detail, numbers.join("; ")]);
    }),
  ].join("");
}
