/** Taking an account over by its address: whoever has the address has the account. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { linkIn, type Mail, readMailbox, waitForMail } from "../support/mailbox.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { bearer, Browser, createOtherTenant, errorOf, login, type Person, register } from "./support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

async function verified(): Promise<Person> {
  const person = await register(server.url);
  const mail = await waitForMail(server, person.email, ({ text }) => text.includes("/verify-email"));
  await fetch(linkIn(mail));
  return person;
}

const attackersAddress = () => `attacker${crypto.randomUUID()}@example.com`;
const has =
  (path: string) =>
  ({ text }: Mail) =>
    text.includes(path);
const press = (link: string) => new Browser(server.url).submit(link, {});
const emailOf = async (token: string) => {
  const response = await fetch(`${server.url}/me`, { headers: bearer(token) });
  return ((await response.json()) as { email: string }).email;
};
const askFor = (token: string, email: string) => postJson(`${server.url}/me/email`, { email }, bearer(token));

describe("a stolen session that asks for another address", () => {
  /** Guard: accounts/email-change.ts, consentToEmailChange (both consents) and requestEmailChange (approvedAt). */
  it("gets none without the old address, and its owner is told", async () => {
    const victim = await verified();
    const { access_token: token } = await login(server.url, victim.email);
    const address = attackersAddress();
    await askFor(token, address);
    const confirm = linkIn(await waitForMail(server, address, has("/email-change/confirm")));
    expect((await press(confirm)).status).toBe(200);
    expect(await emailOf(token)).toBe(victim.email);
    await waitForMail(server, victim.email, has("/email-change/approve"));
    // Nor does the confirmation count twice, once for each address.
    expect((await new Browser(server.url).get(confirm)).status).toBe(400);
    expect((await new Browser(server.url).get(confirm.replace("/confirm", "/approve"))).status).toBe(400);
    expect(await emailOf(token)).toBe(victim.email);
  });

  /** Guard: api/native/me-account.ts, requireFresh before requestEmailChange. */
  it("gets nowhere with a sign-in that is not recent", async () => {
    const victim = await verified();
    const { access_token: token } = await login(server.url, victim.email);
    server.clock.advance(14 * 60 + 59);
    expect((await askFor(token, attackersAddress())).status).toBe(202);
    server.clock.advance(-(14 * 60 + 59));
    await server.configure({ access_token_lifetime: 3600 });
    const { access_token: longer } = await login(server.url, victim.email);
    server.clock.advance(15 * 60 + 1);
    expect(await errorOf(askFor(longer, attackersAddress()))).toEqual([
      401,
      "insufficient_user_authentication",
    ]);
    await server.configure({ access_token_lifetime: 900 });
  });
});

describe("a link of a change", () => {
  /** Guard: web/sign-in/links.routes.ts, GET shows a page and changes nothing. */
  it("is not used by a mail scanner", async () => {
    const victim = await verified();
    const { access_token: token } = await login(server.url, victim.email);
    const address = attackersAddress();
    await askFor(token, address);
    const links = [
      linkIn(await waitForMail(server, victim.email, has("/email-change/approve"))),
      linkIn(await waitForMail(server, address, has("/email-change/confirm"))),
    ];
    for (const link of links) {
      for (const method of ["GET", "HEAD"]) await fetch(link, { method, headers: { accept: "text/html" } });
    }
    expect(await emailOf(token)).toBe(victim.email);
  });

  /** Guard: accounts/repo.ts, openChange (tenant_id). */
  it("is worth nothing in another tenant", async () => {
    const other = await createOtherTenant(server, "elsewhere");
    const victim = await verified();
    const { access_token: token } = await login(server.url, victim.email);
    await askFor(token, attackersAddress());
    const link = linkIn(await waitForMail(server, victim.email, has("/email-change/approve")));
    const there = link.replace(server.url, other.base);
    expect((await new Browser(other.base).get(there)).status).toBe(400);
    expect((await new Browser(server.url).get(link)).status).toBe(200);
  });
});

describe("an old address after the change", () => {
  /**
   * Whoever reads the old mailbox may hold a reset link from before.
   * Guard: accounts/password-reset.ts, resetPassword (hasEmail); accounts/repo.ts, replacePrimaryEmail (a new row).
   */
  it("resets no password any more, with a link that was mailed to it before", async () => {
    const person = await verified();
    const { access_token: token } = await login(server.url, person.email);
    await postJson(`${server.url}/forgot-password`, { email: person.email });
    const reset = linkIn(await waitForMail(server, person.email, has("/reset-password")));
    const address = attackersAddress();
    await askFor(token, address);
    await press(linkIn(await waitForMail(server, address, has("/email-change/confirm"))));
    await press(linkIn(await waitForMail(server, person.email, has("/email-change/approve"))));
    expect(await emailOf(token)).toBe(address);
    const stale = new URL(reset).searchParams.get("token") ?? "";
    const attempt = postJson(`${server.url}/reset-password`, {
      token: stale,
      new_password: "An0ther-P@ssword!",
    });
    expect(await errorOf(attempt)).toEqual([400, "invalid_token"]);
    await login(server.url, address);
  });
});

describe("an address that somebody has", () => {
  /** Guard: accounts/email-change.ts (looks nobody up); workers/email/account-mails.ts, confirm_new_email (owner). */
  it("is answered like one that nobody has, is written nothing, and cannot be taken", async () => {
    const owner = await verified();
    const answerTo = async (person: Person, email: string) => {
      const { access_token: token } = await login(server.url, person.email);
      const response = await askFor(token, email);
      const body = (await response.json()) as { new_email: string; expires_at: string };
      return { token, answer: { status: response.status, ...body, new_email: "", expires_at: "" } };
    };
    const [victim, other] = [await verified(), await verified()];
    const { token, answer } = await answerTo(victim, owner.email);
    expect(answer).toEqual((await answerTo(other, attackersAddress())).answer);
    await press(linkIn(await waitForMail(server, victim.email, has("/email-change/approve"))));
    expect(await emailOf(token)).toBe(victim.email);
    const toOwner = (await readMailbox(server)).filter(({ to }) => to === owner.email);
    expect(toOwner.filter(has("/email-change/"))).toEqual([]);
  });
});
