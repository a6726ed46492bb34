/** Administrators who sign in as a user: who may, and by what. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { outbox, sessions, users } from "../../src/db/schema/index.ts";
import { updateTenantSettings } from "../../src/domain/tenants/service.ts";
import { isId } from "../../src/lib/ids.ts";
import { caller, giveRole, newAdministrator } from "../api/native/admin/support.ts";
import { waitForMail } from "../support/mailbox.ts";
import {
  account,
  admin,
  app,
  ask,
  begin,
  configure,
  end,
  eventsAbout,
  follow,
  link,
  mine,
  newPeople,
  server,
  signedInAsUser,
  user,
  userId,
} from "./impersonation-fixture.ts";
import {
  bearer,
  Browser,
  createOtherTenant,
  exchangeCode,
  login,
  obtainCode,
  readForm,
  register,
} from "./support.ts";

beforeAll(begin);
afterAll(end);
beforeEach(newPeople);

describe("signing in as a user", () => {
  it("shows on every page who is who, and ends with a button", async () => {
    const browser = await signedInAsUser();
    const page = await account(browser);
    expect(page.status).toBe(200);
    for (const path of ["/account", "/account/security", "/impersonation"]) {
      const html = await (await browser.get(path)).text();
      expect(html).toContain('class="impersonation"');
      expect(html).toContain(user.email);
      expect(html).toContain(admin.person.email);
    }
    const refused = await browser.get("/account/security/email");
    expect([refused.status, (await refused.text()).includes('class="impersonation"')]).toEqual([403, true]);
    const form = readForm(page.html, "/impersonation/end");
    const ended = await browser.post(form.action, form.fields);
    expect([ended.status, ended.headers.get("location")]).toEqual([303, "/t/mine/impersonation"]);
    expect((await account(browser)).status).toBe(302);
  });

  it("is recorded as the administrator's, with why", async () => {
    await signedInAsUser();
    const [started] = await eventsAbout("impersonation.started");
    const [requested] = await eventsAbout("impersonation.requested");
    for (const event of [started, requested]) {
      expect([event?.actorId, event?.targetId]).toEqual([admin.person.id, user.id]);
      expect(event?.details).toMatchObject({ reason: "Ticket 4711" });
    }
    expect(started?.details["on_behalf_of"]).toBe(user.id);
  });

  /** Guard: audit/service.ts `attributed`. */
  it("names the administrator in whatever is recorded meanwhile", async () => {
    const browser = await signedInAsUser();
    const form = readForm((await account(browser)).html, "/signout");
    await browser.post(form.action, form.fields);
    const [event] = await eventsAbout("user.logout");
    expect([event?.actorId, event?.details["on_behalf_of"]]).toEqual([admin.person.id, user.id]);
  });

  it("is seen by the user among their sessions, and told by mail unless the tenant says otherwise", async () => {
    const { access_token: own } = await login(mine.base, user.username);
    await signedInAsUser();
    const listed = await fetch(`${mine.base}/me/sessions`, { headers: bearer(own) });
    const { sessions: all } = (await listed.json()) as { sessions: { id: string; impersonated: boolean }[] };
    expect(all.map(({ impersonated }) => impersonated).toSorted()).toEqual([false, true]);
    const mails = async () =>
      (await server.deps.db.select().from(outbox).where(eq(outbox.name, "impersonated"))).filter((job) =>
        JSON.stringify(job.payload).includes(user.id),
      ).length;
    expect(await mails()).toBe(1);
    await configure({ impersonation_mail: false });
    await signedInAsUser();
    await configure({ impersonation_mail: true });
    expect(await mails()).toBe(1);
    // And they can end it.
    const impersonated = all.find((one) => one.impersonated);
    await fetch(`${mine.base}/me/sessions/${impersonated?.id}`, { method: "DELETE", headers: bearer(own) });
    const [row] = await server.deps.db
      .select({ at: sessions.revokedAt })
      .from(sessions)
      .where(isId("session", impersonated?.id) ? eq(sessions.id, impersonated.id) : undefined);
    expect(row?.at).not.toBeNull();
  });

  it("is told to the user in words that say who, why and for how long", async () => {
    await server.startWorker();
    await signedInAsUser();
    const mail = await waitForMail(server, user.email, ({ subject }) => subject.includes("signed in as you"));
    expect(mail.subject).toBe("An administrator of mine signed in as you");
    expect(mail.text).toContain("Ticket 4711");
    expect(mail.text).toContain("at most 30 minutes");
  });

  it("is not news of a new device to the user, nor makes one known", async () => {
    await signedInAsUser();
    const [row] = await server.deps.db
      .select({ at: users.lastLoginAt })
      .from(users)
      .where(eq(users.id, userId(user)));
    expect(row?.at).toBeNull();
  });
});

