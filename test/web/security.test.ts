/** The security page: what it takes to change something there, and whose forms it takes. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { auditEvents } from "../../src/db/schema/index.ts";
import type { Visit } from "../support/browser.ts";
import { totpCode } from "../support/mfa.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { newPagePerson, newPersonWithTotp, PASSWORD, sendByScript } from "./support.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.clock.advance(60);
});

const SECURITY = "/account/security";
/** Longer than a proof is fresh. */
const letGoStale = () => server.clock.advance(15 * 60 + 1);

async function signedInWithTotp() {
  const person = await newPersonWithTotp(server);
  const page = await person.signIn();
  await person.browser.submit(page, "/signin/verify", { code: totpCode(server, person.app.secret) });
  server.clock.advance(30);
  return person;
}

const managePath = ({ html }: Visit) =>
  new RegExp(`href="(${SECURITY}/(?:totp|passkeys)/[^"/]+_[^"]+)"`).exec(html)?.[1] ?? "";

describe("a page that could shut its person out", () => {
  it.each(["/totp/new", "/passkeys/new", "/backup-codes", "/api-keys/new", "/email", "/delete", "/export"])(
    "%s needs a proof of lately",
    async (path) => {
      const person = await signedInWithTotp();
      letGoStale();
      const asked = await person.browser.open(SECURITY + path);
      expect(asked.url.pathname).toBe("/signin/step-up");
      expect(asked.url.searchParams.get("to")).toBe(SECURITY + path);
    },
  );

  it("needs the second factor of who has one, though the password was given just now", async () => {
    const person = await newPersonWithTotp(server);
    await server.configure({ mfa_enforcement: "off" });
    await person.signIn();
    await server.configure({ mfa_enforcement: "optional" });
    const asked = await person.browser.open(`${SECURITY}/email`);
    expect(asked.url.pathname).toBe("/signin/step-up");
    expect(asked.html).not.toContain('name="password"');
  });

  it("is come back to once the proof is given", async () => {
    const person = await signedInWithTotp();
    letGoStale();
    const asked = await person.browser.open(`${SECURITY}/email`);
    const wrong = await person.browser.submit(asked, "/signin/step-up", { code: "000000" });
    expect(wrong.html).toContain("This is not right.");
    const done = await person.browser.submit(wrong, "/signin/step-up", {
      code: totpCode(server, person.app.secret),
    });
    expect(done.url.pathname).toBe(`${SECURITY}/email`);
  });

  it("takes the password of who has nothing more", async () => {
    const person = await newPagePerson(server);
    await person.signIn();
    letGoStale();
    const asked = await person.browser.open(`${SECURITY}/delete`);
    const wrong = await person.browser.submit(asked, "/signin/step-up", { password: "Wr0ng!word" });
    expect(wrong.html).toContain("This is not right.");
    const done = await person.browser.submit(wrong, "/signin/step-up", { password: PASSWORD });
    expect(done.url.pathname).toBe(`${SECURITY}/delete`);
  });
});

describe("a form that was shown while the proof was fresh", () => {
  it.each(["rename", "remove"])("does not %s a factor once it is stale", async (action) => {
    const person = await signedInWithTotp();
    const path = managePath(await person.browser.open(SECURITY));
    const page = await person.browser.open(path);
    letGoStale();
    const sent = await person.browser.submit(page, `${path}/${action}`, { name: "Changed" });
    expect(sent.url.pathname).toBe("/signin/step-up");
    expect((await person.browser.open(SECURITY)).html).toContain("Authenticator app</bdi>");
  });

  it.each(["/backup-codes", "/email", "/delete"])("of %s does nothing once it is stale", async (path) => {
    const person = await signedInWithTotp();
    const page = await person.browser.open(SECURITY + path);
    letGoStale();
    const sent = await person.browser.submit(page, SECURITY + path, { email: "new@example.com" });
    expect(sent.url.pathname).toBe("/signin/step-up");
    expect((await person.browser.open("/account")).url.pathname).toBe("/account");
  });

  it("makes no passkey's challenge for a stale session", async () => {
    const person = await signedInWithTotp();
    const page = await person.browser.open(`${SECURITY}/passkeys/new`);
    const asked = { browser: person.browser, page, url: `${SECURITY}/passkeys/new/options` };
    expect((await sendByScript(server, asked)).status).toBe(200);
    letGoStale();
    expect((await sendByScript(server, asked)).status).toBe(401);
  });
});

