/** Users that come in a file: by a real worker, as an administrator sees it. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { and, eq } from "drizzle-orm";
import { passwordCredentials, userEmails, users } from "../../../../src/db/schema/index.ts";
import { removeExpiredImports } from "../../../../src/domain/user-import/service.ts";
import { postJson } from "../../../support/server.ts";
import { administratorsToken, caller } from "./support.ts";
import { type ImportBody, lines, startImporting } from "./user-imports-support.ts";

let at: Awaited<ReturnType<typeof startImporting>>;
beforeAll(async () => {
  at = await startImporting();
});
afterAll(() => at.stop());

const files = () => {
  const folder = join(at.directory, "files", "user-imports", at.server.tenant.id);
  return existsSync(folder) ? readdirSync(folder) : [];
};

const signIn = (identifier: string, password: string) =>
  postJson(`${at.server.url}/login`, { identifier, password });

const BCRYPT = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

describe("an import", () => {
  it("makes users as the file says, who sign in with the passwords that they have", async () => {
    const done = await at.imported(
      at.post(
        lines(
          {
            username: "ines.maier",
            email: "Ines.Maier@example.com",
            email_verified: true,
            given_name: "Inés",
            family_name: "Maier",
            locale: "de",
            zoneinfo: "Europe/Berlin",
            created_at: "2019-05-06T07:08:09.123Z",
            roles: ["admin"],
            password_hash: BCRYPT,
          },
          { email: "nameless@example.com", enabled: false },
        ),
      ),
    );
    expect(done).toMatchObject({
      status: "done",
      progress: 100,
      rows: { read: 2, created: 2, updated: 0, skipped: 0, failed: 0 },
    });
    expect(await at.find("ines.maier")).toMatchObject([
      {
        username: "ines.maier",
        email: "Ines.Maier@example.com",
        email_verified: true,
        given_name: "Inés",
        locale: "de",
        created_at: "2019-05-06T07:08:09.123Z",
        roles: ["admin"],
      },
    ]);
    expect(await at.find("nameless@")).toMatchObject([
      { username: expect.stringMatching(/^nameless-[0-9a-f]{10}$/), enabled: false, roles: [] },
    ]);
    expect((await signIn("ines.maier@example.com", "wrong")).status).toBe(401);
    expect((await signIn("ines.maier@example.com", "U*U")).status).toBe(200);
    const [stored] = await at.server.deps.db
      .select({ hash: passwordCredentials.hash })
      .from(passwordCredentials)
      .innerJoin(
        users,
        and(eq(users.tenantId, passwordCredentials.tenantId), eq(users.id, passwordCredentials.userId)),
      )
      .where(eq(users.username, "ines.maier"));
    expect(stored?.hash).toStartWith("$argon2id$v=19$m=19456,t=2,");
    expect(files()).toEqual([]);
  });

  it("reads CSV, with quotes, semicolons between names and the apostrophes of a spreadsheet's export", async () => {
    const csv = [
      "\ufeffusername,email,Given_Name,family_name,roles,enabled",
      'csv.one,csv.one@example.com,"Anna ""Ann""","Li, Wei",admin,true',
      "csv.two,csv.two@example.com,'=SUM(A1),\"two",
      'lines",,false',
      "",
      "csv.three,csv.three@example.com",
    ].join("\r\n");
    const done = await at.imported(at.post(csv, { type: "text/csv; charset=utf-8" }));
    // A name over two lines is no name.
    expect(done.rows).toMatchObject({ read: 3, created: 2, failed: 1 });
    expect(await at.errorsOf(done.id)).toEqual([
      { row: 2, field: "family_name", reason: expect.any(String) },
    ]);
    expect(await at.find("csv.one")).toMatchObject([
      { given_name: 'Anna "Ann"', family_name: "Li, Wei", roles: ["admin"], enabled: true },
    ]);
    expect(await at.find("csv.three")).toMatchObject([{ given_name: null, enabled: true }]);
  });

  it("says of each row that fails which field is wrong and why, and never what it held", async () => {
    const secret = "hunter2-the-plain-password";
    const done = await at.imported(
      at.post(
        lines(
          { email: "not an address", username: "x" },
          { email: "a.row@example.com", password_hash: secret },
          { email: "b.row@example.com", password_hash: `$2b$31$${"C".repeat(53)}` },
          { email: "c.row@example.com", roles: ["nobody-has-this"] },
          { email: "d.row@example.com", groups: ["No such group"] },
          { email: "e.row@example.com", created_at: "2999-01-01T00:00:00Z", enabled: "perhaps" },
          { email: "f.row@example.com", password_hash: "abc=", password_salt: "abc=" },
          // Nobody else seals keys for this server.
          {
            email: "g.row@example.com",
            password_hash: `$firebase-scrypt$m=14,r=8$c2FsdA==$Bw==$1.c2VhbGVk$${"A".repeat(86)}==`,
          },
        ) + "\n[1]\n{broken\n",
      ),
    );
    expect(done.rows).toMatchObject({ read: 10, created: 0, failed: 10 });
    const errors = await at.errorsOf(done.id);
    expect(errors.map(({ row, field }) => `${row} ${field}`)).toEqual([
      "1 username",
      "1 email",
      "2 password_hash",
      "3 password_hash",
      "4 roles",
      "5 groups",
      "6 created_at",
      "6 enabled",
      "7 password_hash",
      "8 password_hash",
      "9 row",
      "10 row",
    ]);
    expect(errors[3]?.reason).toContain("more time or memory");
    expect(JSON.stringify(errors)).not.toContain(secret);
    const csv = await fetch(`${at.server.url}/api/v1/admin/users/imports/${done.id}/errors?format=csv`, {
      headers: { authorization: `Bearer ${at.token}` },
    });
    expect((await csv.text()).split("\r\n").slice(0, 2)).toEqual([
      "row,field,reason",
      expect.stringMatching(/^1,username,/),
    ]);
  });

  it("takes Firebase's hashes with its project's parameters, which lie nowhere in the clear", async () => {
    const signerKey =
      "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";
    const parameters = JSON.stringify({
      signer_key: signerKey,
      salt_separator: "Bw==",
      rounds: 8,
      mem_cost: 14,
    });
    const row = {
      username: "from.firebase",
      email: "user1@test.example.com",
      password_hash:
        "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
      password_salt: "42xEC+ixf3L2lw==",
    };
    const refused = await at.post(lines(row), { headers: { "firebase-hash-parameters": '{"rounds":8}' } });
    expect(refused.status).toBe(422);
    const done = await at.imported(
      at.post(lines(row), { headers: { "firebase-hash-parameters": parameters } }),
    );
    expect(done.rows).toMatchObject({ created: 1, failed: 0 });
    const [stored] = await at.server.deps.db.$client<{ all: string }[]>`
      select string_agg(t::text, '') as all from (
        select to_jsonb(p)::text as t from password_credentials p
        union all select to_jsonb(i)::text from user_imports i
        union all select to_jsonb(e)::text from audit_events e) as everything(t)`;
    expect(stored?.all).toContain("$firebase-scrypt$");
    expect(stored?.all).not.toContain(signerKey.slice(0, 20));
    expect(stored?.all).not.toContain(Buffer.from(signerKey, "base64").toString("hex").slice(0, 20));
    expect((await signIn("from.firebase", "user2password")).status).toBe(401);
    expect((await signIn("from.firebase", "user1password")).status).toBe(200);
  });
});

describe("a row about somebody who is there", () => {
  const row = (name: string, more: object = {}) => ({
    username: name,
    email: `${name}@example.com`,
    ...more,
  });

  it("fails, unless told otherwise; so does a second one of the same file", async () => {
    const first = await at.imported(at.post(lines(row("there"), row("there"))));
    expect(first.rows).toMatchObject({ created: 1, failed: 1 });
    const done = await at.imported(
      at.post(lines(row("there"), { username: "there", email: "other@example.com" })),
    );
    expect(done.rows).toMatchObject({ created: 0, failed: 2 });
    expect((await at.errorsOf(done.id)).map(({ field }) => field)).toEqual(["email", "username"]);
  });

  it("is left out on `skip`", async () => {
    await at.imported(at.post(lines(row("skipped", { given_name: "Before" }))));
    const done = await at.imported(
      at.post(lines(row("SKIPPED", { given_name: "After" })), { query: "?on_conflict=skip" }),
    );
    expect(done.rows).toMatchObject({ created: 0, skipped: 1, failed: 0 });
    expect(await at.find("skipped@")).toMatchObject([{ given_name: "Before" }]);
  });

  it("changes on `update` what it says, and neither the password nor what it does not speak of", async () => {
    const before = { given_name: "Before", email_verified: true, locale: "fr", password_hash: BCRYPT };
    await at.imported(at.post(lines(row("changed", before))));
    const done = await at.imported(
      at.post(
        lines(
          row("changed", {
            given_name: "After",
            email_verified: true,
            roles: ["admin"],
            enabled: false,
            password_hash: "$2b$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy",
          }),
          { username: "changed", email: "there@example.com" },
          { username: "another-name", email: "changed@example.com" },
        ),
        { query: "?on_conflict=update" },
      ),
    );
    expect(done.rows).toMatchObject({ created: 0, updated: 1, failed: 2 });
    expect(await at.find("changed@")).toMatchObject([
      { given_name: "After", locale: "fr", email_verified: true, roles: ["admin"], enabled: true },
    ]);
    expect((await signIn("changed", "U*U")).status).toBe(200);
  });
});

describe("a dry run", () => {
  it("says what would become of each row, and changes nothing", async () => {
    const before = await at.server.deps.db.$count(users);
    const done = await at.imported(
      at.post(lines({ email: "dry@example.com" }, { email: "there@example.com" }, { email: "no" }), {
        query: "?dry_run=true&on_conflict=skip",
      }),
    );
    expect(done.rows).toMatchObject({ read: 3, created: 1, skipped: 1, failed: 1 });
    expect(await at.server.deps.db.$count(users)).toBe(before);
    expect(await at.server.deps.db.$count(userEmails, eq(userEmails.addressKey, "dry@example.com"))).toBe(0);
  });
});

describe("what is no import", () => {
  it("is a body of another type", async () => {
    expect((await at.post("<xml/>", { type: "application/xml" })).status).toBe(415);
  });

  it("is a rule that there is none of", async () => {
    expect((await at.post("{}", { query: "?on_conflict=perhaps" })).status).toBe(400);
  });

  it("is CSV whose columns have no names: the import fails, and says so", async () => {
    const done = await at.imported(at.post("ann,ann@example.com\n", { type: "text/csv" }));
    expect(done).toMatchObject({ status: "failed", problem: expect.stringContaining("name the columns") });
    expect(files()).toEqual([]);
  });
});

describe("imports", () => {
  it("are listed, the newest first", async () => {
    const { id } = await at.imported(at.post(lines({ email: "listed@example.com" })));
    const { body } = await at.call<{ data: ImportBody[]; pagination: { next_cursor: string } }>(
      "GET",
      "/users/imports?limit=1",
    );
    expect(body.data).toMatchObject([{ id }]);
    const next = await at.call<{ data: ImportBody[] }>(
      "GET",
      `/users/imports?limit=1&cursor=${body.pagination.next_cursor}`,
    );
    expect(next.body.data).toHaveLength(1);
    expect(next.body.data[0]?.id).not.toBe(id);
  });

  it("that are over cannot be cancelled, and are forgotten after 30 days", async () => {
    const { id } = await at.imported(at.post(lines({ email: "old@example.com" }, { email: "no" })));
    expect((await at.call("POST", `/users/imports/${id}/cancel`)).status).toBe(409);
    at.server.clock.advance(30 * 86_400 + 1);
    expect(await removeExpiredImports(at.server.deps)).toBeGreaterThan(0);
    const token = await administratorsToken(at.server);
    expect((await caller(at.server.url, token)("GET", `/users/imports/${id}`)).status).toBe(404);
  });
});
