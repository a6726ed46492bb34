/** What happened in a period: counted by days, of which the first and the last may be parts. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { record, type AuditEventType } from "../../../src/domain/audit/service.ts";
import { countEvents, daysOf } from "../../../src/domain/compliance/events.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { createTenant } from "../../../src/domain/tenants/service.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const at = (text: string) => new Date(`2026-${text}Z`);

describe("the days of a period", () => {
  it("are those of UTC, without a gap", () => {
    const period = { from: at("03-01T22:30:00"), to: at("03-04T00:00:00") };
    expect(daysOf(period)).toEqual([
      { from: period.from, to: at("03-02T00:00:00") },
      { from: at("03-02T00:00:00"), to: at("03-03T00:00:00") },
      { from: at("03-03T00:00:00"), to: period.to },
    ]);
    expect(daysOf({ from: period.from, to: period.from })).toEqual([]);
  });
});

describe("the events of a period", () => {
  it("count from its first moment up to its last, each on its day", async () => {
    const tenant = await createTenant(server.deps, { slug: "counted", name: "Counted" });
    const period = { from: at("03-01T12:00:00"), to: at("03-19T12:00:00") };
    const happened: [string, AuditEventType, Record<string, unknown>?][] = [
      ["03-01T11:59:59.999", "user.login"],
      ["03-01T12:00:00", "user.login"],
      ["03-01T23:59:59.999", "user.login_failed"],
      ["03-02T00:00:00", "user.login"],
      ["03-10T08:00:00", "role.assigned"],
      ["03-10T09:00:00", "group.roles_changed"],
      ["03-11T09:00:00", "report.downloaded", { kind: "soc2" }],
      ["03-11T09:00:00", "report.downloaded", { kind: "audit_export" }],
      ["03-12T09:00:00", "grant.created"],
      ["03-12T09:00:00", "grant.created"],
      ["03-13T09:00:00", "grant.revoked"],
      ["03-19T11:59:59.999", "user.login"],
      ["03-19T12:00:00", "user.login"],
    ];
    for (const [moment, type, details] of happened)
      await record(server.deps.db, {
        tenantId: tenant.id,
        type,
        actor: { type: "system" },
        ...(details ? { details } : {}),
        context: systemContext,
        now: at(moment),
      });
    const now = at("03-20T00:00:00");
    const about = {
      tenantId: tenant.id,
      period,
      now,
      dormantBefore: now,
      masterKeyId: "1",
      shownFrom: period.from,
    };
    expect(await countEvents(server.deps, about)).toEqual({
      events: {
        events: 11,
        days_with_events: 7,
        access_changes: 2,
        reports_read: 1,
        consents_given: 2,
        consents_withdrawn: 1,
      },
      signIns: [
        { day: "2026-03-01", succeeded: 1, failed: 1 },
        { day: "2026-03-02", succeeded: 1, failed: 0 },
        { day: "2026-03-19", succeeded: 1, failed: 0 },
      ],
    });
  });
});
