/**
 * Guessing passwords: by one account or many, at once or slowly, across the API, the pages, restarts and failing
 * transactions, and learning from how a locked account answers.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq, sql } from "drizzle-orm";
import { auditEvents, lockouts, outbox } from "../../src/db/schema/index.ts";
import { createDeps, type Deps } from "../../src/deps.ts";
import { serve } from "../../src/server.ts";
import { freePort } from "../support/free-port.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { Browser, PASSWORD, type Person, register } from "./support.ts";

let server: TestServer;
const others: (() => Promise<void>)[] = [];

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.deps.db.delete(lockouts);
});
afterEach(async () => {
  for (const stop of others.splice(0)) await stop();
});

interface Counting {
  readonly url: string;
  /** How many passwords were compared with a real hash, and how many with the dummy. */
  readonly checks: { real: number; dummy: number };
}

/** Another API process on the same database, which counts the password checks. */
async function anotherProcess(): Promise<Counting> {
  const checks = { real: 0, dummy: 0 };
  const config = { ...server.config, port: freePort() };
  const own = await createDeps(config, { process: "api", clock: server.clock, log: server.deps.log });
  const passwords: Deps["passwords"] = {
    ...own.passwords,
    verify(password, hash) {
      checks[hash === undefined ? "dummy" : "real"]++;
      return own.passwords.verify(password, hash);
    },
  };
  const running = await serve({ ...own, passwords });
  others.push(async () => {
    await running.stop();
    await own.close();
  });
  return { url: `http://localhost:${config.port}`, checks };
}

const login = (identifier: string, password = PASSWORD, url = server.url) =>
  postJson(`${url}/login`, { identifier, password });

async function guess(times: number, identifier: string, url = server.url): Promise<void> {
  for (let time = 0; time < times; time++) {
    expect((await login(identifier, `Wrong-guess-${time}!`, url)).status).toBe(401);
  }
}

/** All of an answer that could tell one from another. */
async function answerOf(response: Response) {
  const headers = [...response.headers].filter(([name]) => !["x-request-id", "date"].includes(name));
  const { request_id: _id, ...body } = (await response.json()) as Record<string, unknown>;
  return { status: response.status, headers, body };
}

async function eventsOf(person: Person, type: string) {
  const events = await server.deps.db.select().from(auditEvents).where(eq(auditEvents.targetId, person.id));
  return events.filter((event) => event.type === type);
}

describe("guessing at one account", () => {
  it("ends after five, for the right password too (guard: an attempt that is not admitted meets the dummy hash)", async () => {
    const { username } = await register(server.url);
    await guess(5, username);
    expect((await login(username)).status).toBe(401);
    server.clock.advance(15 * 60);
    expect((await login(username)).status).toBe(200);
  });

  it("gets five checks when fifty race on real connections (guard: counted before it is checked, by one statement)", async () => {
    const { username } = await register(server.url);
    const { url, checks } = await anotherProcess();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) => login(username, `Wrong-guess-${at}!`, url)),
    );
    expect(answers.every(({ status }) => status === 401)).toBe(true);
    expect(checks).toEqual({ real: 5, dummy: 45 });
  });

  it("gets no sixth check by naming the account otherwise (guard: counted by user, not by identifier)", async () => {
    const { username, email } = await register(server.url);
    const { url, checks } = await anotherProcess();
    await guess(2, username, url);
    await guess(2, email, url);
    await guess(2, email.toUpperCase(), url);
    await guess(2, username.toUpperCase(), url);
    expect(checks.real).toBe(5);
  });

  it("counts on the pages and on the API together (guard: both flows begin an attempt)", async () => {
    const { username } = await register(server.url);
    await guess(3, username);
    const browser = new Browser(server.url);
    for (let time = 0; time < 2; time++) {
      expect((await browser.signIn(username, "/signin", "Wrong-guess-1!")).status).toBe(400);
    }
    expect((await login(username)).status).toBe(401);
    const page = await browser.signIn(username);
    expect([page.status, browser.cookies.size]).toEqual([400, 1]);
  });

  it("counts across processes and restarts (guard: counters are in the database)", async () => {
    const { username } = await register(server.url);
    await guess(2, username, (await anotherProcess()).url);
    for (const stop of others.splice(0)) await stop();
    await guess(2, username, (await anotherProcess()).url);
    await guess(1, username);
    expect((await login(username)).status).toBe(401);
  });

  it("counts what a rolled-back transaction would have forgotten (guard: counters commit by themselves)", async () => {
    const person = await register(server.url);
    await failInserts("audit_events", async () => {
      for (let time = 0; time < 5; time++) {
        expect((await login(person.username, "Wrong-guess-1!")).status).toBe(500);
      }
    });
    expect((await login(person.username)).status).toBe(401);
  });

  it("is forgotten by a sign-in that comes about, and by no other (guard: forgotten in its transaction)", async () => {
    const { username } = await register(server.url);
    await guess(4, username);
    await failInserts("sessions", async () => expect((await login(username)).status).toBe(500));
    await guess(1, username);
    expect((await login(username)).status).toBe(401);

    server.clock.advance(15 * 60);
    await guess(4, username);
    expect((await login(username)).status).toBe(200);
    await guess(4, username);
    expect((await login(username)).status).toBe(200);
  });

  it("takes longer with every round (guard: the delay doubles)", async () => {
    const { username } = await register(server.url);
    await guess(5, username);
    server.clock.advance(15 * 60);
    await guess(5, username);
    server.clock.advance(29 * 60);
    expect((await login(username)).status).toBe(401);
    server.clock.advance(60);
    expect((await login(username)).status).toBe(200);
  });
});

