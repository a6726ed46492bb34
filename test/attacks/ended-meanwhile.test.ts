/**
 * What is ended while tokens are being issued by it. Each test holds the transaction that ends it open until the request waits
 * for it: a request that does not wait has decided by what was, and issued what nobody ends any more.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import type { TransactionSql } from "postgres";
import { until } from "../support/scratch.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  type Browser,
  createApp,
  errorOf,
  exchangeCode,
  obtainCode,
  PASSWORD,
  refresh,
  register,
  signedIn,
  tokensOf,
} from "./support.ts";

let server: TestServer;
let app: App;
let browser: Browser;

beforeAll(async () => {
  server = await startTestServer();
  app = await createApp(server, { grantTypes: ["authorization_code", "refresh_token"] });
});
afterAll(() => server.stop());

/** @returns what comes of a request that is made when `ending` has happened and is not committed yet */
async function during<Result>(
  ending: (sql: TransactionSql) => Promise<unknown>,
  request: () => Promise<Result>,
  afterwards: (sql: TransactionSql) => Promise<unknown> = async () => {},
): Promise<Result> {
  const { $client: sql } = server.deps.db;
  let racing: Promise<Result> | undefined;
  await sql.begin(async (tx) => {
    await ending(tx);
    racing = request();
    await until("the request waits", async () => {
      const waiting = await sql`
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      return waiting.length > 0;
    });
    await afterwards(tx);
  });
  if (!racing) throw new Error("unreachable");
  return racing;
}

const endSession = (sql: TransactionSql) =>
  sql`update sessions set revoked_at = now() where revoked_at is null`;
const endFamilies = (sql: TransactionSql) =>
  sql`update token_families set revoked_at = now(), revoked_reason = 'logout' where revoked_at is null`;
const count = async (table: string) => {
  const { $client: sql } = server.deps.db;
  return (await sql`select from ${sql(table)}`).length;
};
const refused = [400, "invalid_grant"] as [number, string];

describe("a session that is ended", () => {
  /** Guard: tokens/repo.ts, issue (for share, revoked_at). */
  it("while its code is exchanged gives no tokens for it", async () => {
    ({ browser } = await signedIn(server.url));
    const code = await obtainCode(browser, app);
    const before = await count("token_families");
    expect(await errorOf(await during(endSession, () => exchangeCode(app, code), endFamilies))).toEqual(
      refused,
    );
    expect(await count("token_families")).toBe(before);
  });

  /** Guard: tokens/repo.ts, rotate (locked). Now and when it is time to note that the session is used. */
  it.each([0, 61])("while a token of it is refreshed after %p s rotates nothing", async (seconds) => {
    ({ browser } = await signedIn(server.url));
    const { refresh_token } = await tokensOf(exchangeCode(app, await obtainCode(browser, app)));
    server.clock.advance(seconds);
    const before = await count("refresh_tokens");
    expect(await errorOf(await during(endSession, () => refresh(app, refresh_token), endFamilies))).toEqual(
      refused,
    );
    expect(await count("refresh_tokens")).toBe(before);
  });
});

/** Guard: tokens/repo.ts, rotate (live), whether the family's end is put off with it or not. */
describe("a family that is revoked", () => {
  it.each([0, 61])("while a token of it is refreshed after %p s rotates nothing", async (seconds) => {
    ({ browser } = await signedIn(server.url));
    const { refresh_token } = await tokensOf(exchangeCode(app, await obtainCode(browser, app)));
    server.clock.advance(seconds);
    const before = await count("refresh_tokens");
    expect(await errorOf(await during(endFamilies, () => refresh(app, refresh_token)))).toEqual(refused);
    expect(await count("refresh_tokens")).toBe(before);
  });
});

/** Guard: passwords/repo.ts, isCurrentHash (for share). */
describe("a password that is replaced", () => {
  it("while somebody signs in with it opens nothing", async () => {
    const { username } = await register(server.url);
    const before = await count("sessions");
    const replace = (sql: TransactionSql) => sql`update password_credentials set hash = 'another'`;
    const credentials = { identifier: username, password: PASSWORD };
    expect((await during(replace, () => postJson(`${server.url}/login`, credentials))).status).toBe(401);
    expect(await count("sessions")).toBe(before);
  });
});
