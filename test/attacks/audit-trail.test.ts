/** Whoever gets in tries to leave no trace (CWE-778, CWE-117; DESIGN §4: the audit trail is append-only). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { asc } from "drizzle-orm";
import { auditEvents } from "../../src/db/schema/index.ts";
import { linkIn, waitForMail } from "../support/mailbox.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import {
  createApp,
  exchangeCode,
  login,
  obtainCode,
  PASSWORD,
  refresh,
  signedIn,
  tokenRequest,
  tokensOf,
} from "./support.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

/** The error that a statement ends with, or `done`; whatever it did is undone, so that each has all rows before it. */
const attempt = (statement: string): Promise<string> =>
  server.deps.db.$client
    .begin(async (sql) => {
      await sql.unsafe(statement);
      throw new Error("done");
    })
    .catch((error: Error) => error.message);

describe("a row of the audit trail", () => {
  /** Guard: trigger audit_events_append_only (drizzle/migrations). */
  it.each([
    "update audit_events set actor_id = null",
    "update audit_events set type = 'user.logout' where type = 'key.created'",
    "delete from audit_events",
    "insert into audit_events select * from audit_events on conflict (tenant_id, created_at, id) do update set ip = ''",
    "merge into audit_events a using audit_events b on a.id = b.id when matched then delete",
    "with gone as (delete from audit_events returning 1) select * from gone",
    "truncate audit_events",
  ])("cannot be changed or removed: %s", async (statement) => {
    const before = await server.deps.db.select().from(auditEvents).orderBy(asc(auditEvents.id));
    expect(before.length).toBeGreaterThan(3);
    expect(await attempt(statement)).toContain("append-only");
    expect(await server.deps.db.select().from(auditEvents).orderBy(asc(auditEvents.id))).toEqual(before);
  });

  /** The same for who goes to the partition itself. */
  it("cannot be changed or removed in its partition", async () => {
    const partitions = await server.deps.db.$client`
      select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_events'::regclass`;
    expect(partitions.length).toBeGreaterThan(2);
    const before = await server.deps.db.$count(auditEvents);
    for (const { name } of partitions) {
      const rows = await server.deps.db.$client.unsafe(`select 1 from ${name}`);
      if (rows.length === 0) continue;
      for (const statement of [`update ${name} set ip = ''`, `delete from ${name}`, `truncate ${name}`]) {
        expect([statement, await attempt(statement)]).toEqual([
          statement,
          expect.stringContaining("append-only"),
        ]);
      }
    }
    expect(await server.deps.db.$count(auditEvents)).toBe(before);
  });
});

describe("what happened", () => {
  /** DESIGN §4. Guard: audit.record in each service, in the transaction of the change. */
  it("is all there, with who, whence and in which request, and without a secret", async () => {
    const app = await createApp(server);
    const thirdParty = await createApp(server, { firstParty: false });
    const machine = await createApp(server, { grantTypes: ["client_credentials"], redirectUris: [] });
    const { person, browser } = await signedIn(server.url);
    const mail = await waitForMail(server, person.email);
    const verifyToken = new URL(linkIn(mail)).searchParams.get("token") ?? "";
    await fetch(`${server.url}/verify-email?token=${verifyToken}`);
    const native = await login(server.url, person.username);
    await postJson(`${server.url}/login`, { identifier: person.email, password: "Wr0ng-password!" });
    await postJson(`${server.url}/login`, { identifier: "nobody-at-all", password: "Wr0ng-password!" });
    await postJson(`${server.url}/register`, { username: "again", email: person.email, password: PASSWORD });
    const grant = await obtainCode(browser, app);
    const tokens = await tokensOf(exchangeCode(app, grant));
    const next = await tokensOf(refresh(app, tokens.refresh_token));
    server.clock.advance(11);
    await refresh(app, tokens.refresh_token);
    await exchangeCode(app, grant);
    await tokensOf(tokenRequest(machine, { grant_type: "client_credentials" }));
    for (const decision of ["deny", "allow"]) {
      const parameters = new URLSearchParams({ prompt: "consent", client_id: thirdParty.client.clientId });
      const base = {
        redirect_uri: thirdParty.redirectUri,
        response_type: "code",
        scope: "openid",
        state: "s",
      };
      for (const [name, value] of Object.entries(base)) parameters.set(name, value);
      parameters.set("code_challenge_method", "S256");
      parameters.set("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
      const page = await browser.get(`/oauth/authorize?${parameters}`);
      await browser.submit(page.headers.get("location") ?? "", { decision });
    }
    await browser.signOut();
    await postJson(`${server.url}/forgot-password`, { email: person.email }, { "x-request-id": "traced-1" });
    const resetMail = await waitForMail(server, person.email, ({ text }) =>
      text.includes("/reset-password?"),
    );
    const token = new URL(linkIn(resetMail)).searchParams.get("token") ?? "";
    await postJson(`${server.url}/reset-password`, { token, new_password: "Br4nd-new-secret!" });
    await server.deps.auditBuffer.flush();

    const events = await server.deps.db.select().from(auditEvents);
    expect([...new Set(events.map(({ type }) => type))].toSorted()).toEqual([
      "client.created",
      "grant.created",
      "grant.denied",
      "key.created",
      "password.reset_completed",
      "password.reset_requested",
      "role.assigned",
      "session.revoked_all",
      "tenant.created",
      "token.code_replayed",
      "token.issued",
      "token.refreshed",
      "token.reuse_detected",
      "user.created",
      "user.email_verified",
      "user.login",
      "user.login_failed",
      "user.logout",
      "user.registration_refused",
    ]);
    const reset = events.find(({ type }) => type === "password.reset_requested");
    expect(reset).toMatchObject({ requestId: "traced-1", targetId: person.id, actorType: "anonymous" });
    expect(events.filter(({ type, ip }) => type.startsWith("user.login") && !ip)).toEqual([]);
    const all = JSON.stringify(events);
    const secrets = [
      PASSWORD,
      "Wr0ng-password!",
      "Br4nd-new-secret!",
      grant.code,
      grant.verifier,
      token,
      verifyToken,
    ];
    secrets.push(
      app.secret ?? "",
      native.access_token,
      native.refresh_token,
      next.refresh_token,
      next.id_token,
    );
    for (const secret of secrets) expect(all).not.toContain(secret.slice(-43));
  });
});