describe("every form of the security page", () => {
  it("belongs to the session that it was shown in", async () => {
    const person = await signedInWithTotp();
    const page = await person.browser.open(SECURITY);
    const other = await newPagePerson(server);
    await other.browser.open("/signin");
    for (const [name, value] of person.browser.cookies)
      if (name === "__Host-gw_browser") other.browser.cookies.set(name, value);
    await other.signIn();
    for (const action of [...new Set(page.forms.map((form) => form.action))]) {
      const sent = await other.browser.submit(page, action);
      expect([action, sent.status]).toEqual([action, 403]);
    }
  });

  it("changes nothing of another person's factors, which are as if they were not there", async () => {
    const victim = await signedInWithTotp();
    const theirs = managePath(await victim.browser.open(SECURITY));
    const person = await signedInWithTotp();
    expect((await person.browser.open(theirs)).status).toBe(404);
    const own = managePath(await person.browser.open(SECURITY));
    const page = await person.browser.open(own);
    for (const action of ["rename", "remove"]) {
      const forged = page.forms.map((form) => ({ ...form, action: form.action.replace(own, theirs) }));
      const sent = await person.browser.submit({ ...page, forms: forged }, `${theirs}/${action}`, {
        name: "Mine",
      });
      expect(sent.status).toBe(404);
    }
    expect((await victim.browser.open(theirs)).status).toBe(200);
  });
});

describe("/signin/step-up", () => {
  it.each(["//evil.example", "https://evil.example", "/account/../signout", "/signin", "/account?x=y", ""])(
    "comes back to no other page than the account's: %s",
    async (to) => {
      const person = await signedInWithTotp();
      const page = await person.browser.open(`/signin/step-up?${new URLSearchParams({ to })}`);
      const done = await person.browser.submit(page, "/signin/step-up", {
        to,
        code: totpCode(server, person.app.secret),
      });
      expect(done.url.href).toBe(`${server.url}/account`);
    },
  );
});

describe("a form of /signin/step-up", () => {
  it("that one person was shown proves nothing for another, who signed in since", async () => {
    const person = await newPagePerson(server);
    await person.signIn();
    letGoStale();
    const page = await person.browser.open(`${SECURITY}/delete`);
    const other = await newPagePerson(server);
    const form = await person.browser.open("/signin?again=true");
    await person.browser.submit(form, "/signin", { identifier: other.email, password: PASSWORD });
    const sent = await person.browser.submit(page, "/signin/step-up", { password: PASSWORD });
    expect(sent.status).toBe(403);
    const asked = { browser: person.browser, page, url: "/signin/step-up/options" };
    expect((await sendByScript(server, asked)).status).toBe(403);
  });
});

