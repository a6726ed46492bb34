/** Guessing second factors (CWE-307): across flows, tokens, processes and restarts. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { bearer, totpCode, verifyTotp } from "../support/mfa.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { count, countEvents, pendingLogin, startSecondProcess, victimWithTotp } from "./mfa-support.ts";
import { errorOf } from "./support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(() => server.configure({ max_failed_login_attempts: 5, max_failed_attempts_per_ip: 10_000 }));

/** A code that the app does not show now, nor shortly before or after. */
const wrongCode = (secret: string, salt: number) => totpCode(server, secret, 1000 + salt);

describe("somebody who guesses codes", () => {
  /** Guard: domain/mfa/second-factor.ts, withSecondFactor (beginAttempt): every flow counts in one place. */
  it("is stopped after five, tried in whatever flow and at whatever process, the right code included", async () => {
    const { person, tokens, app } = await victimWithTotp(server);
    const pending = await pendingLogin(server.url, person);
    const second = await startSecondProcess(server);
    const guess = (base: string, path: string, code: string) =>
      postJson(
        base + path,
        path.includes("verify") ? { mfa_token: pending, code } : { code },
        path.includes("verify") ? {} : bearer(tokens.access_token),
      );
    const tried = [
      await guess(server.url, "/mfa/totp/verify", wrongCode(app.secret, 1)),
      await guess(second.url, "/mfa/totp/verify", wrongCode(app.secret, 2)),
      await guess(server.url, "/mfa/step-up", wrongCode(app.secret, 3)),
      await guess(second.url, "/mfa/totp/disable", "0000-0000"),
      await guess(server.url, "/mfa/totp/verify", "1111-1111"),
    ];
    expect(count(tried, 401)).toBe(5);
    await second.stop();
    const third = await startSecondProcess(server);
    const right = totpCode(server, app.secret);
    expect(await errorOf(guess(third.url, "/mfa/totp/verify", right))).toEqual([401, "invalid_code"]);
    expect(await errorOf(guess(third.url, "/mfa/step-up", right))).toEqual([401, "invalid_code"]);
    await third.stop();
  });

  /** Guard: domain/accounts/begin-session.ts (forgetFailures): a right password alone forgets nothing. */
  it("gets no new tries by signing in with the password in between", async () => {
    const { person, app } = await victimWithTotp(server);
    for (let guess = 0; guess < 5; guess++) {
      const pending = await pendingLogin(server.url, person);
      expect((await verifyTotp(server, pending, wrongCode(app.secret, guess))).status).toBe(401);
    }
    const login = await postJson(`${server.url}/login`, {
      identifier: person.username,
      password: "SecureP@ssw0rd!",
    });
    expect(login.status).toBe(401);
  });

  /** Guard: domain/mfa/pending-login.ts, countAnswer; domain/challenges/repo.ts, countAttempt (one statement). */
  it("has five answers for each token, however many are sent at once", async () => {
    await server.configure({ max_failed_login_attempts: 100 });
    const { person, app } = await victimWithTotp(server);
    const pending = await pendingLogin(server.url, person);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, guess) => verifyTotp(server, pending, wrongCode(app.secret, guess))),
    );
    const errors = await Promise.all(answers.map((answer) => errorOf(answer)));
    expect(errors.filter(([, error]) => error === "invalid_code")).toHaveLength(5);
    expect(errors.filter(([, error]) => error === "invalid_mfa_token")).toHaveLength(15);
    const right = verifyTotp(server, pending, totpCode(server, app.secret));
    expect(await errorOf(right)).toEqual([401, "invalid_mfa_token"]);
  });

  /** Guard: domain/mfa/second-factor.ts, refuse: written outside of the transaction that is rolled back. */
  it("is counted and written down although the sign-in is rolled back", async () => {
    const { person, app } = await victimWithTotp(server);
    const code = totpCode(server, app.secret);
    expect((await verifyTotp(server, await pendingLogin(server.url, person), code)).status).toBe(200);
    const before = await countEvents(server, "mfa.failed");
    // A code that is right and was used: it fails inside of the transaction.
    for (let replay = 0; replay < 5; replay++) {
      const pending = await pendingLogin(server.url, person);
      expect((await verifyTotp(server, pending, code)).status).toBe(401);
    }
    expect((await countEvents(server, "mfa.failed")) - before).toBe(5);
    server.clock.advance(30);
    const login = await postJson(`${server.url}/login`, {
      identifier: person.username,
      password: "SecureP@ssw0rd!",
    });
    expect(login.status).toBe(401);
  });
});
