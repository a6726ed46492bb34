import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { createDeps, type Deps } from "../../src/deps.ts";
import { mailboxMessages, sessions, tenantDomains, userEmails, users } from "../../src/db/schema/index.ts";
import { findOpenChallenge } from "../../src/domain/challenges/service.ts";
import { type Id, newId } from "../../src/lib/ids.ts";
import type { MailMessage } from "../../src/mail/driver.ts";
import type { JobName } from "../../src/queue/contracts.ts";
import { createEmailProcessor } from "../../workers/email/processor.ts";
import { createTestClock } from "../support/clock.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { insertTestTenant, insertTestUsers, testConfig, type TestUser } from "../support/queue.ts";

let database: TestDatabase;
let deps: Deps & { close(): Promise<void> };
let tenantId: Id<"tenant">;
let user: TestUser;

beforeAll(async () => {
  database = await createTestDatabase();
  deps = await createDeps(testConfig({ DATABASE_URL: database.url }), { process: "worker" });
  tenantId = await insertTestTenant(deps.db, { isDefault: true });
});
afterAll(async () => {
  await deps.close();
  await database.drop();
});
beforeEach(async () => {
  await deps.db.delete(mailboxMessages);
  const [made] = await insertTestUsers(deps.db, tenantId, 1);
  if (!made) throw new Error("no user was made");
  user = made;
});

interface Given {
  tenantId?: Id<"tenant">;
  payload?: Record<string, unknown>;
}

function jobOf(name: JobName<"email">, given: Given = {}) {
  const address = name === "new_sign_in" ? {} : { email_id: user.emailId };
  const payload = { user_id: user.userId, ...address, ...given.payload };
  const data = { tenantId: given.tenantId ?? tenantId, payload };
  return { id: `outbox-${newId("outbox")}`, name, data, attempt: 1 };
}

/** The messages that a job leaves in the mailbox. */
async function mailsOf(name: JobName<"email">, given: Given = {}) {
  await createEmailProcessor(deps, undefined)(jobOf(name, given));
  return deps.db.select().from(mailboxMessages);
}

describe("verify_email", () => {
  it("mails the address a link that opens a challenge about it", async () => {
    const [mail] = await mailsOf("verify_email");
    expect(mail).toMatchObject({ tenantId, to: user.address, subject: expect.stringContaining("Example") });
    const token = /^http:\/\/id\.test\/verify-email\?token=(\S+)$/m.exec(mail?.text ?? "")?.[1] ?? "";
    expect(mail?.html).toContain(`http://id.test/verify-email?token=${token}`);
    const challenge = await findOpenChallenge(deps.db, tenantId, "verify_email", token, deps.clock.now());
    expect(challenge).toMatchObject({ userId: user.userId, data: { email_id: user.emailId } });
  });

  it("says nothing when the address is verified already", async () => {
    await deps.db.update(userEmails).set({ verifiedAt: new Date() }).where(eq(userEmails.id, user.emailId));
    expect(await mailsOf("verify_email")).toEqual([]);
  });

  it("mails the same link when it is tried again", async () => {
    const sent: MailMessage[] = [];
    const process = createEmailProcessor(deps, {
      async send(message) {
        sent.push(message);
        if (sent.length === 1) throw new Error("451");
      },
      close() {},
    });
    const job = jobOf("verify_email");
    await expect(process(job)).rejects.toThrow("451");
    await process({ ...job, attempt: 2 });
    expect(sent).toHaveLength(2);
    expect(sent[0]).toMatchObject({ jobId: job.id, to: user.address, from: deps.config.mail.from });
    expect(sent[1]).toEqual(sent[0]);
  });

  it("mails a link that works for its whole time, however late the try", async () => {
    const start = deps.clock.now();
    const clock = createTestClock(start);
    const links: string[] = [];
    const process = createEmailProcessor(
      { ...deps, clock },
      {
        async send({ text }) {
          links.push(/\?token=(\S+)/.exec(text)?.[1] ?? "");
          if (links.length === 1) throw new Error("451");
        },
        close() {},
      },
    );
    const job = jobOf("verify_email");
    await expect(process(job)).rejects.toThrow("451");
    clock.advance(23 * 3600);
    await process({ ...job, attempt: 2 });
    clock.advance(23 * 3600);
    const [, token = ""] = links;
    expect(await findOpenChallenge(deps.db, tenantId, "verify_email", token, clock.now())).toBeDefined();
  });
});

