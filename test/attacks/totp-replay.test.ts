/** Replays of one-time passwords (RFC 6238 §5.2: "The verifier MUST NOT accept the second attempt of the OTP"). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { bearer, totpCode, verifyTotp } from "../support/mfa.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { count, pendingLogin, startSecondProcess, victimWithTotp } from "./mfa-support.ts";
import { errorOf } from "./support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.configure({ max_failed_login_attempts: 100, max_failed_attempts_per_ip: 10_000 });
});
afterAll(() => server.stop());

const RACERS = 20;

describe("a code of an authenticator app that somebody looked at", () => {
  /** Guard: domain/mfa/totp/repo.ts, takeStep (`lt(lastStep, step)`). */
  it("is not good a second time", async () => {
    const { person, app } = await victimWithTotp(server);
    const code = totpCode(server, app.secret);
    expect((await verifyTotp(server, await pendingLogin(server.url, person), code)).status).toBe(200);
    const replay = verifyTotp(server, await pendingLogin(server.url, person), code);
    expect(await errorOf(replay)).toEqual([401, "invalid_code"]);
  });

  /** Guard: the same. The newer step was taken, so the older one is, although nobody used its code. */
  it("is not good after a newer one was used", async () => {
    const { person, app } = await victimWithTotp(server);
    const older = totpCode(server, app.secret);
    const newer = totpCode(server, app.secret, 1);
    expect((await verifyTotp(server, await pendingLogin(server.url, person), newer)).status).toBe(200);
    expect((await verifyTotp(server, await pendingLogin(server.url, person), older)).status).toBe(401);
  });

  /** Guard: the same; the step is taken by one statement, not looked at first and written afterwards. */
  it("is good for one of twenty sign-ins that race", async () => {
    const { person, app } = await victimWithTotp(server);
    const tokens = await Promise.all(Array.from({ length: RACERS }, () => pendingLogin(server.url, person)));
    const code = totpCode(server, app.secret);
    const answers = await Promise.all(tokens.map((token) => verifyTotp(server, token, code)));
    expect([count(answers, 200), count(answers, 401)]).toEqual([1, RACERS - 1]);
  });

  /** Guard: domain/mfa/totp/repo.ts, takeStep: the step is in the database, not in a process. */
  it("is not good at another process, nor after a restart", async () => {
    const { person, app } = await victimWithTotp(server);
    const code = totpCode(server, app.secret);
    expect((await verifyTotp(server, await pendingLogin(server.url, person), code)).status).toBe(200);
    const second = await startSecondProcess(server);
    const replay = postJson(`${second.url}/mfa/totp/verify`, {
      mfa_token: await pendingLogin(second.url, person),
      code,
    });
    expect(await errorOf(replay)).toEqual([401, "invalid_code"]);
    await second.stop();
  });

  /** Guard: domain/mfa/totp/repo.ts, confirm (sets `lastStep`). */
  it("is not good for a sign-in when it was used to set the app up", async () => {
    const { person, app } = await victimWithTotp(server);
    const used = totpCode(server, app.secret, -1);
    expect((await verifyTotp(server, await pendingLogin(server.url, person), used)).status).toBe(401);
  });

  /** Guard: domain/mfa/second-factor.ts, withSecondFactor: every flow redeems. */
  it("is good for a sign-in or for stepping up, not for both", async () => {
    const { person, tokens, app } = await victimWithTotp(server);
    const code = totpCode(server, app.secret);
    expect((await verifyTotp(server, await pendingLogin(server.url, person), code)).status).toBe(200);
    for (const path of ["/mfa/step-up", "/mfa/totp/disable"]) {
      const replay = postJson(server.url + path, { code }, bearer(tokens.access_token));
      expect(await errorOf(replay)).toEqual([401, "invalid_code"]);
    }
  });
});

describe("a backup code", () => {
  /** Guard: domain/mfa/backup-codes/repo.ts, useCode (`unused` in the statement that uses it). */
  it("is good for one of twenty sign-ins that race", async () => {
    const { person, app } = await victimWithTotp(server);
    const tokens = await Promise.all(Array.from({ length: RACERS }, () => pendingLogin(server.url, person)));
    const code = app.backupCodes[0] ?? "";
    const answers = await Promise.all(tokens.map((token) => verifyTotp(server, token, code)));
    expect([count(answers, 200), count(answers, 401)]).toEqual([1, RACERS - 1]);
  });
});

describe("a token of a pending sign-in", () => {
  /** Guard: domain/challenges/repo.ts, consumeOne (one statement); domain/mfa/pending-login.ts, consumePendingLogin. */
  it("is good for one of twenty answers that race, each with a code of its own", async () => {
    const { person, app } = await victimWithTotp(server);
    const token = await pendingLogin(server.url, person);
    const codes = [...app.backupCodes, totpCode(server, app.secret)];
    const answers = await Promise.all(codes.map((code) => verifyTotp(server, token, code)));
    expect(count(answers, 200)).toBe(1);
  });
});
