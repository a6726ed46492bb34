/**
 * Files of users that are made to hurt: to give what they say to somebody who wrote a stranger's address down before
 * (Sudhodanan and Paverd, "Pre-hijacked accounts", USENIX Security 2022), to stop all other rows by one that no database
 * takes, or to fill a worker's memory (CWE-770).
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { heapStats } from "bun:jsc";
import { and, eq } from "drizzle-orm";
import { auditEvents, userEmails } from "../../src/db/schema/index.ts";
import { readRecords } from "../../src/domain/user-import/records.ts";
import { lines, startImporting } from "../api/native/admin/user-imports-support.ts";
import { register } from "./support.ts";

let at: Awaited<ReturnType<typeof startImporting>>;
beforeAll(async () => {
  at = await startImporting();
});
afterAll(() => at.stop());

const update = { query: "?on_conflict=update" };

describe("what a file says of somebody", () => {
  /** Guard: user-import/batch.ts `conflictOf`, by `unprovenKeys` of user-import/repo.ts. */
  it("is not for whoever wrote their address down before they came", async () => {
    const attacker = await register(at.server.url);
    const row = { email: attacker.email, email_verified: true, roles: ["admin"], given_name: "Owner" };
    const done = await at.imported(at.post(lines(row), update));
    expect(done.rows).toMatchObject({ created: 0, updated: 0, failed: 1 });
    expect((await at.errorsOf(done.id)).map(({ field }) => field)).toEqual(["email"]);
    expect(await at.find(attacker.email)).toMatchObject([
      { email_verified: false, roles: [], given_name: null },
    ]);
  });

  it("is for who proved to have the address", async () => {
    const owner = await register(at.server.url);
    await at.server.deps.db
      .update(userEmails)
      .set({ verifiedAt: at.server.clock.now() })
      .where(and(eq(userEmails.tenantId, at.server.tenant.id), eq(userEmails.addressKey, owner.email)));
    const done = await at.imported(at.post(lines({ email: owner.email, given_name: "Owner" }), update));
    expect(done.rows).toMatchObject({ updated: 1, failed: 0 });
  });

  it("confirms an address that nobody can sign in with, and the audit trail tells of a first password", async () => {
    await at.imported(at.post(lines({ email: "waiting@example.com" })));
    const hash = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy";
    const row = { email: "waiting@example.com", email_verified: true, password_hash: hash };
    const done = await at.imported(at.post(lines(row), update));
    expect(done.rows).toMatchObject({ updated: 1, failed: 0 });
    expect(await at.find("waiting@example.com")).toMatchObject([{ email_verified: true }]);
    const told = await at.server.deps.db
      .select({ details: auditEvents.details })
      .from(auditEvents)
      .where(eq(auditEvents.type, "user.updated"));
    expect(told.map(({ details }) => details)).toContainEqual(
      expect.objectContaining({ import: done.id, members: ["emailVerified", "password"] }),
    );
  });
});

describe("one row", () => {
  /** Guard: user-import/model.ts `isStorable`. */
  it("of what no text of the database is, is wrong by itself", async () => {
    const done = await at.imported(
      at.post(
        lines(
          { email: "nul-group@example.com", groups: ["a\0b"] },
          { email: "nul-salt@example.com", password_hash: `pbkdf2_sha256$1000$a\0b$${"A".repeat(43)}=` },
          { email: "\ud800@example.com" },
          { email: "half@example.com", given_name: "\udfff" },
          { email: "whole@example.com", given_name: "\u{1F600}" },
        ),
      ),
    );
    expect(done.status).toBe("done");
    expect(done.rows).toMatchObject({ read: 5, created: 1, failed: 4 });
  });

  /** Guard: user-import/outcome.ts `slices`, and `MOST_PROBLEMS` for what is kept of each row. */
  it("of hundreds of names, many times, is no more than a statement takes", async () => {
    const names = Array.from({ length: 100 }, (_, name) => `role-${name}`);
    const wrong = Array.from({ length: 500 }, (_, row) => ({
      email: `many${row}@example.com`,
      roles: names,
      groups: names,
    }));
    const refused = await at.imported(at.post(lines(...wrong)));
    expect(refused).toMatchObject({ status: "done", rows: { read: 500, created: 0, failed: 500 } });
    expect(await at.errorsOf(refused.id)).toHaveLength(500 * 20);
    const groups = names.slice(0, 40).map((name) => `group-${name}`);
    for (const name of groups) expect((await at.call("POST", "/groups", { name })).status).toBe(201);
    const right = wrong.map(({ email }) => ({ email, groups }));
    const done = await at.imported(at.post(lines(...right)));
    expect(done).toMatchObject({ status: "done", rows: { read: 500, created: 500, failed: 0 } });
  }, 120_000);

  /** Guard: user-import/records.ts, the comma that counts. */
  it("of nothing but commas is given up before it fills the memory", async () => {
    let grown = 0;
    async function* commas(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("email,given_name\n");
      Bun.gc(true);
      const before = heapStats().heapSize;
      const chunk = Buffer.alloc(64 * 1024, ",");
      for (let sent = 0; sent < 128; sent++) yield chunk;
      Bun.gc(true);
      grown = heapStats().heapSize - before;
      yield Buffer.from("\nafter@example.com,After\n");
    }
    const rows = [];
    for await (const { row, fields } of readRecords("csv", commas())) rows.push({ row, fields });
    expect(rows).toEqual([
      { row: 1, fields: undefined },
      { row: 2, fields: { email: "after@example.com", given_name: "After" } },
    ]);
    expect(grown).toBeLessThan(32 * 1024 * 1024);
  });
});
