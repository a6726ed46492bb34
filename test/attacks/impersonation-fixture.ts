/** What the attacks on impersonation share. */
import { and, desc, eq } from "drizzle-orm";
import { auditEvents } from "../../src/db/schema/index.ts";
import { updateTenantSettings } from "../../src/domain/tenants/service.ts";
import type { TenantSettings } from "../../src/domain/tenants/settings.ts";
import { isId } from "../../src/lib/ids.ts";
import { caller, newAdministrator } from "../api/native/admin/support.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  Browser,
  createApp,
  createOtherTenant,
  type OtherTenant,
  type Person,
  readForm,
  register,
} from "./support.ts";

export let server: TestServer;
export let mine: OtherTenant;
export let app: App;
export let admin: { person: Person; token: string };
export let user: Person;

export const configure = (settings: Partial<TenantSettings>) =>
  updateTenantSettings(server.deps, mine.tenant, settings);

/** A tenant that allows it, and an application of it. */
export async function begin(): Promise<void> {
  server = await startTestServer();
  mine = await createOtherTenant(server, "mine");
  await configure({ impersonation_enabled: true, access_token_lifetime: 3600 });
  app = await createApp(server, { grantTypes: ["authorization_code", "refresh_token"] }, mine);
}

export const end = () => server.stop();

/** Somebody new who administers, and somebody new whom they sign in as. */
export async function newPeople(): Promise<void> {
  server.clock.advance(60);
  admin = await newAdministrator(server, mine);
  user = await register(mine.base);
}

export const ask = (
  token: string,
  id: string,
  body: unknown = { reason: "Ticket 4711", minutes: 30 },
  base = mine.base,
) => caller(base, token)<{ url: string; error: string }>("POST", `/users/${id}/impersonate`, body);

export async function link(token = admin.token, id = user.id): Promise<string> {
  const answer = await ask(token, id);
  if (answer.status !== 200) throw new Error(`no link: ${answer.status}`);
  return answer.body.url;
}

/** Opens a link as a person does: the page, and its button. */
export async function follow(url: string, browser = new Browser(mine.base)): Promise<[Browser, Response]> {
  const page = await browser.get(url);
  if (page.status !== 200) return [browser, page];
  const form = readForm(await page.text(), "/impersonate");
  return [browser, await browser.post(form.action, form.fields)];
}

export async function signedInAsUser(token = admin.token, id = user.id): Promise<Browser> {
  const [browser, response] = await follow(await link(token, id));
  if (response.status !== 303 || response.headers.get("location") !== "/t/mine/account")
    throw new Error(`not signed in: ${response.status}`);
  return browser;
}

export const account = async (browser: Browser) => {
  const response = await browser.get("/account");
  return { status: response.status, html: await response.text() };
};

export const userId = (person: Person) => {
  if (!isId("user", person.id)) throw new Error("not a user's id");
  return person.id;
};

export const eventsAbout = (type: "impersonation.started" | "impersonation.requested" | "user.logout") =>
  server.deps.db
    .select()
    .from(auditEvents)
    .where(and(eq(auditEvents.tenantId, mine.tenant.id), eq(auditEvents.type, type)))
    .orderBy(desc(auditEvents.createdAt), desc(auditEvents.id));
