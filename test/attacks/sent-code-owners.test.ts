/** Codes that were sent to an address or a number which is the person's no more, and people who keep others from getting any. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import { auditEvents, proofs, userEmails } from "../../src/db/schema/index.ts";
import { codeOf } from "../../src/domain/proofs/service.ts";
import { isId, newId } from "../../src/lib/ids.ts";
import { confirmAddress } from "../support/mfa.ts";
import { type Mail, waitForMail } from "../support/mailbox.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { bearer, errorOf, login, PASSWORD, type Person, register } from "./support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.configure({
    sms_code_enabled: true,
    email_code_enabled: true,
    mfa_methods: ["totp", "webauthn", "backup_code", "sms_code", "email_code"],
    max_failed_login_attempts: 100,
  });
});
afterAll(() => server.stop());

const codeIn = ({ subject, text }: Pick<Mail, "subject" | "text">) =>
  /\b\d{6}\b/.exec(`${subject} ${text}`)?.[0] ?? "none";
const nextCode = async (to: string, before: readonly string[] = []) =>
  codeIn(await waitForMail(server, to, (mail) => codeIn(mail) !== "none" && !before.includes(codeIn(mail))));

async function withPhone() {
  await server.configure({ mfa_enforcement: "optional" });
  const person = await register(server.url);
  const { access_token: token } = await login(server.url, person.email);
  const number = `+4915123${String(Math.floor(Math.random() * 1e6)).padStart(6, "0")}`;
  const added = await postJson(`${server.url}/me/phones`, { number }, bearer(token));
  const { id } = (await added.json()) as { id: string };
  const first = await nextCode(number);
  const path = `${server.url}/me/phones/${id}/verify`;
  expect((await postJson(path, { code: first }, bearer(token))).status).toBe(200);
  const remove = async () => {
    const gone = await fetch(`${server.url}/me/phones/${id}`, { method: "DELETE", headers: bearer(token) });
    expect(gone.status).toBe(204);
  };
  return { person, token, number, first, remove };
}

async function pending({ username }: Person): Promise<string> {
  await server.configure({ mfa_enforcement: "required" });
  const response = await postJson(`${server.url}/login`, { identifier: username, password: PASSWORD });
  const { mfa_token: token } = (await response.json()) as { mfa_token: string };
  return token;
}

describe("a number that somebody added", () => {
  /** A stolen session that makes itself a way in. Guard: phones/service.ts, markPhoneVerified (factor_added). */
  it("is told to the account's owner by mail, by its last digits alone", async () => {
    const { person, number } = await withPhone();
    const mail = await waitForMail(server, person.email, ({ text }) => text.includes(number.slice(-4)));
    expect(mail.subject).toContain("second factor was added");
    expect(mail.text).not.toContain(number);
  });
});

describe("a code that was texted to a number which was removed since", () => {
  /** A phone is stolen, and its owner takes its number out. Guard: proofs/service.ts, findSignInUser (isReachable). */
  it("signs nobody in", async () => {
    const { number, first, remove } = await withPhone();
    const asked = await postJson(`${server.url}/login/sms-code`, { phone: number });
    const { proof_token } = (await asked.json()) as { proof_token: string };
    const code = await nextCode(number, [first]);
    await remove();
    const answer = postJson(`${server.url}/login/sms-code/verify`, { proof_token, code });
    expect(await errorOf(answer)).toEqual([401, "invalid_code"]);
  });

  /** Guard: proofs/second-factor.ts, prove (isReachable); another number keeps the method itself usable. */
  it("is no second factor", async () => {
    const { person, token, number, first, remove } = await withPhone();
    const other = `+4915124${String(Math.floor(Math.random() * 1e6)).padStart(6, "0")}`;
    const added = await postJson(`${server.url}/me/phones`, { number: other }, bearer(token));
    const { id } = (await added.json()) as { id: string };
    const verified = await postJson(
      `${server.url}/me/phones/${id}/verify`,
      { code: await nextCode(other) },
      bearer(token),
    );
    expect(verified.status).toBe(200);
    const login = await pending(person);
    expect((await postJson(`${server.url}/mfa/sms-code/send`, { mfa_token: login })).status).toBe(200);
    const code = await nextCode(number, [first]);
    await server.configure({ mfa_enforcement: "optional" });
    await remove();
    await server.configure({ mfa_enforcement: "required" });
    const answer = postJson(`${server.url}/mfa/sms-code/verify`, { mfa_token: login, code });
    expect(await errorOf(answer)).toEqual([401, "invalid_code"]);
  });
});

describe("a code that was mailed to an address which is another one since", () => {
  /** Guard: proofs/second-factor.ts, prove (isReachable). */
  it("is no second factor", async () => {
    const person = await register(server.url);
    await confirmAddress(server, person.email);
    const login = await pending(person);
    expect((await postJson(`${server.url}/mfa/email-code/send`, { mfa_token: login })).status).toBe(200);
    const code = await nextCode(person.email);
    await server.deps.db
      .update(userEmails)
      .set({ id: newId("email"), address: `new-${person.email}`, addressKey: `new-${person.email}` })
      .where(eq(userEmails.address, person.email));
    const answer = postJson(`${server.url}/mfa/email-code/verify`, { mfa_token: login, code });
    expect(await errorOf(answer)).toEqual([401, "invalid_code"]);
  });
});

describe("a number that is added", () => {
  /** Guard: phones/service.ts, notePhone (record): whose session added what is to be seen afterwards. */
  it("is in the audit trail, once, and without the number itself", async () => {
    const { person, token, number } = await withPhone();
    expect((await postJson(`${server.url}/me/phones`, { number }, bearer(token))).status).toBe(201);
    const events = await server.deps.db
      .select()
      .from(auditEvents)
      .where(eq(auditEvents.type, "user.phone_added"));
    const mine = events.filter(({ actorId }) => actorId === person.id);
    expect(mine).toHaveLength(1);
    expect(JSON.stringify(mine)).not.toContain(number);
  });
});

describe("a stranger who keeps asking for sign-in codes of somebody else", () => {
  /** Guard: proofs/repo.ts, countSince (by purpose): only who proved the first factor uses up second ones. */
  it("does not keep them from getting their second factor", async () => {
    const person = await register(server.url);
    await confirmAddress(server, person.email);
    for (let asked = 0; asked < 8; asked++)
      await postJson(`${server.url}/login/email-code`, { email: person.email });
    const login = await pending(person);
    expect((await postJson(`${server.url}/mfa/email-code/send`, { mfa_token: login })).status).toBe(200);
    const [proof] = await server.deps.db
      .select()
      .from(proofs)
      .where(and(eq(proofs.purpose, "second_factor"), eq(proofs.userId, idOf(person))));
    if (!proof) throw new Error("no code was made");
    const code = codeOf(server.deps, "email_code", proof.id);
    await waitForMail(server, person.email, (mail) => codeIn(mail) === code);
  });
});

function idOf({ id }: Person) {
  if (!isId("user", id)) throw new Error("not a user's id");
  return id;
}
