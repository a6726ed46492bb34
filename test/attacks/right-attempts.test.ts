/** Attempts with right credentials that come to nothing for another reason: they must not lock their owner out. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { lockouts, passwordCredentials, sessions, users } from "../../src/db/schema/index.ts";
import type { Deps } from "../../src/deps.ts";
import { signInBrowser, signInNative } from "../../src/domain/accounts/sign-in.ts";
import { beginAttempt } from "../../src/domain/protection/service.ts";
import { type RequestContext, systemContext } from "../../src/domain/request-context.ts";
import { findUserById } from "../../src/domain/users/service.ts";
import { isId } from "../../src/lib/ids.ts";
import type { SoftAuthenticator } from "../support/authenticator.ts";
import { waitForMail } from "../support/mailbox.ts";
import { bearer, totpCode, verifyTotp } from "../support/mfa.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { pendingLogin, victimWithPasskey, victimWithTotp } from "./mfa-support.ts";
import { errorOf, login, PASSWORD, type Person, register } from "./support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.deps.db.delete(lockouts);
});

/** An attempt that was begun and never ended counts as wrong after half a minute. */
async function attemptsUnderWay(): Promise<number> {
  const rows = await server.deps.db.select({ pending: lockouts.pending }).from(lockouts);
  expect(rows.length).toBeGreaterThan(0);
  return rows.reduce((sum, { pending }) => sum + pending, 0);
}

async function signInByPasskey(authenticator: SoftAuthenticator): Promise<Response> {
  const begun = await postJson(`${server.url}/mfa/webauthn/login/begin`, {});
  return postJson(`${server.url}/mfa/webauthn/login/complete`, authenticator.get(await begun.json()));
}

const idOf = ({ id }: Person) => {
  if (!isId("user", id)) throw new Error("not a user's id");
  return id;
};

/** A server that does something else while it checks a password. */
const checkingWhile = (act: () => Promise<unknown>): Deps => ({
  ...server.deps,
  passwords: {
    ...server.deps.passwords,
    async verify(password, hash) {
      const matches = await server.deps.passwords.verify(password, hash);
      await act();
      return matches;
    },
  },
});

const signInInBrowser = (
  deps: Deps,
  ...[tenant, credentials, context]: [
    typeof server.tenant,
    { identifier: string; password: string },
    RequestContext,
  ]
) => signInBrowser(deps, tenant, { ...credentials, rememberMe: false }, undefined, context);

describe("a right password", () => {
  /** Guard: protection/repo.ts, forgetting (address and account). */
  it("ends its own attempt with its sign-in, and no other's", async () => {
    const person = await register(server.url);
    await login(server.url, person.username);
    expect(await attemptsUnderWay()).toBe(0);
    const { deps, tenant } = server;
    const context = { ...systemContext, ip: "127.0.0.1" };
    const user = await findUserById(deps, tenant.id, idOf(person));
    await beginAttempt(deps, tenant, { user, context, method: "password" });
    const others = await attemptsUnderWay();
    expect(others).toBeGreaterThan(0);
    await login(server.url, person.username);
    expect(await attemptsUnderWay()).toBe(others);
  });

  /** Guard: accounts/sign-in.ts, withPassword (passed in the end, whatever came of it). */
  it("leaves no attempt open where the address is to be verified first, or another factor is missing", async () => {
    const { username } = await register(server.url);
    await server.configure({ email_verification_required: true });
    const answer = postJson(`${server.url}/login`, { identifier: username, password: PASSWORD });
    expect(await errorOf(answer)).toEqual([403, "email_not_verified"]);
    await server.configure({ email_verification_required: false });
    expect(await attemptsUnderWay()).toBe(0);
    const { person } = await victimWithTotp(server);
    await pendingLogin(server.url, person);
    expect(await attemptsUnderWay()).toBe(0);
  });

  /** Guard: the same, and accounts/sign-ins/repo.ts, insertSignIn (held). */
  it("signs nobody in who has another one meanwhile, and leaves no attempt open", async () => {
    const person = await register(server.url);
    const credentials = { identifier: person.username, password: PASSWORD };
    const context = { ...systemContext, ip: "127.0.0.1" };
    const { db } = server.deps;
    const ofPerson = eq(passwordCredentials.userId, idOf(person));
    const change = () => db.update(passwordCredentials).set({ hash: "another" }).where(ofPerson);
    const signIn = signInNative(checkingWhile(change), server.tenant, credentials, context);
    expect(await signIn.catch(({ code }) => code)).toBe("unauthorized");
    expect(await attemptsUnderWay()).toBe(0);
  });

  /** Guard: accounts/sign-ins/repo.ts, insertSignIn (enabled). */
  it.each([
    ["on the API", signInNative],
    ["in a browser", signInInBrowser],
  ])("signs nobody in %s who is disabled meanwhile", async (_, signIn) => {
    const person = await register(server.url);
    const credentials = { identifier: person.username, password: PASSWORD };
    const context = { ...systemContext, ip: "127.0.0.1" };
    const { db } = server.deps;
    const disable = () =>
      db
        .update(users)
        .set({ enabled: false })
        .where(eq(users.id, idOf(person)));
    const begun = signIn(checkingWhile(disable), server.tenant, credentials, context);
    expect(await begun.catch(({ code }) => code)).toBe("unauthorized");
    expect(
      await db
        .select()
        .from(sessions)
        .where(eq(sessions.userId, idOf(person))),
    ).toEqual([]);
    expect(await attemptsUnderWay()).toBe(0);
  });
});