describe("asking for it", () => {
  /** Guard: requestImpersonation looks at the setting; and findStandingImpersonation, for what was begun before. */
  it("is refused where the tenant does not allow it, which ends what was begun", async () => {
    const browser = await signedInAsUser();
    const open = await link();
    await configure({ impersonation_enabled: false });
    const refused = await ask(admin.token, user.id);
    expect([refused.status, refused.body.error]).toEqual([403, "impersonation_disabled"]);
    expect((await account(browser)).status).toBe(302);
    expect((await follow(open))[1].status).toBe(400);
    await configure({ impersonation_enabled: true });
  });

  it("is not possible by default", async () => {
    const other = await createOtherTenant(server, "untouched");
    const { token } = await newAdministrator(server, other);
    const person = await register(other.base);
    expect((await ask(token, person.id, undefined, other.base)).status).toBe(403);
  });

  /** Guard: standing.ts `mayImpersonate`. */
  it("is refused as who administers as much or more, or as oneself", async () => {
    const colleague = await newAdministrator(server, mine);
    const chief = await register(mine.base);
    await giveRole(server, mine.tenant, chief, "super_admin");
    const other = await register(mine.base);
    await giveRole(server, mine.tenant, other, "super_admin");
    for (const id of [colleague.person.id, chief.id, admin.person.id])
      expect((await ask(admin.token, id)).status).toBe(403);
    const { access_token: ofChief } = await login(mine.base, chief.username);
    for (const id of [other.id, chief.id]) expect((await ask(ofChief, id)).status).toBe(403);
    expect((await ask(ofChief, colleague.person.id)).status).toBe(200);
  });

  it("needs an administrator, a fresh proof, and a user of the tenant", async () => {
    const { access_token: plain } = await login(mine.base, user.username);
    const other = await register(mine.base);
    expect((await ask(plain, other.id)).status).toBe(403);
    const elsewhere = await createOtherTenant(server, "elsewhere");
    const stranger = await register(elsewhere.base);
    expect((await ask(admin.token, stranger.id)).status).toBe(404);
    server.clock.advance(15 * 60 + 1);
    const stale = await ask(admin.token, user.id);
    expect([stale.status, stale.body.error]).toEqual([401, "insufficient_user_authentication"]);
  });

  /** Guard: requestImpersonation compares the administrator's tenant. */
  it("is refused for another tenant's user, also by who administers every tenant", async () => {
    const chief = await register(server.url);
    await giveRole(server, server.tenant, chief, "super_admin");
    const { access_token: token } = await login(server.url, chief.username);
    const response = await fetch(`${server.url}/api/v1/admin/users/${user.id}/impersonate`, {
      method: "POST",
      headers: { "content-type": "application/json", ...bearer(token), "x-org-context": "mine" },
      body: JSON.stringify({ reason: "x" }),
    });
    expect(response.status).toBe(403);
  });

  it.each([
    [{ minutes: 5 }],
    [{ reason: " ", minutes: 5 }],
    [{ reason: "x", minutes: 61 }],
    [{ reason: "x", minutes: 0 }],
  ])("is refused with %p", async (body) => {
    expect((await ask(admin.token, user.id, body)).status).toBe(422);
  });
});

describe("the link", () => {
  /** Guard: impersonation/repo.ts `open`: one statement. */
  it("is good once, also for two who race", async () => {
    const url = await link();
    const browsers = [new Browser(mine.base), new Browser(mine.base)];
    const forms = await Promise.all(
      browsers.map(async (browser) => readForm(await (await browser.get(url)).text(), "/impersonate")),
    );
    const answers = await Promise.all(
      browsers.map((browser, at) => browser.post(forms[at]?.action ?? "", forms[at]?.fields ?? {})),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([303, 400]);
    expect((await follow(url))[1].status).toBe(400);
  });

  /** Guard: impersonation/repo.ts and findOpenable compare expiresAt. */
  it("is good for a minute", async () => {
    const url = await link();
    server.clock.advance(60);
    expect((await follow(url))[1].status).toBe(400);
  });

  it("is not used by opening it", async () => {
    const url = await link();
    const browser = new Browser(mine.base);
    for (let time = 0; time < 3; time++) expect((await browser.get(url)).status).toBe(200);
    expect((await follow(url, browser))[1].status).toBe(303);
  });

  it("is kept as a digest alone", async () => {
    const secret = (await link()).slice(-43);
    const [row] = await server.deps.db.$client<{ found: boolean }[]>`
      select exists (select 1 from impersonations i where i::text like ${`%${secret}%`}) as found`;
    expect(row?.found).toBe(false);
  });

  /** Guard: findOpenable looks for it in the tenant of the request, and compares the digest. */
  it("of another tenant, or forged, is none", async () => {
    const url = await link();
    const { search } = new URL(url);
    const elsewhere = await createOtherTenant(server, "further");
    await updateTenantSettings(server.deps, elsewhere.tenant, { impersonation_enabled: true });
    expect((await new Browser(elsewhere.base).get(`/impersonate${search}`)).status).toBe(400);
    const forged = url.replace(/_[\w-]{43}$/, `_${"A".repeat(43)}`);
    expect((await new Browser(mine.base).get(forged)).status).toBe(400);
  });

  /** Guard: impersonation/service.ts `isTheirs`. */
  it("is good in the administrator's own browser alone, if they have one there", async () => {
    const own = new Browser(mine.base);
    await own.signIn(admin.person.username);
    const { code, verifier } = await obtainCode(own, app);
    const answer = await exchangeCode(app, { code, verifier });
    const { access_token: token } = (await answer.json()) as { access_token: string };
    const url = await link(token);
    expect((await follow(url))[1].status).toBe(400);
    const victim = new Browser(mine.base);
    await victim.signIn((await register(mine.base)).username);
    expect((await follow(url, victim))[1].status).toBe(400);
    expect((await follow(url, own))[1].status).toBe(303);
    expect((await account(own)).html).toContain(user.email);
  });

  it("does not open in a browser where somebody else is signed in, or an impersonation is on", async () => {
    const victim = new Browser(mine.base);
    await victim.signIn((await register(mine.base)).username);
    expect((await follow(await link(), victim))[1].status).toBe(400);
    const browser = await signedInAsUser();
    expect((await browser.get(await link())).status).toBe(403);
  });

  it("is worthless once who asked for it is signed out or no administrator any more", async () => {
    const url = await link();
    await fetch(`${mine.base}/me/sessions`, { headers: bearer(admin.token) });
    const second = await newAdministrator(server, mine);
    await caller(mine.base, second.token)("DELETE", `/users/${admin.person.id}/sessions`);
    expect((await follow(url))[1].status).toBe(400);
  });
});