describe("what is done on the security page", () => {
  it("renames and removes an authenticator app", async () => {
    const person = await signedInWithTotp();
    const path = managePath(await person.browser.open(SECURITY));
    const page = await person.browser.open(path);
    const bad = await person.browser.submit(page, `${path}/rename`, { name: " " });
    expect(bad.status).toBe(400);
    const renamed = await person.browser.submit(page, `${path}/rename`, { name: "Old phone" });
    expect(renamed.html).toContain("Old phone</bdi>");
    const removed = await person.browser.submit(page, `${path}/remove`);
    expect(removed.html).toContain("No authenticator app is set up.");
  });

  it("keeps the last factor where everybody has to have one", async () => {
    const person = await signedInWithTotp();
    const path = managePath(await person.browser.open(SECURITY));
    const page = await person.browser.open(path);
    await server.configure({ mfa_enforcement: "required" });
    const kept = await person.browser.submit(page, `${path}/remove`);
    await server.configure({ mfa_enforcement: "optional" });
    expect(kept.html).toContain("A second factor is required here.");
    expect(kept.html).toContain("Authenticator app</bdi>");
  });

  it("adds another authenticator app under a name of its own", async () => {
    const person = await signedInWithTotp();
    const page = await person.browser.open(`${SECURITY}/totp/new`);
    const taken = await person.browser.submit(page, `${SECURITY}/totp/name`, { name: "Authenticator app" });
    expect(taken.html).toContain("There is one of this name already.");
    const setUp = await person.browser.submit(page, `${SECURITY}/totp/name`, { name: "Tablet" });
    const secret = /<p class="secret"><code>([A-Z2-7 ]+)</.exec(setUp.html)?.[1]?.replaceAll(" ", "") ?? "";
    const added = await person.browser.submit(setUp, `${SECURITY}/totp/new`, {
      code: totpCode(server, secret),
    });
    expect(added.html).toContain("Tablet</bdi>");
  });

  it("makes new backup codes, shown once", async () => {
    const person = await signedInWithTotp();
    const page = await person.browser.open(`${SECURITY}/backup-codes`);
    const made = await person.browser.submit(page, `${SECURITY}/backup-codes`);
    expect(made.html.match(/<li><code>/g)).toHaveLength(10);
    expect(made.html).not.toContain(person.app.backupCodes[0] ?? "no code");
  });

  it("changes the password of who knows the one before", async () => {
    const person = await newPagePerson(server);
    await person.signIn();
    const page = await person.browser.open(`${SECURITY}/password`);
    const fields = { current_password: "Wr0ng!word", new_password: "An0ther-Horse!" };
    const wrong = await person.browser.submit(page, `${SECURITY}/password`, fields);
    expect(wrong.html).toContain("This is not your password.");
    const weak = await person.browser.submit(page, `${SECURITY}/password`, {
      current_password: PASSWORD,
      new_password: "weak",
    });
    expect(weak.status).toBe(400);
    const done = await person.browser.submit(page, `${SECURITY}/password`, {
      ...fields,
      current_password: PASSWORD,
    });
    expect(done.html).toContain("Your password is changed.");
  });

  it("asks for another address, and keeps the old one when told to", async () => {
    const person = await newPagePerson(server);
    await person.signIn();
    const page = await person.browser.open(`${SECURITY}/email`);
    const none = await person.browser.submit(page, `${SECURITY}/email`, { email: "nowhere" });
    expect(none.status).toBe(400);
    const email = `new-${person.email}`;
    const asked = await person.browser.submit(page, `${SECURITY}/email`, { email });
    expect(asked.html).toContain(email);
    const kept = await person.browser.submit(asked, `${SECURITY}/email/cancel`);
    expect(kept.html).not.toContain(email);
  });

  it("has a copy of the data made and hands it out", async () => {
    const person = await newPagePerson(server);
    await person.signIn();
    const page = await person.browser.open(SECURITY);
    const asked = await person.browser.submit(page, `${SECURITY}/export`);
    expect(asked.html).toContain("Your copy is being made.");
    expect((await person.browser.open(`${SECURITY}/export`)).url.search).toBe("?problem=not_possible");
    await server.startWorker();
    const deadline = Date.now() + 15_000;
    let copy = await person.browser.open(`${SECURITY}/export`);
    while (copy.headers.get("content-type") !== "application/json" && Date.now() < deadline) {
      await Bun.sleep(50);
      copy = await person.browser.open(`${SECURITY}/export`);
    }
    expect(copy.headers.get("content-disposition")).toContain("attachment");
    expect(JSON.parse(copy.html)).toHaveProperty("generated_at");
  });

  it("deletes the account, and signs out", async () => {
    const person = await newPagePerson(server);
    await person.signIn();
    const page = await person.browser.open(`${SECURITY}/delete`);
    const done = await person.browser.submit(page, `${SECURITY}/delete`);
    expect(done.html).toContain("Your account will be deleted");
    expect(person.browser.cookies.has("__Host-gw_session")).toBe(false);
    const asked = eq(auditEvents.type, "user.deletion_requested");
    expect(await server.deps.db.$count(auditEvents, asked)).toBe(1);
  });
});
