/** What a report's checks are computed from, read once. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { shownFrom } from "../audit/reading.ts";
import { type Verification, verifyAuditTrail } from "../audit-seals/verification.ts";
import type { Tenant } from "../tenants/service.ts";
import type { TenantSettings } from "../tenants/settings.ts";
import { countEvents, type EventCounts, type SignIns } from "./events.ts";
import * as repo from "./repo.ts";

export const DORMANT_DAYS = 90;
const DAY_MS = 86_400_000;

export interface Facts {
  readonly now: Date;
  readonly period: repo.Period;
  readonly settings: TenantSettings;
  readonly trail: Verification;
  readonly events: EventCounts;
  readonly signIns: readonly SignIns[];
  readonly users: Awaited<ReturnType<typeof repo.countUsers>>;
  readonly passwords: Awaited<ReturnType<typeof repo.countPasswords>>;
  readonly sessions: Awaited<ReturnType<typeof repo.countSessions>>;
  readonly retention: Awaited<ReturnType<typeof repo.countRetention>>;
  readonly consents: Awaited<ReturnType<typeof repo.countConsents>>;
  readonly encryption: Awaited<ReturnType<typeof repo.countEncryption>>;
}

/** One query after the other: a report is in no hurry, and requests are. */
export async function readFacts(
  deps: Deps,
  tenant: Tenant,
  period: repo.Period,
  onProgress: (percent: number) => Promise<void>,
): Promise<Facts> {
  const now = deps.clock.now();
  const about: repo.About = {
    tenantId: tenant.id,
    period,
    now,
    dormantBefore: new Date(now.getTime() - DORMANT_DAYS * DAY_MS),
    masterKeyId: deps.config.masterKeys[0].id,
    shownFrom: shownFrom(deps, tenant),
  };
  const counted = <Counts>(count: (executor: Executor, about: repo.About) => Promise<Counts>) =>
    deps.pace.part(() => repo.patiently(deps.db, (executor) => count(executor, about)));
  const counts = {
    ...(await countEvents(deps, about)),
    users: await counted(repo.countUsers),
    passwords: await counted(repo.countPasswords),
    sessions: await counted(repo.countSessions),
    retention: await counted(repo.countRetention),
    consents: await counted(repo.countConsents),
    encryption: await counted(repo.countEncryption),
  };
  await onProgress(30);
  const trail = await verifyAuditTrail(deps, tenant.id);
  await onProgress(80);
  return { now, period, settings: tenant.settings, trail, ...counts };
}
