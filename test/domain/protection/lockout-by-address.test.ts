/** When an address is locked, and what happens when attempts race. */
import { afterAll, beforeEach, describe, expect, it } from "bun:test";
import { closeDatabase, connectDatabase } from "../../../src/db/client.ts";
import { auditEvents } from "../../../src/db/schema/index.ts";
import { beginAttempt, isAccountLocked } from "../../../src/domain/protection/service.ts";
import { forgetFailures, from, somebody, startProtection } from "./fixture.ts";

const MINUTE = 60;
let strangers = 0;

const { deps, clock, tenant, withSettings, attempt, fail, unlockMails, reset, stop } =
  await startProtection();
afterAll(stop);
beforeEach(reset);

const eventsOf = async (type: string) =>
  (await deps.db.select().from(auditEvents)).filter((event) => event.type === type);

describe("an address", () => {
  const ip = "203.0.113.7";
  const wrong = (context = from(ip)) => attempt({ identifier: `nobody${++strangers}`, context });

  it("is locked after far more failures than an account, with 429 and the seconds to wait", async () => {
    for (let time = 0; time < 100; time++) expect(await wrong()).toBe(true);
    const refused = attempt({ user: somebody(), context: from(ip) }, true);
    expect(refused).rejects.toMatchObject({
      status: 429,
      code: "rate_limited",
      message: "Too many requests. Please retry after 900 seconds.",
      headers: { "retry-after": "900" },
    });
    expect((await eventsOf("ip.locked")).at(-1)).toMatchObject({ details: { network: ip, lockouts: 1 } });
    clock.advance(15 * MINUTE);
    expect(await wrong()).toBe(true);
  });

  it("does not go on to lock accounts while it is locked", async () => {
    const few = withSettings({ max_failed_attempts_per_ip: 5 });
    const user = somebody();
    for (let time = 0; time < 5; time++) await attempt({ identifier: "x", context: from(ip) }, false, few);
    for (let time = 0; time < 10; time++) {
      await attempt({ user, context: from(ip) }, false, few).catch(() => undefined);
    }
    expect(await isAccountLocked(deps.db, few.id, user.id, clock.now())).toBe(false);
  });

  it("is not counted for sign-ins that succeed, nor forgiven for them", async () => {
    const few = withSettings({ max_failed_attempts_per_ip: 5 });
    const context = from(ip);
    const own = somebody();
    for (let time = 0; time < 20; time++) await attempt({ user: own, context }, true, few);
    for (let time = 0; time < 4; time++) {
      await attempt({ identifier: `victim${time}`, context }, false, few);
      await attempt({ user: own, context }, true, few);
      await forgetFailures(deps.db, tenant.id, own.id);
    }
    await attempt({ identifier: "victim", context }, false, few);
    expect(attempt({ identifier: "victim", context }, false, few)).rejects.toMatchObject({ status: 429 });
  });

  it("is a whole /64 of IPv6, and not the next one", async () => {
    const few = withSettings({ max_failed_attempts_per_ip: 5 });
    for (let host = 1; host <= 5; host++) {
      const context = from(`2001:db8:0:1:${host}::${host}`);
      await attempt({ identifier: `nobody${host}`, context }, false, few);
    }
    const from64 = (address: string) => attempt({ user: somebody(), context: from(address) }, true, few);
    expect(from64("2001:db8:0:1:ffff::9")).rejects.toMatchObject({ status: 429 });
    expect(await from64("2001:db8:0:2::1")).toBe(true);
  });

  it("may be unknown: then the account alone counts", async () => {
    const user = somebody();
    const context = { ...from(), ip: undefined };
    expect(await fail(7, { user, context })).toBe(5);
  });
});

describe("attempts that race", () => {
  it("are admitted as often as those that queue, and cause one mail", async () => {
    const user = somebody();
    const admitted = await Promise.all(Array.from({ length: 60 }, () => attempt({ user })));
    expect(admitted.filter(Boolean).length).toBe(5);
    expect((await unlockMails()).length).toBe(1);
  });

  it("are all admitted when they are right, however many there are", async () => {
    const user = somebody();
    const admitted = await Promise.all(Array.from({ length: 40 }, () => attempt({ user }, true)));
    expect(admitted).toEqual(Array.from({ length: 40 }, () => true));
    expect(await fail(5, { user })).toBe(5);
  });

  it("lock nobody out by one wrong one among right ones", async () => {
    const user = somebody();
    const admitted = await Promise.all(Array.from({ length: 12 }, (_, at) => attempt({ user }, at !== 4)));
    expect(admitted.every(Boolean)).toBe(true);
    expect(await fail(5, { user })).toBe(4);
  });

  it("are begun without a wait for the disk, by which nothing else goes without", async () => {
    const db = connectDatabase(deps.config.databaseUrl, { max: 1, applicationName: "test" });
    try {
      await db.$client`set synchronous_commit to 'on'`;
      await beginAttempt({ ...deps, db }, tenant, { user: somebody(), context: from(), method: "password" });
      const [setting] = await db.$client`show synchronous_commit`;
      expect(setting).toEqual({ synchronous_commit: "on" });
    } finally {
      await closeDatabase(db);
    }
  });

  it("and never end count as wrong after half a minute, but for the last", async () => {
    const user = somebody();
    const context = from();
    for (let time = 0; time < 5; time++) {
      await beginAttempt(deps, tenant, { user, context, method: "password" });
    }
    clock.advance(30);
    expect(await fail(3, { user, context })).toBe(1);
  });

  it("do not wait for each other for ever, across accounts and addresses", async () => {
    const users = [somebody(), somebody(), somebody()];
    const contexts = [from("192.0.2.1"), from("192.0.2.2")];
    const all = Array.from({ length: 120 }, (_, at) =>
      attempt({ user: users[at % 3], context: contexts[at % 2] ?? from() }, at % 5 === 0),
    );
    expect((await Promise.allSettled(all)).filter(({ status }) => status === "rejected")).toEqual([]);
  });
});
