/**
 * Accounts that were made for somebody else's address before its owner came (Sudhodanan and Paverd, "Pre-hijacked accounts",
 * USENIX Security 2022): whatever the first one left in them must be worth nothing once the owner has proved the address.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { linkIn, type Mail, waitForMail } from "../support/mailbox.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { bearer, Browser, errorOf, login, type Person, register } from "./support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.configure({ sms_code_enabled: true });
});
afterAll(() => server.stop());

const has =
  (path: string) =>
  ({ text }: Mail) =>
    text.includes(path);
const press = (link: string) => new Browser(server.url).submit(link, {});
const OWNERS = "0wner's-P@ssw0rd";

async function resetByOwner({ email }: Person): Promise<void> {
  await postJson(`${server.url}/forgot-password`, { email });
  const link = linkIn(await waitForMail(server, email, has("/reset-password")));
  const token = new URL(link).searchParams.get("token");
  const reset = await postJson(`${server.url}/reset-password`, { token, new_password: OWNERS });
  expect(reset.status).toBe(200);
}

async function verifyByOwner({ email }: Person): Promise<void> {
  await fetch(linkIn(await waitForMail(server, email, has("/verify-email"))));
}

const emailOf = async (token: string) => {
  const response = await fetch(`${server.url}/me`, { headers: bearer(token) });
  return ((await response.json()) as { email: string }).email;
};

describe("a change of address that was begun before the owner came (the unexpired email change attack)", () => {
  /**
   * Nobody could be asked at the unproved address, so that the change waited for the attacker's confirmation alone.
   * Guard: accounts/email-change.ts, consentToEmailChange (oldAsked, lockVerifiedEmail).
   */
  it.each([
    ["resets the password", resetByOwner],
    ["opens the link that verifies the address", verifyByOwner],
  ])("comes to nothing once the owner %s", async (_way, claim) => {
    const account = await register(server.url);
    const { access_token: attackers } = await login(server.url, account.username);
    const email = `attacker${crypto.randomUUID()}@example.com`;
    expect((await postJson(`${server.url}/me/email`, { email }, bearer(attackers))).status).toBe(202);
    const confirm = linkIn(await waitForMail(server, email, has("/email-change/confirm")));

    await claim(account);

    expect((await press(confirm).catch(() => undefined))?.status).not.toBe(200);
    const password = claim === resetByOwner ? OWNERS : undefined;
    const { access_token: owners } = await login(server.url, account.email, password);
    expect(await emailOf(owners)).toBe(account.email);
  });
});

describe("a phone number that was verified before the owner came", () => {
  /** Guard: accounts/forget-factors.ts (removeAllPhones). */
  it("is no way in, and no second factor, once the owner has reset the password", async () => {
    const account = await register(server.url);
    const { access_token: attackers } = await login(server.url, account.username);
    const number = `+4915123${String(Math.floor(Math.random() * 1e6)).padStart(6, "0")}`;
    const added = await postJson(`${server.url}/me/phones`, { number }, bearer(attackers));
    const { id } = (await added.json()) as { id: string };
    const first = codeIn(await waitForMail(server, number));
    const path = `${server.url}/me/phones/${id}/verify`;
    expect((await postJson(path, { code: first }, bearer(attackers))).status).toBe(200);
    const { proof_token } = (await (
      await postJson(`${server.url}/login/sms-code`, { phone: number })
    ).json()) as { proof_token: string };
    const code = codeIn(await waitForMail(server, number, (mail) => codeIn(mail) !== first));

    await resetByOwner(account);

    const answer = await postJson(`${server.url}/login/sms-code/verify`, { proof_token, code });
    expect(await errorOf(answer)).toEqual([401, "invalid_code"]);
    const { access_token: owners } = await login(server.url, account.email, OWNERS);
    const listed = await fetch(`${server.url}/me/phones`, { headers: bearer(owners) });
    expect(await listed.json()).toEqual({ phones: [] });
  });
});

const codeIn = ({ subject, text }: Pick<Mail, "subject" | "text">) =>
  /\b\d{6}\b/.exec(`${subject} ${text}`)?.[0] ?? "none";