describe("a right credential", () => {
  /** Guard: accounts/passkey-sign-in.ts, withPasskey (passed before every throw). */
  it("of a passkey leaves no attempt open where the address is to be verified first", async () => {
    const { authenticator } = await victimWithPasskey(server);
    await server.configure({ email_verification_required: true });
    expect(await errorOf(signInByPasskey(authenticator))).toEqual([403, "email_not_verified"]);
    await server.configure({ email_verification_required: false });
    expect(await attemptsUnderWay()).toBe(0);
  });

  /** Guard: the same. */
  it("of a passkey that verified nobody leaves none open where another factor is missing", async () => {
    await server.configure({ mfa_methods: ["totp", "webauthn"] });
    const { authenticator } = await victimWithPasskey(server, { userVerification: false });
    expect(await errorOf(signInByPasskey(authenticator))).toEqual([403, "user_verification_required"]);
    expect(await attemptsUnderWay()).toBe(0);
  });

  /** Guard: mfa/second-factor.ts, withSecondFactor (passed when `then` throws). */
  it("of an app leaves none open when its sign-in has come to nothing meanwhile", async () => {
    const { person, app } = await victimWithTotp(server);
    const token = await pendingLogin(server.url, person);
    await server.deps.db
      .update(passwordCredentials)
      .set({ changedAt: new Date(0) })
      .where(eq(passwordCredentials.userId, idOf(person)));
    const answer = verifyTotp(server, token, totpCode(server, app.secret));
    expect(await errorOf(answer)).toEqual([401, "invalid_mfa_token"]);
    expect(await attemptsUnderWay()).toBe(0);
  });
});

describe("a sign-in by a texted code", () => {
  /** Guard: proofs/service.ts, verifySignInCode (requireVerifiedEmail). */
  it("is no way around an address that has to be verified first, and leaves no attempt open", async () => {
    const person = await register(server.url);
    const { access_token: token } = await login(server.url, person.username);
    const number = `+4915123${String(Math.floor(Math.random() * 1e6)).padStart(6, "0")}`;
    const added = await postJson(`${server.url}/me/phones`, { number }, bearer(token));
    const { id } = (await added.json()) as { id: string };
    const first = codeIn(await waitForMail(server, number));
    const path = `${server.url}/me/phones/${id}/verify`;
    expect((await postJson(path, { code: first }, bearer(token))).status).toBe(200);
    await server.configure({ email_verification_required: true, sms_code_enabled: true });
    const asked = await postJson(`${server.url}/login/sms-code`, { phone: number });
    const { proof_token } = (await asked.json()) as { proof_token: string };
    const code = codeIn(await waitForMail(server, number, (mail) => codeIn(mail) !== first));
    const answer = postJson(`${server.url}/login/sms-code/verify`, { proof_token, code });
    expect(await errorOf(answer)).toEqual([403, "email_not_verified"]);
    await server.configure({ email_verification_required: false });
    expect(await attemptsUnderWay()).toBe(0);
  });
});

const codeIn = ({ subject, text }: { subject: string; text: string }) =>
  /\b\d{6}\b/.exec(`${subject} ${text}`)?.[0] ?? "none";
