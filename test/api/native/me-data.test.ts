/** The end of an account, and a copy of what is kept about its owner. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import { auditEvents, dataExports, users } from "../../../src/db/schema/index.ts";
import { eraseDueAccounts } from "../../../src/domain/accounts/deletion.ts";
import { isId } from "../../../src/lib/ids.ts";
import { login, type Person } from "../../attacks/support.ts";
import { linkIn, waitForMail } from "../../support/mailbox.ts";
import { eventually } from "../../support/queue.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { caller, json, linkOf, press, type SignedIn, someone, verified } from "./me-fixture.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

describe("deleting the account", () => {
  const stateOf = async (person: Person) => {
    if (!isId("user", person.id)) throw new Error("not a user's id");
    const rows = await server.deps.db.select().from(users).where(eq(users.id, person.id));
    return rows.length;
  };

  it("signs out everywhere at once, and erases after the days of grace", async () => {
    const { person, call, token } = await verified(server);
    const response = await call("DELETE", "/me");
    expect(response.status).toBe(202);
    const due = new Date(String((await json(response))["deleted_at"]));
    expect(due.getTime() - server.clock.now().getTime()).toBe(14 * 86_400_000);
    expect((await caller(server, token)("GET", "/me")).status).toBe(401);
    await waitForMail(server, person.email, linkOf("/keep-account"));

    server.clock.advance(14 * 86_400 - 1);
    expect(await eraseDueAccounts(server.deps)).toBe(0);
    expect(await stateOf(person)).toBe(1);
    server.clock.advance(1);
    expect(await eraseDueAccounts(server.deps)).toBe(1);
    expect(await eraseDueAccounts(server.deps)).toBe(0);
    expect(await stateOf(person)).toBe(0);
    await waitForMail(server, person.email, ({ subject }) => subject.includes("is deleted"));
    const events = await server.deps.db
      .select({ type: auditEvents.type, details: auditEvents.details })
      .from(auditEvents)
      .where(and(eq(auditEvents.tenantId, server.tenant.id), eq(auditEvents.targetId, person.id)));
    expect(events.map(({ type }) => type)).toContain("user.deleted");
    // The trail is append-only: what tells who somebody was must not get into it in the first place.
    expect(JSON.stringify(events)).not.toContain(person.username);
    expect(JSON.stringify(events)).not.toContain(person.email);
  });

  it("is called off by the link, once", async () => {
    const { person, call } = await verified(server);
    await call("DELETE", "/me");
    const link = linkIn(await waitForMail(server, person.email, linkOf("/keep-account")));
    expect((await press(server, link)).status).toBe(200);
    expect((await fetch(link, { headers: { accept: "text/html" } })).status).toBe(400);
    server.clock.advance(15 * 86_400);
    expect(await eraseDueAccounts(server.deps)).toBe(0);
    expect(await stateOf(person)).toBe(1);
  });

  it("is called off by a sign-in", async () => {
    const { person, call } = await someone(server);
    await call("DELETE", "/me");
    await login(server.url, person.email);
    server.clock.advance(15 * 86_400);
    expect(await eraseDueAccounts(server.deps)).toBe(0);
    expect(await stateOf(person)).toBe(1);
  });

  it("is a worker's to do at once where the tenant leaves no days", async () => {
    await server.configure({ account_deletion_grace_days: 0 });
    const { person, call } = await someone(server);
    await server.startWorker();
    expect((await call("DELETE", "/me")).status).toBe(202);
    await eventually("the account is gone", async () => (await stateOf(person)) === 0);
    await server.configure({ account_deletion_grace_days: 14 });
  });

  it("is left to administrators where the tenant says so", async () => {
    await server.configure({ account_deletion_enabled: false });
    const { call } = await someone(server);
    expect((await call("DELETE", "/me")).status).toBe(403);
    await server.configure({ account_deletion_enabled: true });
  });
});

describe("a copy of one's data", () => {
  const ready = async (call: SignedIn["call"], id: string) =>
    eventually("the copy is ready", async () => {
      const { status } = await json(call("GET", `/me/export/${id}`));
      return status === "ready";
    });

  it("is made by a worker, sealed, and opens for its owner alone", async () => {
    const { person, call } = await verified(server);
    await call("PATCH", "/me", { given_name: "Jane" });
    const asked = await json(call("POST", "/me/export"));
    expect(asked).toMatchObject({ status: "pending" });
    const id = String(asked["id"]);
    await ready(call, id);
    await waitForMail(server, person.email, ({ subject }) => subject.includes("copy of your data"));

    const copy = await call("GET", `/me/export/${id}/download`);
    expect(copy.status).toBe(200);
    expect(copy.headers.get("content-disposition")).toContain("attachment");
    const text = await copy.text();
    expect(JSON.parse(text)).toMatchObject({
      profile: { id: person.id, username: person.username, given_name: "Jane" },
      emails: [{ address: person.email }],
    });
    expect(text).not.toContain("$argon2id$");

    const { call: other } = await someone(server);
    expect((await other("GET", `/me/export/${id}`)).status).toBe(404);
    expect((await other("GET", `/me/export/${id}/download`)).status).toBe(404);
    const [row] = await server.deps.db
      .select()
      .from(dataExports)
      .where(eq(dataExports.tenantId, server.tenant.id));
    expect(row?.sealed?.toString("latin1")).not.toContain(person.username);
  });

  it("needs a recent sign-in, and is gone after seven days", async () => {
    const { person, call } = await someone(server);
    const id = String((await json(call("POST", "/me/export")))["id"]);
    await server.startWorker();
    await ready(call, id);
    server.clock.advance(7 * 86_400 - 60);
    const fresh = caller(server, (await login(server.url, person.email)).access_token);
    expect((await fresh("GET", `/me/export/${id}/download`)).status).toBe(200);
    server.clock.advance(60);
    expect((await fresh("GET", `/me/export/${id}/download`)).status).toBe(410);
    expect(await json(fresh("GET", `/me/export/${id}`))).toMatchObject({ status: "expired" });
  });
});
