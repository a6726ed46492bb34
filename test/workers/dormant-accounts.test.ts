/** The report of dormant accounts, from the request to run it to the mail. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { users } from "../../src/db/schema/index.ts";
import { addSeconds } from "../../src/lib/clock.ts";
import { administratorsToken, caller } from "../api/native/admin/support.ts";
import { readMailbox } from "../support/mailbox.ts";
import { eventually, insertTestUsers } from "../support/queue.ts";
import { administrator, startTestServer, type TestServer } from "../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.startWorker();
});
afterAll(() => server.stop());

interface TaskBody {
  id: string;
  kind: string;
  built_in: boolean;
  last_run: { outcome: string; trigger: string; counts: Record<string, number> } | null;
}

describe("the report of dormant accounts", () => {
  it("is made when an administrator asks for it, and mailed to the administrators", async () => {
    await insertTestUsers(server.deps.db, server.tenant.id, 3);
    await server.deps.db.update(users).set({ createdAt: addSeconds(server.clock.now(), -200 * 86_400) });
    const call = caller(server.url, await administratorsToken(server));
    const task = async () => {
      const { body } = await call<{ data: TaskBody[] }>("GET", "/tasks");
      return body.data.find(({ kind, built_in: builtIn }) => kind === "dormant_accounts" && builtIn);
    };
    const id = (await task())?.id ?? "";
    expect((await call("POST", `/tasks/${id}/run`)).status).toBe(202);
    const run = await eventually("the run", async () => (await task())?.last_run ?? undefined, 60_000);
    expect(run).toMatchObject({
      outcome: "succeeded",
      trigger: "manual",
      // The administrator has just signed in.
      counts: { dormant: 0, never_signed_in: 3, administrators: 0 },
    });
    const mail = await eventually(
      "the mail",
      async () => {
        const messages = await readMailbox(server);
        return messages.find(({ subject }) => subject.includes("nobody uses"));
      },
      60_000,
    );
    expect(mail.to).toBe(administrator.email);
    expect(mail.text).toContain("in the last 90 days");
    expect(mail.text).toContain("Never signed in: 3");
  }, 150_000);
});
