/** The queues `accounts` and `sms`: once, however often a job comes and whenever a worker dies. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { accountDeletions, auditEvents, outbox, users } from "../../src/db/schema/index.ts";
import { eraseDueAccount, requestAccountDeletion } from "../../src/domain/accounts/deletion.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { findTenantById } from "../../src/domain/tenants/service.ts";
import { findUserById, type User } from "../../src/domain/users/service.ts";
import { isId } from "../../src/lib/ids.ts";
import type { MailMessage } from "../../src/mail/driver.ts";
import { PermanentJobError } from "../../src/queue/job-error.ts";
import { createAccountsProcessor } from "../../workers/accounts/processor.ts";
import { createEmailProcessor } from "../../workers/email/processor.ts";
import { createSmsProcessor } from "../../workers/sms/processor.ts";
import { register } from "../attacks/support.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.configure({ account_deletion_grace_days: 0 });
});
afterAll(() => server.stop());

async function someone(): Promise<User> {
  const { id } = await register(server.url);
  const user = isId("user", id) ? await findUserById(server.deps, server.tenant.id, id) : undefined;
  if (!user) throw new Error("nobody registered");
  return user;
}

/** Somebody who asked for the end of their account, and the job that came of it. */
async function leaving() {
  const { deps } = server;
  const user = await someone();
  const tenant = await findTenantById(deps, server.tenant.id);
  if (!tenant) throw new Error("the tenant is gone");
  await requestAccountDeletion(deps, tenant, user, systemContext);
  return { user, job: await jobOf("erase_account") };
}

/** The newest job of this name, as the queue would deliver it. */
async function jobOf(name: string) {
  const rows = await server.deps.db.select().from(outbox).where(eq(outbox.name, name));
  const row = rows.toSorted((a, b) => (a.id < b.id ? 1 : -1))[0];
  if (!row) throw new Error(`there is no job ${name}`);
  const data = { tenantId: row.tenantId, payload: row.payload };
  return { id: `outbox-${row.id}`, name, data, attempt: 1 };
}

const isThere = async ({ id }: User) =>
  (await server.deps.db.select().from(users).where(eq(users.id, id))).length === 1;
const deletionOf = async ({ id }: User) => {
  const [row] = await server.deps.db.select().from(accountDeletions).where(eq(accountDeletions.userId, id));
  return row;
};

describe("erasing an account", () => {
  it("happens once, however often the job comes", async () => {
    const { user, job } = await leaving();
    const process = createAccountsProcessor(server.deps);
    await Promise.all([process(job), process(job)]);
    await process(job);
    expect(await isThere(user)).toBe(false);
    const events = await server.deps.db.select().from(auditEvents).where(eq(auditEvents.targetId, user.id));
    expect(events.filter(({ type }) => type === "user.deleted")).toHaveLength(1);
  });

  it("leaves everything as it was when the worker dies halfway, and is done by the next one", async () => {
    const { user, job } = await leaving();
    const dying = server.deps.db.transaction(async (tx) => {
      expect(await eraseDueAccount(tx, server.clock.now())).toBe(true);
      throw new Error("killed");
    });
    await expect(dying).rejects.toThrow("killed");
    expect(await isThere(user)).toBe(true);
    expect(await deletionOf(user)).toMatchObject({ erasedAt: null, farewell: null });
    await createAccountsProcessor(server.deps)(job);
    expect(await isThere(user)).toBe(false);
  });

  it("says goodbye once it happened, also when the mail server was away, and forgets the address then", async () => {
    const { user, job } = await leaving();
    await createAccountsProcessor(server.deps)(job);
    expect(await deletionOf(user)).toMatchObject({ farewell: { address: user.email } });
    const sent: MailMessage[] = [];
    let away = true;
    const driver = {
      async send(message: MailMessage) {
        if (away) throw new Error("the mail server is away");
        sent.push(message);
      },
      close() {},
    };
    const process = createEmailProcessor(server.deps, driver);
    const farewell = await jobOf("account_deleted");
    await expect(process(farewell)).rejects.toThrow("away");
    expect(await deletionOf(user)).toMatchObject({ farewell: { address: user.email } });
    away = false;
    await process(farewell);
    await process(farewell);
    expect(sent.map(({ to }) => to)).toEqual([user.email ?? ""]);
    expect(await deletionOf(user)).toMatchObject({ farewell: null });
  });

  it("does nothing when it was called off before its time, and fails for good when the job names nothing", async () => {
    const { user, job } = await leaving();
    await server.deps.db
      .update(accountDeletions)
      .set({ cancelledAt: server.clock.now() })
      .where(eq(accountDeletions.userId, user.id));
    const process = createAccountsProcessor(server.deps);
    await process(job);
    expect(await isThere(user)).toBe(true);
    const broken = { ...job, id: "outbox-x", data: { ...job.data, payload: { deletion_id: "x" } } };
    await expect(process(broken)).rejects.toBeInstanceOf(PermanentJobError);
  });
});

describe("a text message", () => {
  it("is not sent for a proof that is gone, or for nobody", async () => {
    const sent: unknown[] = [];
    const process = createSmsProcessor(server.deps, { send: async (message) => void sent.push(message) });
    const data = { tenantId: server.tenant.id, payload: { proof_id: "proof_01JD2M9V7QX5T8Z4C6B3N0K1HF" } };
    await process({ id: "outbox-sms", name: "code", data, attempt: 1 });
    expect(sent).toEqual([]);
  });
});
