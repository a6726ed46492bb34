/** Sign-in links: opened by machines, opened elsewhere, used twice, and sent to who should get none (OWASP ASVS V2.7). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { linkIn, type Mail, readMailbox, waitForMail } from "../support/mailbox.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { Browser, errorOf, login, type Person, readForm, register } from "./support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.configure({ magic_link_enabled: true });
});
afterAll(() => server.stop());

const SESSION = "__Host-gw_session";
const isLink = ({ text }: Mail) => text.includes("/signin/link?");

/** Somebody whose address is verified. */
async function verified(): Promise<Person> {
  const person = await register(server.url);
  const mail = await waitForMail(server, person.email, ({ text }) => text.includes("/verify-email"));
  await fetch(linkIn(mail));
  return person;
}

/** A browser that has asked for a link, and the link. */
async function asked(person: Person): Promise<{ browser: Browser; link: string }> {
  const browser = new Browser(server.url);
  const response = await browser.submit("/signin/magic-link", { identifier: person.email });
  expect(response.status).toBe(303);
  expect(response.headers.get("location")).toBe("/signin/link/wait");
  return { browser, link: linkIn(await waitForMail(server, person.email, isLink)) };
}

const press = (browser: Browser, link: string) => browser.submit(link, {});
const isSignedIn = async (browser: Browser) =>
  browser.cookies.has(SESSION) && (await browser.get("/account")).status === 200;

describe("a link that is opened by a mail scanner", () => {
  /** Guard: web/sign-in/magic-link.routes.ts, GET /signin/link shows a page and confirms nothing. */
  it("is not used up, and signs nobody in", async () => {
    const { browser, link } = await asked(await verified());
    const scanner = new Browser(server.url);
    for (const method of ["GET", "HEAD", "GET"]) {
      await fetch(link, { method, headers: { accept: "text/html,*/*" } });
    }
    expect((await scanner.get(link)).status).toBe(200);
    expect((await browser.get("/signin/link/wait")).status).toBe(200);
    expect(await isSignedIn(browser)).toBe(false);
    expect((await press(browser, link)).headers.get("location")).toBe("/account");
    expect(await isSignedIn(browser)).toBe(true);
    expect(await isSignedIn(scanner)).toBe(false);
  });

  it("is not confirmed by a form without the page's token", async () => {
    const { browser, link } = await asked(await verified());
    const token = new URL(link).searchParams.get("token") ?? "";
    expect((await new Browser(server.url).post("/signin/link", { token })).status).toBe(403);
    expect((await browser.get("/signin/link/wait")).status).toBe(200);
  });
});

describe("a link that is opened in another browser", () => {
  /** Guard: web/sign-in/magic-link.routes.ts, POST /signin/link (isHolder) and proofs/service.ts, completeMagicLink (findHeld). */
  it("never signs that browser in; the one that asked goes on", async () => {
    const { browser, link } = await asked(await verified());
    const other = new Browser(server.url);
    const page = await (await other.get(link)).text();
    expect(page).toContain("Confirm on this device");
    const waiting = await (await browser.get("/signin/link/wait")).text();
    const number = /<strong>(\d\d)<\/strong>/.exec(waiting)?.[1] ?? "none";
    expect(page).toContain(`<dd>${number}</dd>`);

    const confirmed = await press(other, link);
    expect(confirmed.status).toBe(200);
    expect(other.cookies.has(SESSION)).toBe(false);
    expect((await other.get("/signin/link/wait")).status).toBe(400);
    expect(other.cookies.has(SESSION)).toBe(false);

    expect((await browser.get("/signin/link/wait")).headers.get("location")).toBe("/account");
    expect(await isSignedIn(browser)).toBe(true);
  });

  /** The same with a proof of one's own in the cookie. Guard: proofs/service.ts, isHolder (the id and the secret). */
  it("nor a browser that asked for another link", async () => {
    const victim = await verified();
    const { link } = await asked(victim);
    const { browser: attacker } = await asked(await verified());
    expect((await press(attacker, link)).status).toBe(200);
    expect(attacker.cookies.has(SESSION)).toBe(false);
    expect((await attacker.get("/signin/link/wait")).status).toBe(200);
    expect(attacker.cookies.has(SESSION)).toBe(false);
  });
});

