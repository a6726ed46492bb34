/** The way back into a locked account: the mail, its link, and a new password. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { auditEvents, challenges, outbox, userEmails } from "../../../src/db/schema/index.ts";
import { newId } from "../../../src/lib/ids.ts";
import { createEmailProcessor } from "../../../workers/email/processor.ts";
import { Browser, createOtherTenant, PASSWORD, type Person, register } from "../../attacks/support.ts";
import { linkIn, type Mail, readMailbox, waitForMail } from "../../support/mailbox.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const login = async ({ username }: Person, password = PASSWORD) =>
  (await postJson(`${server.url}/login`, { identifier: username, password })).status;

async function locked(): Promise<Person> {
  const person = await register(server.url);
  for (let time = 0; time < 5; time++) expect(await login(person, "Wrong-guess-1!")).toBe(401);
  expect(await login(person)).toBe(401);
  return person;
}

const isUnlockMail = ({ subject }: Mail) => /locked/.test(subject);
const unlockMail = ({ email }: Person) => waitForMail(server, email, isUnlockMail);

async function unlockEvents(person: Person) {
  const events = await server.deps.db.select().from(auditEvents).where(eq(auditEvents.targetId, person.id));
  return events.filter(({ type }) => type === "user.unlocked").map(({ details }) => details);
}

async function emailIdOf(userId: string) {
  const emails = await server.deps.db.select().from(userEmails);
  const own = emails.find((email) => email.userId === userId);
  if (!own) throw new Error("the user has no address");
  return own.id;
}

describe("the mail", () => {
  it("is one for each lockout, to the account's address, with a link to the tenant's own URL", async () => {
    const person = await locked();
    const mail = await unlockMail(person);
    expect(linkIn(mail)).toStartWith(`${server.url}/unlock?token=`);
    expect(mail.text).toContain("not even with the right password");
    for (let time = 0; time < 5; time++) await login(person, "Wrong-guess-1!");
    await waitForMail(server, (await other()).email, isUnlockMail);
    const mails = (await readMailbox(server)).filter((one) => one.to === person.email && isUnlockMail(one));
    expect(mails.length).toBe(1);
  });

  it("does not go out when the lock is over before the worker gets to it", async () => {
    const { id, email } = await register(server.url);
    const job = { id: `outbox-${newId("outbox")}`, name: "unlock_account", attempt: 1 };
    const payload = { user_id: id, email_id: await emailIdOf(id) };
    await createEmailProcessor(
      server.deps,
      undefined,
    )({ ...job, data: { tenantId: server.tenant.id, payload } });
    expect((await readMailbox(server)).filter((mail) => mail.to === email && isUnlockMail(mail))).toEqual([]);
  });

  it("goes to nobody when nobody has the identifier", async () => {
    for (let time = 0; time < 5; time++) {
      await postJson(`${server.url}/login`, { identifier: "nobody@example.com", password: "Wrong-guess-1!" });
    }
    await waitForMail(server, (await other()).email, isUnlockMail);
    expect((await readMailbox(server)).filter(({ to }) => to === "nobody@example.com")).toEqual([]);
    expect(await server.deps.db.select().from(outbox)).toEqual([]);
  });

  /** Somebody locked later: once their mail is there, an earlier one would be too. */
  const other = async () => {
    const person = await locked();
    await unlockMail(person);
    return person;
  };
});

describe("the link", () => {
  it("opens a page with a button, which unlocks, once", async () => {
    const person = await locked();
    const link = linkIn(await unlockMail(person));
    const browser = new Browser(server.url);
    const page = await browser.submit(link, {});
    expect(page.status).toBe(200);
    expect(await page.text()).toContain("Your account is unlocked");
    expect(await unlockEvents(person)).toEqual([{ by: "mail_link" }]);
    expect(await login(person)).toBe(200);
    const again = await browser.get(link);
    expect([again.status, (await again.text()).includes("no longer works")]).toEqual([400, true]);
  });

  it("is not used up by a mail scanner's GET or HEAD (guard: only the form consumes)", async () => {
    const person = await locked();
    const link = linkIn(await unlockMail(person));
    for (const method of ["GET", "HEAD", "GET"]) expect((await fetch(link, { method })).status).toBe(200);
    expect(await login(person)).toBe(401);
    await new Browser(server.url).submit(link, {});
    expect(await login(person)).toBe(200);
  });

  it("is not followed from another site's form (guard: the form's token)", async () => {
    const person = await locked();
    const link = linkIn(await unlockMail(person));
    const token = new URL(link).searchParams.get("token") ?? "";
    const forged = await new Browser(server.url).post("/unlock", { token });
    expect(forged.status).toBe(403);
    expect(await login(person)).toBe(401);
  });

  it.each(["", "chal_1", "chal_01ARZ3NDEKTSV4RRFFQ69G5FAV_" + "a".repeat(43)])(
    "%p shows that it does not work",
    async (token) => {
      const page = await new Browser(server.url).get(`/unlock?token=${token}`);
      expect([page.status, (await page.text()).includes("no longer works")]).toEqual([400, true]);
    },
  );

  it("of another kind does not unlock, nor another tenant's", async () => {
    const person = await locked();
    const link = linkIn(await unlockMail(person));
    const { base } = await createOtherTenant(server, "elsewhere");
    const token = new URL(link).searchParams.get("token") ?? "";
    expect((await new Browser(base).get(`/unlock?token=${token}`)).status).toBe(400);
    await server.deps.db
      .update(challenges)
      .set({ kind: "verify_email" })
      .where(eq(challenges.kind, "unlock_account"));
    expect((await new Browser(server.url).get(link)).status).toBe(400);
  });

  it("works for a day", async () => {
    const person = await locked();
    const link = linkIn(await unlockMail(person));
    server.clock.advance(86_400 + 60);
    expect((await fetch(link)).status).toBe(400);
  });

  it("is shown in the person's language", async () => {
    const person = await locked();
    const link = linkIn(await unlockMail(person));
    const page = await new Browser(server.url).get(link, { "accept-language": "de" });
    expect(await page.text()).toContain("Konto entsperren");
  });
});

describe("a new password by a mailed link", () => {
  it("unlocks as well", async () => {
    const person = await locked();
    await postJson(`${server.url}/forgot-password`, { email: person.email });
    const mail = await waitForMail(server, person.email, ({ subject }) => /reset/i.test(subject));
    const token = new URL(linkIn(mail)).searchParams.get("token");
    const password = "An0ther-P@ssw0rd!";
    const reset = await postJson(`${server.url}/reset-password`, { token, new_password: password });
    expect(reset.status).toBe(200);
    expect(await unlockEvents(person)).toEqual([{ by: "password_reset" }]);
    expect(await login(person, password)).toBe(200);
  });
});
