/** Codes of six digits: guessed, across requests and proofs, taken from elsewhere, used twice. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { type Mail, readMailbox, waitForMail } from "../support/mailbox.ts";
import { linkIn } from "../support/mailbox.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { bearer, errorOf, login, type Person, register } from "./support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: { RATE_LIMITING: "off" } });
  await server.configure({ email_code_enabled: true, sms_code_enabled: true });
});
afterAll(() => server.stop());

async function verified(): Promise<Person> {
  const person = await register(server.url);
  const mail = await waitForMail(server, person.email, ({ text }) => text.includes("/verify-email"));
  await fetch(linkIn(mail));
  return person;
}

const codeIn = ({ subject, text }: Pick<Mail, "subject" | "text">) =>
  /\b\d{6}\b/.exec(`${subject} ${text}`)?.[0] ?? "none";
const isCode = ({ subject }: Mail) => /^\d{6} /.test(subject);

async function ask(email: string): Promise<string> {
  const response = await postJson(`${server.url}/login/email-code`, { email });
  expect(response.status).toBe(200);
  return ((await response.json()) as { proof_token: string }).proof_token;
}
const verify = (proof_token: string, code: string) =>
  postJson(`${server.url}/login/email-code/verify`, { proof_token, code });

/** The newest code that this address was sent, other than those. */
const nextCode = async (to: string, before: readonly string[] = []) =>
  codeIn(await waitForMail(server, to, (mail) => isCode(mail) && !before.includes(codeIn(mail))));

const wrong = (code: string) => (code === "000000" ? "000001" : "000000");

