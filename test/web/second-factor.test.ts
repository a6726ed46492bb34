/** The pages between the two factors of a sign-in: what a browser is told, what it keeps, and what that is good for. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { proofs } from "../../src/db/schema/index.ts";
import { createHttpBrowser, type Visit } from "../support/browser.ts";
import { totpCode } from "../support/mfa.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { newPagePerson, newPersonWithTotp, sendByScript } from "./support.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  server.clock.advance(60);
  await server.configure({
    mfa_enforcement: "optional",
    mfa_methods: ["totp", "webauthn", "backup_code"],
    trusted_device_days: 30,
  });
});

const LOGIN = "__Host-gw_login";

describe("/signin/verify", () => {
  it("is reached with nothing secret in its address, by a cookie that opens nothing", async () => {
    const person = await newPersonWithTotp(server);
    const page = await person.signIn();
    expect(page.url.pathname + page.url.search).toBe("/signin/verify");
    expect(page.html).not.toContain("chal_");
    expect(person.browser.cookies.get(LOGIN)).toStartWith("chal_");
    expect(person.browser.cookies.has("__Host-gw_session")).toBe(false);
    expect((await person.browser.open("/account")).url.pathname).toBe("/signin");
  });

  it("signs in with a right code and forgets the cookie", async () => {
    const person = await newPersonWithTotp(server);
    const page = await person.signIn();
    const done = await person.browser.submit(page, "/signin/verify", {
      code: totpCode(server, person.app.secret),
    });
    expect(done.url.pathname).toBe("/account");
    expect(person.browser.cookies.has(LOGIN)).toBe(false);
    expect(person.browser.cookies.has("__Host-gw_trusted")).toBe(false);
  });

  it("says the same of a wrong code in the person's own words, and lets go after five", async () => {
    const person = await newPersonWithTotp(server);
    let page = await person.signIn();
    for (let wrong = 0; wrong < 5; wrong++) {
      page = await person.browser.submit(page, "/signin/verify", { code: "000000" });
      expect(page.status).toBe(400);
      expect(page.html).toContain("This is not right.");
    }
    const over = await person.browser.submit(page, "/signin/verify", {
      code: totpCode(server, person.app.secret),
    });
    expect(over.url.pathname).toBe("/signin");
    expect(over.html).toContain("This sign-in is over");
    expect(person.browser.cookies.has(LOGIN)).toBe(false);
  });

  it("is over after five minutes", async () => {
    const person = await newPersonWithTotp(server);
    const page = await person.signIn();
    server.clock.advance(5 * 60 + 1);
    const over = await person.browser.submit(page, "/signin/verify", {
      code: totpCode(server, person.app.secret),
    });
    expect(over.html).toContain("This sign-in is over");
  });

  it("takes no form of another browser, nor from another site", async () => {
    const person = await newPersonWithTotp(server);
    const page = await person.signIn();
    const code = totpCode(server, person.app.secret);
    const elsewhere = await person.browser.postFromElsewhere(`${server.url}/signin/verify`, {
      ...page.forms[0]?.fields,
      code,
    });
    expect(elsewhere.status).toBe(403);
    const other = createHttpBrowser(server.url, { cookies: Object.fromEntries(person.browser.cookies) });
    other.cookies.set("__Host-gw_browser", "another");
    expect((await other.submit(page, "/signin/verify", { code })).status).toBe(403);
  });

  it("takes no method that the tenant does not, whatever a form names", async () => {
    const person = await newPersonWithTotp(server);
    const page = await person.signIn();
    await server.configure({ mfa_methods: ["totp"] });
    const [code = ""] = person.app.backupCodes;
    const refused = await person.browser.submit(page, "/signin/verify", { method: "backup_code", code });
    expect(refused.status).toBe(400);
  });

  it("offers no trust where no device is trusted", async () => {
    const person = await newPersonWithTotp(server);
    await server.configure({ trusted_device_days: 0 });
    const page = await person.signIn();
    expect(page.html).not.toContain("trust_device");
  });

  it("leads nowhere without a sign-in that is under way", async () => {
    const person = await newPagePerson(server);
    expect((await person.browser.open("/signin/verify")).url.pathname).toBe("/signin");
    expect((await person.browser.open("/signin/enroll")).url.pathname).toBe("/signin");
    expect((await person.browser.open("/signin/step-up")).url.pathname).toBe("/signin");
  });

  it("has our script ask for a passkey's options with the form's token alone", async () => {
    const person = await newPersonWithTotp(server);
    const page = await person.signIn();
    const asked = { browser: person.browser, page, url: "/signin/verify/options" };
    const options = await sendByScript(server, asked);
    expect(options.status).toBe(200);
    expect(options.headers.get("cache-control")).toBe("no-store");
    expect(await options.json()).toMatchObject({ rpId: "localhost" });
    expect((await sendByScript(server, asked, { csrf: "x" })).status).toBe(403);
    expect((await sendByScript(server, asked, { origin: "https://elsewhere.example" })).status).toBe(403);
    const stranger = createHttpBrowser(server.url);
    const strange = await stranger.open("/signin");
    const refused = await sendByScript(server, { browser: stranger, page: strange, url: asked.url });
    expect(refused.status).toBe(401);
  });
});

describe("a code by mail as the second factor", () => {
  it("is sent when somebody asks for it, and again only after a while", async () => {
    await server.configure({ mfa_methods: ["totp", "email_code"] });
    const person = await newPersonWithTotp(server);
    await verifyEmail(person.email);
    await person.signIn();
    const ask = await person.browser.open("/signin/verify?method=email_code");
    expect(ask.html).toContain("Send a code");
    expect(await sentProofs()).toBe(0);
    const sent = await send(person, ask);
    expect(sent.html).toContain("A code is on its way.");
    expect(sent.html).toContain('data-wait="30"');
    const again = await send(person, sent);
    expect(again.html).toContain("A code was sent just now.");
    expect(await sentProofs()).toBe(1);
    server.clock.advance(31);
    expect((await send(person, again)).html).toContain("A code is on its way.");
    expect(await sentProofs()).toBe(2);
  });

  const send = (person: { browser: ReturnType<typeof createHttpBrowser> }, page: Visit) =>
    person.browser.submit(page, "/signin/verify/send");

  const sentProofs = () => server.deps.db.$count(proofs, eq(proofs.purpose, "second_factor"));

  async function verifyEmail(address: string): Promise<void> {
    await server.deps.db.execute(
      `update user_emails set verified_at = created_at where address = '${address}'`,
    );
  }
});

describe("/signin/enroll", () => {
  it("signs nobody in before the factor is set up, and shows the same key until it is", async () => {
    const person = await newPagePerson(server);
    await server.configure({ mfa_enforcement: "required" });
    const choice = await person.signIn();
    expect(choice.url.pathname).toBe("/signin/enroll");
    expect((await person.browser.open("/account")).url.pathname).toBe("/signin");
    const page = await person.browser.open("/signin/enroll/totp");
    expect(secretOf(page)).toMatch(/^[A-Z2-7]{32}$/);
    const wrong = await person.browser.submit(page, "/signin/enroll/totp", { code: "000000" });
    expect(wrong.status).toBe(400);
    expect(secretOf(wrong)).toBe(secretOf(page));
    const done = await person.browser.submit(wrong, "/signin/enroll/totp", {
      code: totpCode(server, secretOf(page)),
    });
    expect(done.html).toContain("Keep your backup codes");
    expect(done.html.match(/<li><code>/g)).toHaveLength(10);
    expect(done.headers.get("cache-control")).toBe("no-store");
    expect((await person.browser.open("/account")).url.pathname).toBe("/account");
  });

  it("is no way around a second factor that there is", async () => {
    const person = await newPersonWithTotp(server);
    await server.configure({ mfa_enforcement: "required" });
    expect((await person.signIn()).url.pathname).toBe("/signin/verify");
    expect((await person.browser.open("/signin/enroll/totp")).url.pathname).toBe("/signin");
  });

  it("sets up nothing that the tenant does not take", async () => {
    const person = await newPagePerson(server);
    await server.configure({ mfa_enforcement: "required", mfa_methods: ["webauthn"] });
    const choice = await person.signIn();
    expect(choice.html).not.toContain("/signin/enroll/totp");
    expect((await person.browser.open("/signin/enroll/totp")).url.pathname).toBe("/signin/enroll");
  });
});

const secretOf = ({ html }: Visit) =>
  /<p class="secret"><code>([A-Z2-7 ]+)</.exec(html)?.[1]?.replaceAll(" ", "") ?? "";
