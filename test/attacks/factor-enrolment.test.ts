/** Setting up a second factor in somebody else's account, or in their stead. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { bearer, newAuthenticator, totpCode } from "../support/mfa.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { Browser, errorOf, PASSWORD, type Person, register, signedIn } from "./support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.configure({ mfa_enforcement: "required" });
});
afterAll(() => server.stop());

/** The token of somebody who has the password, where everybody has to set up a second factor. */
async function enrolmentToken({ username }: Person): Promise<string> {
  const response = await postJson(`${server.url}/login`, { identifier: username, password: PASSWORD });
  const answer = (await response.json()) as { mfa_enrollment_required?: boolean; mfa_token: string };
  expect(answer.mfa_enrollment_required).toBe(true);
  return answer.mfa_token;
}

async function beginTotp(token: string): Promise<{ secret: string; device_id: string }> {
  const begun = await postJson(`${server.url}/mfa/totp/enroll`, {}, bearer(token));
  expect(begun.status).toBe(200);
  return (await begun.json()) as { secret: string; device_id: string };
}

const finishTotp = (token: string, { secret, device_id }: { secret: string; device_id: string }) =>
  postJson(
    `${server.url}/mfa/totp/verify-setup`,
    { code: totpCode(server, secret), device_id },
    bearer(token),
  );

async function beginPasskey(token: string) {
  const begun = await postJson(`${server.url}/mfa/webauthn/register/begin`, {}, bearer(token));
  expect(begun.status).toBe(200);
  return newAuthenticator(server).create(await begun.json());
}

const finishPasskey = (token: string, response: unknown) =>
  postJson(`${server.url}/mfa/webauthn/register/complete`, response, bearer(token));

describe("who knows the password, and began to sign in before the owner set up a second factor", () => {
  /** Guard: accounts/complete-sign-in.ts, enrol (requireNoFactor). */
  it("adds none of their own afterwards", async () => {
    const person = await register(server.url);
    const attackers = await enrolmentToken(person);
    const passkey = await beginPasskey(attackers);
    const owners = await enrolmentToken(person);
    expect((await finishTotp(owners, await beginTotp(owners))).status).toBe(200);

    expect(await errorOf(finishPasskey(attackers, passkey))).toEqual([401, "invalid_mfa_token"]);
  });

  /** Guard: the same, with the user's row held (lockFactors): of sign-ins that race, one sets up the factor. */
  it("adds none in a race either", async () => {
    const person = await register(server.url);
    const tokens = await Promise.all(Array.from({ length: 6 }, () => enrolmentToken(person)));
    const begun = await Promise.all(
      tokens.map(async (token) => ({ token, passkey: await beginPasskey(token) })),
    );
    const answers = await Promise.all(begun.map(({ token, passkey }) => finishPasskey(token, passkey)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401, 401, 401]);
  });
});

/** The key that a page shows for typing. */
async function keyOn(page: Response): Promise<string> {
  const key = /<p class="secret">\s*<code>([A-Z2-7 ]+)<\/code>/.exec(await page.text())?.[1];
  if (!key) throw new Error("the page shows no key");
  return key.replaceAll(" ", "");
}

describe("who knows the password, and leaves an authenticator app half set up for its owner to finish", () => {
  /** Guard: mfa/totp/service.ts, resumeTotpSetup (begunBy: the very sign-in that began it). */
  it("has their secret shown to nobody else who signs in", async () => {
    const person = await register(server.url);
    const [attacker, owner] = [new Browser(server.url), new Browser(server.url)];
    await attacker.signIn(person.username);
    const planted = await keyOn(await attacker.get("/signin/enroll/totp"));
    expect(await keyOn(await attacker.get("/signin/enroll/totp"))).toBe(planted);
    await owner.signIn(person.username);
    expect(await keyOn(await owner.get("/signin/enroll/totp"))).not.toBe(planted);
  });

  /** Guard: the same, by the session. */
  it("has it shown in no other session", async () => {
    await server.configure({ mfa_enforcement: "optional" });
    const { person, browser: attacker } = await signedIn(server.url);
    const planted = await keyOn(await attacker.get("/account/security/totp/new"));
    const owner = new Browser(server.url);
    await owner.signIn(person.username);
    expect(await keyOn(await owner.get("/account/security/totp/new"))).not.toBe(planted);
    await server.configure({ mfa_enforcement: "required" });
  });
});