describe("a mailed code", () => {
  it("signs in, once, and only with the token of who asked", async () => {
    const person = await verified();
    const token = await ask(person.email);
    const code = await nextCode(person.email);
    const stranger = await ask(`nobody${crypto.randomUUID()}@example.com`);
    expect(await errorOf(verify(stranger, code))).toEqual([401, "invalid_code"]);
    const answers = await Promise.all(Array.from({ length: 5 }, () => verify(token, code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await errorOf(verify(token, code))).toEqual([401, "invalid_code"]);
  });

  /** Guard: proofs/repo.ts, countAttempt (before the code is looked at), called by proofs/service.ts. */
  it("forgives five wrong ones, also when they race", async () => {
    await server.configure({ max_failed_login_attempts: 100 });
    const person = await verified();
    const token = await ask(person.email);
    const code = await nextCode(person.email);
    await Promise.all(Array.from({ length: 5 }, () => verify(token, wrong(code))));
    expect(await errorOf(verify(token, code))).toEqual([401, "invalid_code"]);
    await server.configure({ max_failed_login_attempts: 5 });
  });

  /**
   * A new code for each few guesses would make guessing a matter of patience.
   * Guard: proofs/service.ts, verifySignInCode (beginAttempt of the lockout).
   */
  it("locks the account when it is guessed over several proofs; the right one is answered like a wrong one", async () => {
    const person = await verified();
    const seen: string[] = [];
    for (let round = 0; round < 5; round++) {
      const token = await ask(person.email);
      const code = await nextCode(person.email, seen);
      seen.push(code);
      await verify(token, wrong(code));
    }
    server.clock.advance(10 * 60 + 1);
    const token = await ask(person.email);
    const code = await nextCode(person.email, seen);
    expect(await errorOf(verify(token, code))).toEqual([401, "invalid_code"]);
    expect((await postJson(`${server.url}/login`, { identifier: person.email, password: "x" })).status).toBe(
      401,
    );
  });

  it("is not told apart for somebody who does not exist", async () => {
    const person = await verified();
    const known = await errorOf(verify(await ask(person.email), "000000"));
    expect(await errorOf(verify(await ask(`nobody${crypto.randomUUID()}@example.com`), "000000"))).toEqual(
      known,
    );
  });

  it("is over after ten minutes", async () => {
    const person = await verified();
    const token = await ask(person.email);
    const code = await nextCode(person.email);
    server.clock.advance(10 * 60);
    expect(await errorOf(verify(token, code))).toEqual([401, "invalid_code"]);
  });

  /** Guard: proofs/model.ts, codeOf (derived under a key of the server's, stored nowhere). */
  it("is not in the database", async () => {
    const person = await verified();
    await ask(person.email);
    const code = await nextCode(person.email);
    const { rows } = await everything();
    expect(rows).not.toContain(`"${code}"`);
  });
});

/** The rows of the proofs, as text. */
async function everything(): Promise<{ rows: string }> {
  const rows = await server.deps.db.$client`select * from proofs`;
  return { rows: JSON.stringify(rows) };
}

describe("a texted code", () => {
  const number = () => `+4915123${String(Math.floor(Math.random() * 1e6)).padStart(6, "0")}`;
  const sms = async (to: string, before: readonly string[] = []) =>
    codeIn(await waitForMail(server, to, (mail) => !before.includes(codeIn(mail))));

  async function withPhone(): Promise<{ person: Person; phone: string; token: string }> {
    const person = await verified();
    const { access_token: token } = await login(server.url, person.email);
    const phone = number();
    const added = await postJson(`${server.url}/me/phones`, { number: phone }, bearer(token));
    expect(added.status).toBe(201);
    const { id } = (await added.json()) as { id: string };
    const code = await sms(phone);
    const path = `${server.url}/me/phones/${id}/verify`;
    expect((await postJson(path, { code: wrong(code) }, bearer(token))).status).toBe(422);
    expect((await postJson(path, { code }, bearer(token))).status).toBe(200);
    return { person, phone, token };
  }

  it("verifies a number and signs in with it, once", async () => {
    const { phone, person } = await withPhone();
    const before = (await readMailbox(server)).filter(({ to }) => to === phone).map(codeIn);
    const asked = await postJson(`${server.url}/login/sms-code`, { phone });
    const { proof_token } = (await asked.json()) as { proof_token: string };
    const body = { proof_token, code: await sms(phone, before) };
    const answer = await postJson(`${server.url}/login/sms-code/verify`, body);
    expect(answer.status).toBe(200);
    expect(((await answer.json()) as { user: Person }).user.id).toBe(person.id);
    expect((await postJson(`${server.url}/login/sms-code/verify`, body)).status).toBe(401);
  });

  /** Guard: db/schema/proofs.ts, the unique index of verified numbers; phones/repo.ts, findOwnerOfNumber (verified). */
  it("goes to nobody for a number that is only claimed, and a number has one owner", async () => {
    const { phone } = await withPhone();
    const other = await verified();
    const { access_token: token } = await login(server.url, other.email);
    const added = await postJson(`${server.url}/me/phones`, { number: phone }, bearer(token));
    const { id } = (await added.json()) as { id: string };
    const before = (await readMailbox(server)).filter(({ to }) => to === phone).map(codeIn);
    const answer = await postJson(
      `${server.url}/me/phones/${id}/verify`,
      { code: before[0] ?? "" },
      bearer(token),
    );
    expect([409, 422]).toContain(answer.status);
    const listed = await fetch(`${server.url}/me/phones`, { headers: bearer(token) });
    expect(JSON.stringify(await listed.json())).not.toContain(phone);
  });

  /** Guard: phones/repo.ts, findOwnerOfNumber (verified). */
  it("signs nobody in to the account of who merely claimed the number", async () => {
    const { phone: own } = await withPhone();
    const claimer = await verified();
    const { access_token: token } = await login(server.url, claimer.email);
    const claimed = number();
    await postJson(`${server.url}/me/phones`, { number: claimed }, bearer(token));
    await waitForMail(server, claimed);
    const before = (await readMailbox(server)).filter(({ to }) => to === own).map(codeIn);
    await postJson(`${server.url}/login/sms-code`, { phone: claimed });
    await postJson(`${server.url}/login/sms-code`, { phone: own });
    await sms(own, before);
    expect((await readMailbox(server)).filter(({ to }) => to === claimed)).toHaveLength(1);
  });

  it("is not sent where no text messages are, nor where the tenant does not want them", async () => {
    await server.configure({ sms_code_enabled: false });
    expect((await postJson(`${server.url}/login/sms-code`, { phone: number() })).status).toBe(403);
    await server.configure({ sms_code_enabled: true });
  });
});
