/** Users as a file, made by a real worker. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { auditEvents, users } from "../../../../src/db/schema/index.ts";
import { createTenant } from "../../../../src/domain/tenants/service.ts";
import { removeExpiredExports } from "../../../../src/domain/user-export/service.ts";
import { register } from "../../../attacks/support.ts";
import { eventually } from "../../../support/queue.ts";
import { scratchDirectory } from "../../../support/scratch.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { administratorsToken, caller, newAdministrator } from "./support.ts";

interface ExportBody {
  id: string;
  status: string;
  users: number;
}

const directory = scratchDirectory();
let server: TestServer;
let superToken: string;
let adminToken: string;

beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_DATA_DIR: directory.path } });
  await server.startWorker();
  superToken = await administratorsToken(server);
  adminToken = (await newAdministrator(server, { tenant: server.tenant, base: server.url })).token;
});
afterAll(async () => {
  await server.stop();
  directory[Symbol.dispose]();
});

async function exported(body: object, token = adminToken): Promise<string> {
  const call = caller(server.url, token);
  const asked = await call<ExportBody>("POST", "/users/export", body);
  expect(asked.status).toBe(202);
  const path = asked.headers.get("location")?.replace("/api/v1/admin", "") ?? "";
  await eventually(
    "the export",
    async () => (await call<ExportBody>("GET", path)).body.status === "done",
    30_000,
  );
  return path;
}

async function download(path: string, token = adminToken): Promise<string> {
  const response = await fetch(`${server.url}/api/v1/admin${path}/download`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-disposition")).toStartWith("attachment;");
  return response.text();
}

const rowsOf = (text: string): Record<string, unknown>[] =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

describe("an export of users", () => {
  it("holds every user once, in more than one page, and no password hashes", async () => {
    await server.deps.db.$client`
      insert into users (tenant_id, id, username, username_key, created_at, updated_at)
      select tenant_id, gen_random_uuid(), 'many.' || n, 'many.' || n, now() - interval '1 day', now()
      from users cross join generate_series(1, 1200) n where username = 'admin'`;
    const rows = rowsOf(await download(await exported({})));
    const expected = await server.deps.db.$count(users, eq(users.tenantId, server.tenant.id));
    expect(expected).toBeGreaterThan(1200);
    expect(rows.length).toBe(expected);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(expected);
    expect(rows.every((row) => !("password_hash" in row))).toBe(true);
  });

  it("holds those whom the list's filters let through", async () => {
    const person = await register(server.url);
    const rows = rowsOf(await download(await exported({ search: person.username })));
    expect(rows).toMatchObject([{ id: person.id, username: person.username, roles: [], groups: [] }]);
    expect(rowsOf(await download(await exported({ role: "super_admin" })))).toHaveLength(1);
    expect(await download(await exported({ enabled: false }))).toBe("");
  });

  it("as CSV keeps formulas from running", async () => {
    const person = await register(server.url);
    await server.deps.db.update(users).set({ givenName: "=1+1" }).where(eq(users.username, person.username));
    const text = await download(await exported({ format: "csv", search: person.username }));
    expect(text).toContain(",'=1+1,");
    expect(text.split("\r\n")[0]).toStartWith("id,username,email,");
  });

  it("is imported again as it is, in both formats", async () => {
    const person = await register(server.url);
    for (const [format, type] of [
      ["ndjson", "application/x-ndjson"],
      ["csv", "text/csv"],
    ] as const) {
      const text = await download(await exported({ format, search: person.username }));
      const asked = await fetch(`${server.url}/api/v1/admin/users/import?on_conflict=skip`, {
        method: "POST",
        headers: { authorization: `Bearer ${adminToken}`, "content-type": type },
        body: text,
      });
      const path = asked.headers.get("location") ?? "";
      const done = await eventually("the import", async () => {
        const response = await fetch(`${server.url}${path}`, {
          headers: { authorization: `Bearer ${adminToken}` },
        });
        const body = (await response.json()) as { status: string; rows: object };
        return body.status === "done" && body;
      });
      expect(done.rows).toMatchObject({ read: 1, skipped: 1, failed: 0 });
    }
  });

  it("with password hashes is for a super_admin alone, and the audit trail tells of it", async () => {
    const hashes = { include_password_hashes: true };
    expect((await caller(server.url, adminToken)("POST", "/users/export", hashes)).status).toBe(403);
    const path = await exported(hashes, superToken);
    expect(rowsOf(await download(path, superToken))).toContainEqual(
      expect.objectContaining({ password_hash: expect.stringMatching(/^\$argon2id\$/) }),
    );
    const other = await fetch(`${server.url}/api/v1/admin${path}/download`, {
      headers: { authorization: `Bearer ${adminToken}` },
    });
    expect(other.status).toBe(403);
    const id = path.split("/").at(-1) ?? "";
    const told = await server.deps.db.select().from(auditEvents).where(eq(auditEvents.targetId, id));
    expect(told.map(({ type, details }) => [type, details["include_password_hashes"]]).toSorted()).toEqual([
      ["users.export_downloaded", true],
      ["users.export_requested", true],
    ]);
  });

  it("is of one tenant, and nobody else's", async () => {
    const path = await exported({});
    const tenant = await createTenant(server.deps, { slug: "elsewhere", name: "Elsewhere" });
    const base = `${server.url}/t/elsewhere`;
    const { token } = await newAdministrator(server, { tenant, base });
    const other = caller(base, token);
    expect((await other("GET", path)).status).toBe(404);
    expect((await other("GET", `${path}/download`)).status).toBe(404);
    expect((await other<{ data: unknown[] }>("GET", "/users/exports")).body.data).toEqual([]);
    const mine = await caller(server.url, adminToken)<{ data: { id: string }[] }>("GET", "/users/exports");
    expect(mine.body.data.map(({ id }) => id)).toContain(path.split("/").at(-1) ?? "");
  });

  it("is asked for with filters that there are", async () => {
    const call = caller(server.url, adminToken);
    expect((await call("POST", "/users/export", { format: "xlsx" })).status).toBe(422);
    expect((await call("POST", "/users/export", { organization_id: "nobody" })).status).toBe(422);
  });

  it("is gone after a week, with its file", async () => {
    const path = await exported({});
    server.clock.advance(7 * 86_400 + 1);
    const token = await administratorsToken(server);
    expect((await caller(server.url, token)("GET", path)).status).toBe(404);
    expect(await removeExpiredExports(server.deps)).toBeGreaterThan(0);
  });
});
