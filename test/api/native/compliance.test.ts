/** Compliance reports and exports over HTTP, made by a real worker. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { reports, users } from "../../../src/db/schema/index.ts";
import { checksOf, type ComplianceReport } from "../../../src/domain/compliance/model.ts";
import { removeExpiredReports } from "../../../src/domain/reports/service.ts";
import { isId } from "../../../src/lib/ids.ts";
import { login, register } from "../../attacks/support.ts";
import { eventually } from "../../support/queue.ts";
import { scratchDirectory } from "../../support/scratch.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { administratorsToken } from "./admin/support.ts";

const directory = scratchDirectory();
let server: TestServer;
let token: string;

beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_DATA_DIR: directory.path } });
  token = await administratorsToken(server);
});
afterAll(async () => {
  await server.stop();
  directory[Symbol.dispose]();
});

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${server.url}/api/v1/compliance${path}`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
  });

interface Status {
  id: string;
  status: string;
  progress: number;
  formats: string[];
  expires_at: string;
}

const fresh = async () => {
  // A report of its own for each test: those of one minute share what is being made.
  server.clock.advance(60);
  token = await administratorsToken(server);
};

async function reportNow(framework: string): Promise<ComplianceReport> {
  await fresh();
  const response = await get(`/${framework}`, { prefer: "wait=20" });
  expect(response.status).toBe(200);
  return (await response.json()) as ComplianceReport;
}

const checkOf = async (framework: string, id: string) => {
  const check = (await reportNow(framework)).checks.find((one) => one.id === id);
  if (!check) throw new Error(`${framework} has no ${id}`);
  return check;
};

describe("a report that no worker makes", () => {
  it("is answered with 202, its place and its status; wait=0 does not wait", async () => {
    const response = await get("/soc2", { prefer: "respond-async, wait=0" });
    expect(response.status).toBe(202);
    expect(response.headers.get("preference-applied")).toBe("wait=0");
    const location = response.headers.get("location") ?? "";
    const body = (await response.json()) as Status;
    expect(location).toBe(`/api/v1/compliance/reports/${body.id}`);
    expect(body).toMatchObject({ status: "pending", progress: 0, formats: [] });

    const again = (await (await get("/soc2", { prefer: "wait=0" })).json()) as Status;
    expect(again.id).toBe(body.id);
    const download = await get(`/reports/${body.id}/download`);
    expect(download.status).toBe(409);
    expect(await download.json()).toMatchObject({ error: "not_ready" });
  });

  it("is done as soon as there is a worker", async () => {
    const { id } = (await (await get("/soc2", { prefer: "wait=0" })).json()) as Status;
    await server.startWorker();
    const done = await eventually("the report", async () => {
      const status = (await (await get(`/reports/${id}`)).json()) as Status;
      return status.status === "done" && status;
    });
    expect(done).toMatchObject({ progress: 100, formats: ["csv", "json", "pdf"] });
  });
});

describe("a compliance report", () => {
  it("has the checks of its framework, each with evidence, and a summary that counts them", async () => {
    for (const framework of ["soc2", "gdpr", "hipaa"] as const) {
      const report = await reportNow(framework);
      expect(report.framework).toBe(framework);
      expect(report.checks.map(({ id }) => id)).toEqual([...checksOf[framework]]);
      for (const { evidence } of report.checks) expect(Object.keys(evidence).length).toBeGreaterThan(2);
      const { total, pass, warning, fail } = report.summary;
      expect({ total, sum: pass + warning + fail }).toEqual({ total: report.checks.length, sum: total });
      expect(report.organization.name).toBe(server.tenant.name);
    }
  });

  it("computes audit-logging from the trail", async () => {
    const { evidence } = await checkOf("soc2", "audit-logging");
    expect(evidence["events"]).toBeGreaterThan(3);
    expect(evidence["first_bad_batch"]).toBe(0);
  });

  it("computes password-policy from the settings", async () => {
    expect(await checkOf("soc2", "password-policy")).toMatchObject({ status: "pass" });
    await server.configure({ password_require_symbol: false });
    const weak = await checkOf("soc2", "password-policy");
    expect(weak).toMatchObject({ status: "fail", evidence: { required_classes: 3, minimum_length: 8 } });
    await server.configure({ password_require_symbol: true, max_failed_login_attempts: 15 });
    expect(await checkOf("hipaa", "password-policy")).toMatchObject({ status: "warning" });
    await server.configure({ max_failed_login_attempts: 5 });
  });

  it("computes mfa-adoption from the users' factors", async () => {
    expect(await checkOf("soc2", "mfa-adoption")).toMatchObject({
      status: "fail",
      evidence: { admins: 1, admins_with_factor: 0, users_with_factor: 0 },
    });
  });

  it("computes session-mgmt and access-controls from sessions: a disabled user's counts", async () => {
    const person = await register(server.url);
    await login(server.url, person.email);
    const before = await checkOf("soc2", "session-mgmt");
    expect(before.status).not.toBe("fail");
    if (!isId("user", person.id)) throw new Error("not a user's id");
    await server.deps.db.update(users).set({ enabled: false }).where(eq(users.id, person.id));
    expect(await checkOf("soc2", "session-mgmt")).toMatchObject({
      status: "fail",
      evidence: { sessions_of_disabled_users: expect.any(Number) },
    });
    expect(await checkOf("gdpr", "access-controls")).toMatchObject({ status: "fail" });
    await server.deps.db.update(users).set({ enabled: true }).where(eq(users.id, person.id));
  });

  it("computes access-review from when administrators signed in last", async () => {
    const longAgo = new Date(server.clock.now().getTime() - 200 * 86_400_000);
    const admin = await server.deps.db.select().from(users).where(eq(users.username, "admin"));
    expect(admin).toHaveLength(1);
    expect(await checkOf("soc2", "access-review")).toMatchObject({ evidence: { dormant_admins: 0 } });
    await fresh();
    await server.deps.db.update(users).set({ lastLoginAt: longAgo }).where(eq(users.username, "admin"));
    const response = await get("/soc2", { prefer: "wait=20" });
    const { checks } = (await response.json()) as ComplianceReport;
    expect(checks.find(({ id }) => id === "access-review")).toMatchObject({
      status: "fail",
      evidence: { dormant_admins: 1 },
    });
  });

  it("computes data-retention from the tenant's setting", async () => {
    expect(await checkOf("hipaa", "data-retention")).toMatchObject({ status: "fail" });
    expect(await checkOf("gdpr", "data-retention")).toMatchObject({ status: "pass" });
    await server.configure({ audit_retention_days: 2200 });
    expect(await checkOf("hipaa", "data-retention")).toMatchObject({ status: "pass" });
    expect(await checkOf("gdpr", "data-retention")).toMatchObject({
      status: "warning",
      evidence: { retention_days: 2200 },
    });
    await server.configure({ audit_retention_days: 365 });
  });

  it("computes data-encryption from the keys' age", async () => {
    expect(await checkOf("gdpr", "data-encryption")).toMatchObject({ status: "pass" });
    await server.deps.db.execute("update signing_keys set active_from = active_from - interval '125 days'");
    expect(await checkOf("gdpr", "data-encryption")).toMatchObject({
      status: "fail",
      evidence: { oldest_signing_key_days: 125, key_rotation_days: 90 },
    });
    await server.deps.db.execute("update signing_keys set active_from = active_from + interval '125 days'");
  });

  it("computes consent-tracking from the applications of others", async () => {
    expect(await checkOf("gdpr", "consent-tracking")).toMatchObject({ status: "pass" });
    await server.createClient({
      name: "Somebody else's",
      firstParty: false,
      grantTypes: ["client_credentials"],
    });
    expect(await checkOf("gdpr", "consent-tracking")).toMatchObject({
      status: "warning",
      evidence: { third_party_clients: 1, consents: 0 },
    });
  });

  it("can be had as CSV and as PDF", async () => {
    await reportNow("soc2");
    const [row] = await server.deps.db
      .select({ id: reports.id })
      .from(reports)
      .where(eq(reports.kind, "soc2"));
    const csv = await get(`/reports/${row?.id}/download?format=csv`);
    expect(csv.headers.get("content-type")).toContain("text/csv");
    expect((await csv.text()).split("\r\n")[0]).toBe("id,category,name,status,detail,evidence");
    const pdf = await get(`/reports/${row?.id}/download?format=pdf`);
    expect(pdf.headers.get("content-disposition")).toMatch(/^attachment; filename="soc2-[\d-]+\.pdf"$/);
    const bytes = Buffer.from(await pdf.arrayBuffer());
    expect(bytes.subarray(0, 5).toString()).toBe("%PDF-");
    expect(bytes.includes("%%EOF")).toBe(true);
  });

  it("refuses a period that ends before it begins", async () => {
    const response = await get("/soc2?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z");
    expect(response.status).toBe(400);
  });
});

describe("an export of the audit trail", () => {
  it("is JSON of the newest events, at most as many as asked for", async () => {
    const response = await get("/audit-export?limit=3", { prefer: "wait=20" });
    expect(response.status).toBe(200);
    const events = (await response.json()) as { id: string; created_at: string }[];
    expect(events).toHaveLength(3);
    const moments = events.map(({ created_at: at }) => at);
    expect(moments).toEqual(moments.toSorted().toReversed());
  });

  it("is CSV with the columns that are documented, of one type", async () => {
    const response = await get("/audit-export?format=csv&event_type=user.login&limit=5000", {
      prefer: "wait=20",
    });
    expect(response.status).toBe(200);
    const [head, ...lines] = (await response.text()).trim().split("\r\n");
    expect(head).toBe("id,event_type,actor_name,target_type,target_name,ip_address,created_at");
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) expect(line).toMatch(/^evt_\w+,user\.login,/);
  });
});

describe("what is kept of a report", () => {
  it("is for its owner's eyes, sealed, and gone after seven days", async () => {
    const report = await reportNow("gdpr");
    const folder = join(directory.path, "files", "reports", server.tenant.id);
    const files = readdirSync(folder);
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
      const bytes = Buffer.from(await Bun.file(join(folder, file)).arrayBuffer());
      expect(bytes.includes(report.organization.slug)).toBe(false);
      expect(bytes.includes("%PDF")).toBe(false);
    }
    const [row] = await server.deps.db.select({ id: reports.id }).from(reports).limit(1);
    server.clock.advance(7 * 86_400 + 1);
    token = await administratorsToken(server);
    expect((await get(`/reports/${row?.id}`)).status).toBe(404);
    expect(await removeExpiredReports(server.deps)).toBeGreaterThan(3);
    expect(readdirSync(folder)).toEqual([]);
    expect(await server.deps.db.$count(reports)).toBe(0);
  });
});
