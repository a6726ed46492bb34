/** When an account is locked, for how long, and who is told: the rules, without the flows that they protect. */
import { afterAll, beforeEach, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { auditEvents, lockouts } from "../../../src/db/schema/index.ts";
import { beginAttempt, isAccountLocked, unlockAccount } from "../../../src/domain/protection/service.ts";
import { secondFactorKeyOf } from "../../../src/domain/protection/keys.ts";
import { createTenant } from "../../../src/domain/tenants/service.ts";
import { addSeconds } from "../../../src/lib/clock.ts";
import { forgetFailures, from, somebody, startProtection } from "./fixture.ts";

const MINUTE = 60;
const DAY = 86_400;

const { deps, clock, tenant, withSettings, attempt, fail, unlockMails, reset, stop } =
  await startProtection();
afterAll(stop);
beforeEach(reset);

const eventsOf = async (type: string) =>
  (await deps.db.select().from(auditEvents)).filter((event) => event.type === type);

describe("an account", () => {
  it("is locked by the fifth wrong credential in fifteen minutes, for the right one too", async () => {
    const user = somebody();
    expect(await fail(4, { user })).toBe(4);
    expect(await isAccountLocked(deps.db, tenant.id, user.id, clock.now())).toBe(false);
    expect(await attempt({ user })).toBe(true);
    expect(await isAccountLocked(deps.db, tenant.id, user.id, clock.now())).toBe(true);
    expect(await attempt({ user }, true)).toBe(false);
  });

  it("is counted across every kind of credential", async () => {
    const user = somebody();
    for (const method of ["password", "totp", "backup_code", "passkey", "email_code"]) {
      expect(await attempt({ user, method })).toBe(true);
    }
    expect(await attempt({ user, method: "totp" }, true)).toBe(false);
  });

  it("is not locked by failures that lie further apart", async () => {
    const user = somebody();
    await fail(4, { user });
    clock.advance(15 * MINUTE);
    expect(await fail(4, { user })).toBe(4);
    expect(await attempt({ user }, true)).toBe(true);
  });

  it("is not locked by one that goes right as the fifth, and has then one left", async () => {
    const user = somebody();
    await fail(4, { user });
    expect(await attempt({ user }, true)).toBe(true);
    expect(await isAccountLocked(deps.db, tenant.id, user.id, clock.now())).toBe(false);
    // A right first factor takes back its own count only.
    expect(await fail(3, { user })).toBe(1);
  });

  it("starts anew when a sign-in is complete", async () => {
    const user = somebody();
    await fail(4, { user });
    await forgetFailures(deps.db, tenant.id, user.id);
    expect(await fail(5, { user })).toBe(5);
  });

  it("leaves no attempt under way of an account whose second factor is locked", async () => {
    const user = somebody();
    const at = deps.clock.now();
    const counted = { tenantId: tenant.id, kind: "account", windowEndsAt: at, pendingUntil: at } as const;
    await deps.db.insert(lockouts).values({
      ...counted,
      key: secondFactorKeyOf(user.id),
      failures: 20,
      pending: 0,
      lockouts: 1,
      lockedUntil: addSeconds(at, 60),
      expiresAt: addSeconds(at, 60),
    });
    const attempted = { user, context: from(), method: "totp", secondFactor: true };
    expect((await beginAttempt(deps, tenant, attempted)).admitted).toBe(false);
    const [account] = await deps.db.select().from(lockouts).where(eq(lockouts.key, user.id));
    expect(account).toMatchObject({ failures: 0, pending: 0, lockedUntil: null });
  });

  it("is another one in another tenant", async () => {
    const user = somebody();
    const other = await createTenant(deps, { slug: `other-${Date.now()}`, name: "Other" });
    await fail(5, { user });
    expect(await attempt({ user }, true, other)).toBe(true);
  });

  it("has the limit and the time that the tenant sets", async () => {
    const user = somebody();
    const strict = withSettings({ max_failed_login_attempts: 1, lockout_duration: 60 });
    expect(await fail(3, { user }, strict)).toBe(1);
    clock.advance(60);
    expect(await attempt({ user }, true, strict)).toBe(true);
  });
});

describe("an identifier that nobody has", () => {
  it("is locked like an account, whatever its spelling, and leaves no plain text", async () => {
    expect(await fail(3, { identifier: "Nobody@Example.com" })).toBe(3);
    expect(await fail(3, { identifier: "nobody@example.COM" })).toBe(2);
    expect(JSON.stringify(await deps.db.select().from(lockouts))).not.toMatch(/nobody/i);
    expect(await attempt({ identifier: "somebody@example.com" }, true)).toBe(true);
  });

  it("causes the same writes as an account, so that time tells nothing", async () => {
    await fail(6, { user: somebody() });
    const known = { mails: (await unlockMails()).length, locks: (await eventsOf("user.locked")).length };
    await fail(6, { identifier: "nobody" });
    expect((await unlockMails()).length).toBe(known.mails * 2);
    expect((await eventsOf("user.locked")).length).toBe(known.locks + 1);
    const [, nobody] = await unlockMails();
    expect(nobody).toEqual({ user_id: expect.any(String), email_id: expect.any(String) });
  });
});

describe("the delay", () => {
  const lockSeconds = async (user: ReturnType<typeof somebody>) => {
    const [row] = await deps.db.select().from(lockouts).where(eq(lockouts.key, user.id));
    return ((row?.lockedUntil?.getTime() ?? 0) - clock.now().getTime()) / 1000;
  };

  it("doubles with every further lockout, up to a day", async () => {
    const user = somebody();
    const delays: number[] = [];
    for (let round = 0; round < 9; round++) {
      await fail(5, { user });
      const delay = await lockSeconds(user);
      delays.push(delay / MINUTE);
      clock.advance(delay - 1);
      expect(await attempt({ user }, true)).toBe(false);
      clock.advance(1);
    }
    expect(delays).toEqual([15, 30, 60, 120, 240, 480, 960, 1440, 1440]);
  });

  it("does not grow by what is tried while it is locked", async () => {
    const user = somebody();
    await fail(5, { user });
    const before = await lockSeconds(user);
    expect(await fail(50, { user })).toBe(0);
    expect(await lockSeconds(user)).toBe(before);
    clock.advance(before);
    expect(await attempt({ user }, true)).toBe(true);
  });

  it("is the first one again a day after the last", async () => {
    const user = somebody();
    await fail(5, { user });
    clock.advance(15 * MINUTE);
    await fail(5, { user });
    expect(await lockSeconds(user)).toBe(30 * MINUTE);
    clock.advance(30 * MINUTE + DAY);
    await fail(5, { user });
    expect(await lockSeconds(user)).toBe(15 * MINUTE);
  });
});

describe("what is told", () => {
  it("is one mail and one audit event for each lockout", async () => {
    const user = somebody();
    const before = (await eventsOf("user.locked")).length;
    await fail(30, { user });
    expect(await unlockMails()).toEqual([{ user_id: user.id, email_id: user.emailId }]);
    const events = await eventsOf("user.locked");
    expect(events.length).toBe(before + 1);
    expect(events.at(-1)).toMatchObject({ targetId: user.id, details: { method: "password", lockouts: 1 } });
    clock.advance(15 * MINUTE);
    await fail(5, { user });
    expect((await unlockMails()).length).toBe(2);
  });

  it("is no mail to a user who is disabled", async () => {
    const user = { ...somebody(), enabled: false };
    await fail(5, { user });
    const [mail] = await unlockMails();
    expect(mail?.["user_id"]).not.toBe(user.id);
  });

  it("is nothing when a sign-in that was completed meanwhile has made the last one the first again", async () => {
    const user = somebody();
    await fail(4, { user });
    const last = await beginAttempt(deps, tenant, { user, context: from(), method: "password" });
    await forgetFailures(deps.db, tenant.id, user.id);
    await last.failed();
    expect(await unlockMails()).toEqual([]);
  });
});

describe("unlocking", () => {
  it("lets the owner in at once, and remembers that there was a lockout", async () => {
    const user = somebody();
    const unlock = () =>
      unlockAccount(deps.db, {
        tenantId: tenant.id,
        userId: user.id,
        by: "administrator",
        actor: { type: "system" },
        context: from(),
        now: clock.now(),
      });
    await fail(5, { user });
    await unlock();
    expect((await eventsOf("user.unlocked")).at(-1)).toMatchObject({
      targetId: user.id,
      actorType: "system",
      details: { by: "administrator" },
    });
    const events = (await eventsOf("user.unlocked")).length;
    await unlock();
    expect((await eventsOf("user.unlocked")).length).toBe(events);
    expect(await fail(6, { user })).toBe(5);
    const [row] = await deps.db.select().from(lockouts).where(eq(lockouts.key, user.id));
    expect(row?.lockouts).toBe(2);
  });
});