describe("reset_password", () => {
  it("mails a link that opens a challenge", async () => {
    const [mail] = await mailsOf("reset_password");
    const token = /^http:\/\/id\.test\/reset-password\?token=(\S+)$/m.exec(mail?.text ?? "")?.[1] ?? "";
    const challenge = await findOpenChallenge(deps.db, tenantId, "reset_password", token, deps.clock.now());
    expect(challenge).toMatchObject({ userId: user.userId });
  });
});

async function signIn(userAgent: string | null): Promise<Id<"session">> {
  const id = newId("session");
  const at = new Date("2026-01-02T03:04:00Z");
  await deps.db.insert(sessions).values({
    tenantId,
    id,
    userId: user.userId,
    authTime: at,
    acr: "1",
    amr: ["pwd"],
    ip: "192.0.2.7",
    userAgent,
    createdAt: at,
    lastSeenAt: at,
    expiresAt: new Date("2036-01-01T00:00:00Z"),
  });
  return id;
}

describe("new_sign_in", () => {
  it("tells when, from where and with what", async () => {
    const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    const [mail] = await mailsOf("new_sign_in", { payload: { session_id: await signIn(agent) } });
    expect(mail?.to).toBe(user.address);
    expect(mail?.text).toContain("January 2, 2026");
    expect(mail?.text).toContain("192.0.2.7");
    expect(mail?.text).toContain("Firefox on Linux");
  });

  it("repeats nothing that a stranger wrote into the User-Agent", async () => {
    const session_id = await signIn("Call +1 555 0100 now, your account is locked. Firefox/1");
    const [mail] = await mailsOf("new_sign_in", { payload: { session_id } });
    expect(mail?.text).toContain("Firefox");
    expect(mail?.text).not.toContain("555");
  });

  it("says nothing when the session is gone", async () => {
    expect(await mailsOf("new_sign_in", { payload: { session_id: newId("session") } })).toEqual([]);
  });
});

describe("already_registered and welcome", () => {
  it("tell the owner of the address, with a link to the server and no token", async () => {
    const [mail] = await mailsOf("already_registered");
    expect(mail?.to).toBe(user.address);
    expect(mail?.text).toContain("http://id.test/signin");
    expect(mail?.text).not.toContain("token");
    await deps.db.delete(mailboxMessages);
    const [welcome] = await mailsOf("welcome");
    expect(welcome?.text).toContain("http://id.test/");
    expect(welcome?.text).not.toContain("token");
  });
});

describe("every mail", () => {
  it("is in the language of the job, else of the user, else in English", async () => {
    await deps.db.update(users).set({ locale: "de-AT" }).where(eq(users.id, user.userId));
    const [german] = await mailsOf("welcome");
    await deps.db.delete(mailboxMessages);
    const [english] = await mailsOf("welcome", { payload: { locale: "en" } });
    expect(german?.html).toContain('<html lang="de">');
    expect(english?.html).toContain('<html lang="en">');
  });

  it("links to the tenant's own issuer", async () => {
    const other = await insertTestTenant(deps.db, { slug: "acme" });
    const [member] = await insertTestUsers(deps.db, other, 1);
    const given = { tenantId: other, payload: { user_id: member?.userId, email_id: member?.emailId } };
    const [byPath] = await mailsOf("verify_email", given);
    expect(byPath?.text).toContain("http://id.test/t/acme/verify-email?token=");

    await deps.db
      .insert(tenantDomains)
      .values({ domain: "login.acme.example", tenantId: other, createdAt: new Date() });
    deps.caches.clear();
    await deps.db.delete(mailboxMessages);
    const [byDomain] = await mailsOf("verify_email", given);
    expect(byDomain?.text).toContain("https://login.acme.example/verify-email?token=");
  });

  it.each([
    ["the user is unknown", () => ({ payload: { user_id: newId("user") } })],
    ["the address is gone", () => ({ payload: { email_id: newId("email") } })],
    ["the ids are none", () => ({ payload: { user_id: "1", email_id: "2" } })],
    ["the tenant is gone", () => ({ tenantId: newId("tenant") })],
  ])("is left unsent, without an error, when %s", async (_, given) => {
    expect(await mailsOf("welcome", given())).toEqual([]);
    expect(await mailsOf("reset_password", given())).toEqual([]);
  });

  it("is left unsent when the user is disabled", async () => {
    await deps.db.update(users).set({ enabled: false }).where(eq(users.id, user.userId));
    expect(await mailsOf("reset_password")).toEqual([]);
  });

  it("goes to the tenant's own users only", async () => {
    const other = await insertTestTenant(deps.db);
    expect(await mailsOf("welcome", { tenantId: other })).toEqual([]);
  });
});
