/** Guessing a second factor with the help of the mailbox, which ends one lockout after the other (NIST SP 800-63B §5.2.2). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { systemContext } from "../../src/domain/request-context.ts";
import { unlockAccount } from "../../src/domain/protection/service.ts";
import { isId } from "../../src/lib/ids.ts";
import { totpCode, verifyTotp } from "../support/mfa.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { pendingLogin, victimWithTotp } from "./mfa-support.ts";
import { errorOf, type Person } from "./support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

async function unlock({ id }: Person, by: "mail_link" | "password_reset" | "administrator") {
  if (!isId("user", id)) throw new Error("not a user's id");
  const { tenant, deps, clock } = server;
  await unlockAccount(deps.db, {
    tenantId: tenant.id,
    userId: id,
    by,
    context: systemContext,
    now: clock.now(),
  });
}

describe("who has the password and reads the mail", () => {
  /** Guard: protection/service.ts, beginAttempt (secondFactorRule), which unlockAccount leaves alone. */
  it("has no more guesses at the second factor by ending lockouts; an administrator gives new ones", async () => {
    const { person, app } = await victimWithTotp(server);
    const wrong = totpCode(server, app.secret, 500);
    for (let round = 0; round < 4; round++) {
      const token = await pendingLogin(server.url, person);
      for (let guess = 0; guess < 5; guess++)
        expect(await errorOf(verifyTotp(server, token, wrong))).toEqual([401, "invalid_code"]);
      await unlock(person, round % 2 === 0 ? "mail_link" : "password_reset");
    }
    const right = () => totpCode(server, app.secret);
    const locked = await pendingLogin(server.url, person);
    expect(await errorOf(verifyTotp(server, locked, right()))).toEqual([401, "invalid_code"]);
    await unlock(person, "administrator");
    expect((await verifyTotp(server, locked, right())).status).toBe(200);
  });
});
