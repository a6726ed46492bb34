/** Attempts as the flows make them, without the flows: against a database, with a clock to turn. */
import { createDeps, type Deps } from "../../../src/deps.ts";
import {
  type AttemptSubject,
  beginAttempt,
  failuresForgotten,
} from "../../../src/domain/protection/service.ts";
import type { Database } from "../../../src/db/client.ts";
import { lockouts, outbox } from "../../../src/db/schema/index.ts";
import type { RequestContext } from "../../../src/domain/request-context.ts";
import { createTenant, type Tenant } from "../../../src/domain/tenants/service.ts";
import type { TenantSettings } from "../../../src/domain/tenants/settings.ts";
import { type Id, newId } from "../../../src/lib/ids.ts";
import { createTestClock, type TestClock } from "../../support/clock.ts";
import { createTestDatabase } from "../../support/database.ts";
import { testConfig } from "../../support/queue.ts";

export interface Protection {
  readonly deps: Deps;
  readonly clock: TestClock;
  readonly tenant: Tenant;
  withSettings(settings: Partial<TenantSettings>): Tenant;
  /** One attempt, wrong unless told. @returns whether it was admitted */
  attempt(subject: Partial<AttemptSubject>, right?: boolean, of?: Tenant): Promise<boolean>;
  /** Several wrong ones. @returns how many were admitted */
  fail(times: number, subject: Partial<AttemptSubject>, of?: Tenant): Promise<number>;
  unlockMails(): Promise<Record<string, unknown>[]>;
  /** Forgets every count and every mail. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

let addresses = 0;

/** A request from an address of its own, unless told. */
export const from = (ip = `198.51.100.${++addresses % 250}`): RequestContext => ({
  requestId: "test",
  ip,
  userAgent: undefined,
});

/** As a sign-in that is complete does. */
export async function forgetFailures(
  db: Database,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
): Promise<void> {
  const sql = db.$client;
  await sql`
    with signed_in as (select 1)${failuresForgotten(sql, { tenantId, id: userId }, [], "signed_in")} select 1`;
}

export const somebody = () => ({ id: newId("user"), emailId: newId("email"), enabled: true });

export async function startProtection(): Promise<Protection> {
  const database = await createTestDatabase();
  const clock = createTestClock();
  const deps = await createDeps(testConfig({ DATABASE_URL: database.url }), { process: "worker", clock });
  const tenant = await createTenant(deps, { slug: "acme", name: "Acme" });

  async function attempt(subject: Partial<AttemptSubject>, right = false, of = tenant): Promise<boolean> {
    const given = { user: undefined, context: from(), method: "password", ...subject };
    const begun = await beginAttempt(deps, of, given);
    if (right && begun.admitted) await begun.passed();
    else await begun.failed();
    return begun.admitted;
  }

  return {
    deps,
    clock,
    tenant,
    withSettings: (settings) => ({ ...tenant, settings: { ...tenant.settings, ...settings } }),
    attempt,
    async fail(times, subject, of) {
      let admitted = 0;
      for (let time = 0; time < times; time++) if (await attempt(subject, false, of)) admitted++;
      return admitted;
    },
    async unlockMails() {
      const jobs = await deps.db.select().from(outbox);
      return jobs.filter(({ name }) => name === "unlock_account").map(({ payload }) => payload);
    },
    async reset() {
      await deps.db.delete(lockouts);
      await deps.db.delete(outbox);
    },
    async stop() {
      await deps.close();
      await database.drop();
    },
  };
}
