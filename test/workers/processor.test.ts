import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { createDeps, type Deps } from "../../src/deps.ts";
import { jobLedger } from "../../src/db/schema/index.ts";
import { type Id, newId } from "../../src/lib/ids.ts";
import { PermanentJobError } from "../../src/queue/job-error.ts";
import type { DeliveredJob } from "../../src/queue/worker-handle.ts";
import {
  createInstallationProcessor,
  createTenantProcessor,
  type TenantJobHandler,
  type TenantJobHandlers,
} from "../../workers/processor.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { insertTestTenant, testConfig } from "../support/queue.ts";
import { until } from "../support/scratch.ts";

let database: TestDatabase;
let deps: Deps & { close(): Promise<void> };
let tenantId: Id<"tenant">;
let job: DeliveredJob;

beforeAll(async () => {
  database = await createTestDatabase();
  deps = await createDeps(testConfig({ DATABASE_URL: database.url }), { process: "worker" });
  tenantId = await insertTestTenant(deps.db);
});
afterAll(async () => {
  await deps.close();
  await database.drop();
});
beforeEach(() => {
  const payload = { user_id: "user_1", email_id: "email_1" };
  job = { id: `outbox-${newId("outbox")}`, name: "welcome", data: { tenantId, payload }, attempt: 1 };
});

type EmailHandlers = TenantJobHandlers<"email">;

const unexpected = async () => {
  throw new Error("the wrong handler");
};
function processorOf(welcome: EmailHandlers["welcome"]) {
  const handlers: EmailHandlers = {
    verify_email: unexpected,
    reset_password: unexpected,
    welcome,
    new_sign_in: unexpected,
    already_registered: unexpected,
    unlock_account: unexpected,
    factor_added: unexpected,
    factor_removed: unexpected,
    password_changed: unexpected,
    email_change_requested: unexpected,
    confirm_new_email: unexpected,
    email_changed: unexpected,
    account_deletion_requested: unexpected,
    account_deleted: unexpected,
    data_export_ready: unexpected,
    magic_link: unexpected,
    email_code: unexpected,
    impersonated: unexpected,
    webhook_disabled: unexpected,
    dormant_accounts: unexpected,
  };
  return createTenantProcessor(deps, "email", handlers);
}

const ledger = async () => {
  const rows = await deps.db.select().from(jobLedger);
  return rows.find(({ jobId }) => jobId === job.id);
};

/** Whether a connection to this database waits for a row that another transaction holds. */
const waitsForLock = async (): Promise<boolean> => {
  const [row] = await deps.db.$client`
    select count(*)::int as waiting from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  return Number(row?.["waiting"]) > 0;
};

/** Stands for any change in the database: whether it is there afterwards tells whether its transaction held. */
const makeTenant: (slug: string) => TenantJobHandler<unknown> = (slug) => async (_job, tx) => {
  await tx.execute(
    `insert into tenants (id, slug, name, created_at, updated_at) values (gen_random_uuid(), '${slug}', '', now(), now())`,
  );
  return undefined;
};
const tenantCount = async (slug: string) => {
  const rows = await deps.db.execute(`select 1 from tenants where slug = '${slug}'`);
  return rows.length;
};

describe("a tenant's job with an effect in the database", () => {
  it("has it in one transaction with the ledger", async () => {
    await processorOf(makeTenant("once"))(job);
    expect(await tenantCount("once")).toBe(1);
    expect(await ledger()).toMatchObject({ tenantId, attempts: 1, completedAt: expect.any(Date) });
  });

  it("has none when it fails", async () => {
    const failing = processorOf(async (delivered, tx) => {
      await makeTenant("none")(delivered, tx);
      throw new Error("too late");
    });
    await expect(failing(job)).rejects.toThrow("too late");
    expect(await tenantCount("none")).toBe(0);
    expect(await ledger()).toBeUndefined();
  });

  it("is skipped when it was done before", async () => {
    let calls = 0;
    const process = processorOf(async () => {
      calls++;
      return undefined;
    });
    await process(job);
    await process({ ...job, attempt: 2 });
    expect(calls).toBe(1);
  });

  it("is done once when two workers have it at the same time", async () => {
    let calls = 0;
    const process = processorOf(async () => {
      calls++;
      // Goes on only when the other one waits for the ledger's row, or came past it.
      await until("the other worker", async () => calls > 1 || (await waitsForLock()));
      return undefined;
    });
    await Promise.all([process(job), process(job)]);
    expect(calls).toBe(1);
  });
});

describe("a tenant's job with an effect outside", () => {
  it("has it after its transaction, and is complete only then", async () => {
    const completed: unknown[] = [];
    await processorOf(async () => async () => {
      completed.push((await ledger())?.completedAt);
    })(job);
    expect(completed).toEqual([null]);
    expect((await ledger())?.completedAt).toBeInstanceOf(Date);
  });

  it("is tried again when the effect fails, and the attempts are counted", async () => {
    let calls = 0;
    const process = processorOf(async () => async () => {
      calls++;
      if (calls === 1) throw new Error("451");
    });
    await expect(process(job)).rejects.toThrow("451");
    expect(await ledger()).toMatchObject({ attempts: 1, completedAt: null });
    await process({ ...job, attempt: 2 });
    await process({ ...job, attempt: 3 });
    expect(calls).toBe(2);
    expect(await ledger()).toMatchObject({ attempts: 2, completedAt: expect.any(Date) });
  });
});

describe("a job that breaks its contract", () => {
  it.each([
    ["no tenant", () => ({ ...job, data: { tenantId: null, payload: { user_id: "u", email_id: "e" } } })],
    [
      "a tenant that is none",
      () => ({ ...job, data: { tenantId: "user_1", payload: { user_id: "u", email_id: "e" } } }),
    ],
    ["a wrong payload", () => ({ ...job, data: { tenantId, payload: { user_id: 1 } } })],
    ["no payload", () => ({ ...job, data: { tenantId } })],
    ["no data", () => ({ ...job, data: null })],
    ["an unknown name", () => ({ ...job, name: "constructor" })],
  ])("fails for good: %s", async (_, broken) => {
    await expect(processorOf(async () => undefined)(broken())).rejects.toBeInstanceOf(PermanentJobError);
    expect(await ledger()).toBeUndefined();
  });
});

describe("a job of the whole installation", () => {
  it("is done whenever it is delivered", async () => {
    let calls = 0;
    const process = createInstallationProcessor(deps, "maintenance", {
      async schedule_tasks() {
        calls++;
      },
    });
    const scheduled = {
      id: "repeat:1",
      name: "schedule_tasks",
      data: { tenantId: null, payload: {} },
      attempt: 1,
    };
    await process(scheduled);
    await process(scheduled);
    expect(calls).toBe(2);
    const broken = { ...scheduled, data: { tenantId: null, payload: "x" } };
    await expect(process(broken)).rejects.toBeInstanceOf(PermanentJobError);
  });
});