describe("a link that was used", () => {
  /** Guard: proofs/repo.ts, consume (one atomic statement). */
  it("works once, also for 20 requests that race", async () => {
    const person = await verified();
    const { proof_token: proofToken } = (await (
      await postJson(`${server.url}/login/magic-link`, { email: person.email })
    ).json()) as { proof_token: string };
    const link = linkIn(await waitForMail(server, person.email, isLink));
    const complete = () => postJson(`${server.url}/login/magic-link/complete`, { proof_token: proofToken });
    expect(await errorOf(complete())).toEqual([400, "authorization_pending"]);
    await press(new Browser(server.url), link);
    const answers = await Promise.all(Array.from({ length: 20 }, complete));
    expect(answers.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
    expect(await errorOf(complete())).toEqual([401, "invalid_code"]);
    expect((await new Browser(server.url).get(link)).status).toBe(400);
  });

  it("is over after ten minutes", async () => {
    const { browser, link } = await asked(await verified());
    server.clock.advance(10 * 60);
    expect((await browser.get(link)).status).toBe(400);
    expect((await browser.get("/signin/link/wait")).status).toBe(400);
  });
});

describe("a proof token", () => {
  /** Guard: proofs/service.ts, findHeld (matchesHash) and the kind of the proof. */
  it("is good for nothing when it is forged, or another's", async () => {
    const person = await verified();
    const answer = (await (
      await postJson(`${server.url}/login/magic-link`, { email: person.email })
    ).json()) as { proof_token: string };
    await press(new Browser(server.url), linkIn(await waitForMail(server, person.email, isLink)));
    const [prefix, id] = answer.proof_token.split("_");
    const forged = `${prefix}_${id}_${"A".repeat(43)}`;
    for (const token of [forged, "proof_x", person.id, `${answer.proof_token}x`]) {
      const response = postJson(`${server.url}/login/magic-link/complete`, { proof_token: token });
      expect(await errorOf(response)).toEqual([401, "invalid_code"]);
    }
    const asCode = postJson(`${server.url}/login/email-code/verify`, {
      proof_token: answer.proof_token,
      code: "000000",
    });
    expect(await errorOf(asCode)).toEqual([401, "invalid_code"]);
  });
});

describe("an address that nobody has verified", () => {
  /**
   * Pre-hijacking (Sudhodanan and Paverd, USENIX Security 2022): the attacker registers the victim's address with a
   * password of their own, and waits for the victim to sign in by mail.
   * Guard: proofs/issuing.ts, findByEmail (emailVerified).
   */
  it("is sent no link", async () => {
    const person = await register(server.url);
    await postJson(`${server.url}/login/magic-link`, { email: person.email });
    // A mail that is asked for later has come: the link would have, too.
    await postJson(`${server.url}/forgot-password`, { email: person.email });
    await waitForMail(server, person.email, ({ text }) => text.includes("/reset-password"));
    expect((await readMailbox(server)).filter((mail) => mail.to === person.email && isLink(mail))).toEqual(
      [],
    );
  });
});

describe("links where the tenant does not want them", () => {
  /** Guard: proofs/issuing.ts, requireSignInProof. */
  it("are not sent, by no surface", async () => {
    const person = await verified();
    await server.configure({ magic_link_enabled: false });
    expect((await postJson(`${server.url}/login/magic-link`, { email: person.email })).status).toBe(403);
    expect((await new Browser(server.url).get("/signin/magic-link")).status).toBe(403);
    const browser = new Browser(server.url);
    const form = readForm(await (await browser.get("/recover")).text());
    const fields = { ...form.fields, identifier: person.email };
    expect((await browser.post("/signin/magic-link", fields)).status).toBe(403);
    await server.configure({ magic_link_enabled: true });
  });
});

describe("a mailbox that is flooded", () => {
  /** Guard: proofs/service.ts, findSendableProof (MOST_SENT). */
  it("gets five links in ten minutes, and no more", async () => {
    const person = await verified();
    for (let count = 0; count < 8; count++) {
      await postJson(`${server.url}/login/magic-link`, { email: person.email });
    }
    await postJson(`${server.url}/forgot-password`, { email: person.email });
    await waitForMail(server, person.email, ({ text }) => text.includes("/reset-password"));
    const links = (await readMailbox(server)).filter((mail) => mail.to === person.email && isLink(mail));
    expect(links.length).toBeLessThanOrEqual(5);
    await login(server.url, person.email);
  });
});
