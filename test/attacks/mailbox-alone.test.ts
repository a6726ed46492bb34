/** Whoever reads a person's mail, and has nothing else of theirs: one mailbox is one factor, however often it is proved. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { linkIn, type Mail, waitForMail } from "../support/mailbox.ts";
import { confirmAddress, setUpTotp, totpCode, verifyTotp } from "../support/mfa.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { errorOf, login, type Person, register } from "./support.ts";

const NEW_PASSWORD = "Attacker's-P@ssw0rd-1";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.configure({ mfa_methods: ["totp", "webauthn", "backup_code", "email_code"] });
});
afterAll(() => server.stop());

async function withAddress(): Promise<Person> {
  const person = await register(server.url);
  await confirmAddress(server, person.email);
  return person;
}

async function resetByMail({ email }: Person): Promise<void> {
  await postJson(`${server.url}/forgot-password`, { email });
  const mail = await waitForMail(server, email, ({ text }: Mail) => text.includes("/reset-password"));
  const token = new URL(linkIn(mail)).searchParams.get("token");
  const reset = await postJson(`${server.url}/reset-password`, { token, new_password: NEW_PASSWORD });
  expect(reset.status).toBe(200);
}

async function pending({ email }: Person): Promise<{ mfa_token: string; methods: string[] }> {
  const response = await postJson(`${server.url}/login`, { identifier: email, password: NEW_PASSWORD });
  return (await response.json()) as { mfa_token: string; methods: string[] };
}

describe("a password that was set by a mailed link", () => {
  /** Guard: mfa/policy.ts, methodsBeyond (isSetByMail), set by accounts/password-reset.ts. */
  it("and a mailed code are no two factors for who has an authenticator app", async () => {
    const person = await withAddress();
    const { access_token: token } = await login(server.url, person.username);
    const app = await setUpTotp(server, token);
    await resetByMail(person);
    const { mfa_token } = await pending(person);
    const sent = postJson(`${server.url}/mfa/email-code/send`, { mfa_token });
    expect(await errorOf(sent)).toEqual([403, "forbidden"]);
    const typed = postJson(`${server.url}/mfa/email-code/verify`, { mfa_token, code: "123456" });
    expect(await errorOf(typed)).toEqual([401, "invalid_code"]);
    expect((await verifyTotp(server, mfa_token, totpCode(server, app.secret))).status).toBe(200);
  });

  it("leaves the mailed code to who has nothing else", async () => {
    await server.configure({ mfa_enforcement: "required" });
    const person = await withAddress();
    await resetByMail(person);
    const { mfa_token } = await pending(person);
    expect((await postJson(`${server.url}/mfa/email-code/send`, { mfa_token })).status).toBe(200);
    await server.configure({ mfa_enforcement: "optional" });
  });
});