describe("guessing at many accounts", () => {
  it("ends for the whole network after a hundred (guard: the address is counted too)", async () => {
    await server.configure({ max_failed_attempts_per_ip: 12 });
    const person = await register(server.url);
    for (let account = 0; account < 12; account++) await guess(1, `stranger${account}`);
    const refused = await login(person.username);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "900"]);
    expect(await answerOf(refused)).toMatchObject({ body: { error: "rate_limited" } });
    const page = await new Browser(server.url).signIn(person.username);
    expect(await page.text()).toContain("Too many attempts");
    await server.configure({ max_failed_attempts_per_ip: 100 });
  });

  it("is not started over by signing in to one's own in between (guard: success takes back its own count only)", async () => {
    await server.configure({ max_failed_attempts_per_ip: 8 });
    const own = await register(server.url);
    for (let account = 0; account < 8; account++) {
      await guess(1, `victim${account}`);
      if (account < 7) expect((await login(own.username)).status).toBe(200);
    }
    expect((await login("victim9", "Wrong-guess-1!")).status).toBe(429);
    await server.configure({ max_failed_attempts_per_ip: 100 });
  });

  it("does not lock a company's people out whose passwords are right (guard: successes are not counted)", async () => {
    await server.configure({ max_failed_attempts_per_ip: 5 });
    const { username } = await register(server.url);
    for (let time = 0; time < 10; time++) expect((await login(username)).status).toBe(200);
    await server.configure({ max_failed_attempts_per_ip: 100 });
  });
});

describe("learning from a lockout", () => {
  it("shows nothing: locked, wrong and unknown answer alike (guard: one error for all)", async () => {
    const [locked, other] = [await register(server.url), await register(server.url)];
    await guess(5, locked.username);
    await guess(5, "nobody-has-this-name");
    const wrong = await answerOf(await login(other.username, "Wrong-guess-1!"));
    expect(await answerOf(await login(locked.username))).toEqual(wrong);
    expect(await answerOf(await login(locked.username, "Wrong-guess-1!"))).toEqual(wrong);
    expect(await answerOf(await login("nobody-has-this-name"))).toEqual(wrong);
  });

  it("takes as long: each attempt verifies one hash, whatever it is (guard: the dummy verify)", async () => {
    const { username } = await register(server.url);
    const { url, checks } = await anotherProcess();
    await guess(7, username, url);
    expect(checks).toEqual({ real: 5, dummy: 2 });
    await guess(7, "nobody-has-this-name-either", url);
    expect(checks).toEqual({ real: 5, dummy: 9 });
  });

  it("writes as much for nobody as for somebody (guard: unknown identifiers are locked and announced)", async () => {
    const { username } = await register(server.url);
    const written = async () => ({
      locks: (await server.deps.db.select().from(lockouts)).filter(({ kind }) => kind === "account").length,
      mails: (await server.deps.db.select().from(outbox)).filter(({ name }) => name === "unlock_account")
        .length,
    });
    const before = await written();
    await guess(6, username);
    const known = await written();
    await guess(6, "still-nobody");
    const unknown = await written();
    expect(known.locks - before.locks).toBe(unknown.locks - known.locks);
    expect(known.mails - before.mails).toBe(1);
    expect(unknown.mails - known.mails).toBe(1);
  });
});

describe("the audit trail", () => {
  it("says that an account was locked, and why attempts failed", async () => {
    const person = await register(server.url);
    await guess(6, person.username);
    expect((await eventsOf(person, "user.locked")).map(({ details }) => details)).toEqual([
      { method: "password", lockouts: 1, locked_until: expect.any(String) },
    ]);
    const reasons = (await eventsOf(person, "user.login_failed")).map(({ details }) => details["reason"]);
    expect(reasons.toSorted()).toEqual(["locked", ...Array.from({ length: 5 }, () => "wrong_password")]);
  });
});

/** While `during` runs, every insert into this table fails, and takes its transaction with it. */
async function failInserts(table: string, during: () => Promise<void>): Promise<void> {
  const { db } = server.deps;
  await db.execute(sql`create function fail() returns trigger language plpgsql as
    $$ begin raise exception 'no inserts now'; end $$`);
  const on = sql.identifier(table);
  await db.execute(sql`create trigger fail before insert on ${on} for each row execute function fail()`);
  try {
    await during();
  } finally {
    await db.execute(sql`drop trigger fail on ${on}`);
    await db.execute(sql`drop function fail()`);
  }
}
