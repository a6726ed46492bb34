import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { beginPasskeySignUp, finishPasskeySignUp } from "../../../src/domain/accounts/passkey-sign-up.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { waitForMail } from "../../support/mailbox.ts";
import { newAuthenticator } from "../../support/mfa.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const begin = (username: string, email = `${username}@example.com`) =>
  beginPasskeySignUp(server.deps, server.tenant, { username, email, givenName: "Ada" });
const finish = (response: Parameters<typeof finishPasskeySignUp>[2]) =>
  finishPasskeySignUp(server.deps, server.tenant, response, systemContext);
const statusOf = (work: Promise<unknown>) =>
  work.then(
    () => 200,
    (error: { status?: number }) => error.status,
  );

async function signIn(authenticator: ReturnType<typeof newAuthenticator>): Promise<Response> {
  const options = await (await postJson(`${server.url}/mfa/webauthn/login/begin`, {})).json();
  return postJson(`${server.url}/mfa/webauthn/login/complete`, authenticator.get(options));
}

describe("signing up with a passkey", () => {
  it("makes an account that signs in with it, and mails a link that confirms the address", async () => {
    const authenticator = newAuthenticator(server);
    const options = await begin("ada");
    expect(options.authenticatorSelection).toMatchObject({
      residentKey: "required",
      userVerification: "required",
    });
    const user = await finish(authenticator.create(options));
    const signedIn = await (await signIn(authenticator)).json();
    expect(signedIn.user).toMatchObject({ id: user.id, username: "ada", given_name: "Ada" });
    await waitForMail(server, "ada@example.com", ({ text }) => text.includes("/verify-email?token="));
  });

  it("wants a passkey that verifies its user, and each challenge once", async () => {
    const careless = newAuthenticator(server, { userVerification: false });
    expect(await statusOf(finish(careless.create(await begin("bea"))))).toBe(400);
    const authenticator = newAuthenticator(server);
    const response = authenticator.create(await begin("bea"));
    expect(await statusOf(finish(response))).toBe(200);
    expect(await statusOf(finish(response))).toBe(400);
  });

  it("refuses a taken username, and does not tell of a known address", async () => {
    const authenticator = newAuthenticator(server);
    await finish(authenticator.create(await begin("cleo")));
    expect(await statusOf(begin("cleo"))).toBe(409);
    const second = newAuthenticator(server);
    expect(await statusOf(finish(second.create(await begin("cleo2", "cleo@example.com"))))).toBe(200);
    expect((await signIn(second)).status).toBe(401);
    await waitForMail(server, "cleo@example.com", ({ subject }) => subject.includes("already"));
  });

  it("is refused where nobody may register, or no passkeys are taken", async () => {
    const closed = {
      ...server.tenant,
      settings: { ...server.tenant.settings, self_registration_enabled: false },
    };
    const input = { username: "dora", email: "dora@example.com" };
    expect(await statusOf(beginPasskeySignUp(server.deps, closed, input))).toBe(403);
    const without = {
      ...server.tenant,
      settings: { ...server.tenant.settings, mfa_methods: ["totp" as const] },
    };
    expect(await statusOf(beginPasskeySignUp(server.deps, without, input))).toBe(403);
  });
});
