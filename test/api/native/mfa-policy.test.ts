/** Who has to prove a second factor, on which device, and how lately. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { ACR_1FA, ACR_2FA } from "../../../src/protocol/oidc/acr.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import { linkIn, waitForMail } from "../../support/mailbox.ts";
import {
  bearer,
  confirmAddress,
  mfaToken,
  newAuthenticator,
  setUpPasskey,
  setUpTotp,
  totpCode,
  verifyTotp,
} from "../../support/mfa.ts";
import {
  claimsOf,
  errorOf,
  goodPassword,
  me,
  type Person,
  registerPerson,
  signIn,
} from "./account-fixture.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const login = ({ email, password }: Person, device_token?: string) =>
  postJson(`${server.url}/login`, { identifier: email, password, ...(device_token ? { device_token } : {}) });
const post = (path: string, token: string, body: unknown = {}) =>
  postJson(server.url + path, body, bearer(token));

describe("where a second factor is required", () => {
  beforeAll(() => server.configure({ mfa_enforcement: "required" }));
  afterAll(() => server.configure({ mfa_enforcement: "optional" }));

  async function enrolling() {
    const person = await registerPerson(server);
    const answer = await login(person);
    expect(answer.status).toBe(200);
    const body = await answer.json();
    expect(Object.keys(body).toSorted()).toEqual([
      "message",
      "mfa_enrollment_required",
      "mfa_methods",
      "mfa_token",
    ]);
    return { person, token: String(body.mfa_token), methods: body.mfa_methods };
  }

  it("who has none gets no tokens, but the means to set one up", async () => {
    expect((await enrolling()).methods).toEqual(["webauthn", "totp"]);
  });

  it("an authenticator app that is set up ends the sign-in", async () => {
    const { person, token } = await enrolling();
    const { secret } = await (await post("/mfa/totp/enroll", token)).json();
    const done = await post("/mfa/totp/verify-setup", token, { code: totpCode(server, secret) });
    expect(done.status).toBe(200);
    const body = await done.json();
    expect(body.backup_codes).toHaveLength(10);
    expect(claimsOf(body.access_token)).toMatchObject({ acr: ACR_2FA, amr: ["pwd", "otp", "mfa"] });
    expect((await me(server, body.access_token)).status).toBe(200);
    server.clock.advance(30);
    expect((await verifyTotp(server, await mfaToken(server, person), totpCode(server, secret))).status).toBe(
      200,
    );
  });

  it("so does a passkey", async () => {
    const { token } = await enrolling();
    const options = await (await post("/mfa/webauthn/register/begin", token)).json();
    const response = newAuthenticator(server).create(options);
    const done = await post("/mfa/webauthn/register/complete", token, response);
    expect(claimsOf((await done.json()).access_token)["acr"]).toBe(ACR_2FA);
  });

  it("the token of it is good for that once, and for nothing else", async () => {
    const { token } = await enrolling();
    for (const [method, path] of [
      ["GET", "/me"],
      ["GET", "/mfa/factors"],
      ["GET", "/mfa/webauthn/credentials"],
      ["POST", "/mfa/totp/disable"],
      ["POST", "/mfa/backup-codes/regenerate"],
      ["GET", "/oauth/userinfo"],
    ] as const) {
      const response = await fetch(server.url + path, { method, headers: bearer(token) });
      expect([path, response.status]).toEqual([path, 401]);
    }
    expect((await postJson(`${server.url}/token/refresh`, { refresh_token: token })).status).toBe(401);
    expect(await errorOf(await verifyTotp(server, token, "123456"))).toMatchObject({
      error: "invalid_mfa_token",
    });
    const { secret } = await (await post("/mfa/totp/enroll", token)).json();
    const code = totpCode(server, secret);
    expect((await post("/mfa/totp/verify-setup", token, { code })).status).toBe(200);
    expect((await post("/mfa/totp/enroll", token)).status).toBe(401);
  });

  it("a token that asks for a second factor sets none up", async () => {
    await server.configure({ mfa_enforcement: "optional" });
    const person = await registerPerson(server);
    await setUpTotp(server, (await signIn(server, person)).access_token);
    const token = await mfaToken(server, person);
    expect((await post("/mfa/totp/enroll", token, { name: "Mallory's" })).status).toBe(401);
    expect((await post("/mfa/webauthn/register/begin", token)).status).toBe(401);
    await server.configure({ mfa_enforcement: "required" });
  });
});

describe("a trusted device", () => {
  async function trusting() {
    const person = await registerPerson(server);
    const { access_token } = await signIn(server, person);
    const app = await setUpTotp(server, access_token);
    const token = await mfaToken(server, person);
    const answer = await verifyTotp(server, token, totpCode(server, app.secret), { trust_device: true });
    server.clock.advance(30);
    const { device_token: device, access_token: access } = await answer.json();
    expect(device).toMatch(/^tdev_/);
    return { person, app, device: String(device), access: String(access) };
  }
  const isTrusted = async (person: Person, device: string) =>
    (await (await login(person, device)).json()).mfa_required !== true;

  it("signs in with the password alone, which is one factor", async () => {
    const { person, device } = await trusting();
    const signedIn = await (await login(person, device)).json();
    expect(claimsOf(signedIn.access_token)).toMatchObject({ acr: ACR_1FA, amr: ["pwd"] });
  });

  it("is trusted for its own user, for 30 days, and where the tenant trusts devices", async () => {
    const { person, device } = await trusting();
    const { person: another } = await trusting();
    expect(await isTrusted(another, device)).toBe(false);
    await server.configure({ trusted_device_days: 0 });
    expect(await isTrusted(person, device)).toBe(false);
    await server.configure({ trusted_device_days: 30 });
    server.clock.advance(30 * 86_400 - 600);
    expect(await isTrusted(person, device)).toBe(true);
    server.clock.advance(600);
    expect(await isTrusted(person, device)).toBe(false);
  });

  it("is listed and forgotten", async () => {
    const { person, device, access } = await trusting();
    const list = () => fetch(`${server.url}/mfa/trusted-devices`, { headers: bearer(access) });
    const [{ id }] = (await (await list()).json()).devices;
    const forget = () =>
      fetch(`${server.url}/mfa/trusted-devices/${id}`, { method: "DELETE", headers: bearer(access) });
    expect((await forget()).status).toBe(204);
    expect((await forget()).status).toBe(404);
    expect((await (await list()).json()).devices).toEqual([]);
    expect(await isTrusted(person, device)).toBe(false);
  });

  it("is forgotten with a new password", async () => {
    const { person, device } = await trusting();
    await confirmAddress(server, person.email);
    server.clock.advance(60);
    await postJson(`${server.url}/forgot-password`, { email: person.email });
    const mail = await waitForMail(server, person.email, ({ subject }) => subject.includes("Reset"));
    const token = new URL(linkIn(mail)).searchParams.get("token");
    const password = `New-${goodPassword}`;
    const reset = await postJson(`${server.url}/reset-password`, { token, new_password: password });
    expect(reset.status).toBe(200);
    expect(await isTrusted({ ...person, password }, device)).toBe(false);
  });

  it("is forgotten with a removed factor", async () => {
    const { person, app, device, access } = await trusting();
    await setUpPasskey(server, access, newAuthenticator(server));
    expect((await post("/mfa/totp/disable", access, { device_id: app.deviceId })).status).toBe(200);
    expect(await isTrusted(person, device)).toBe(false);
  });
});

describe("POST /mfa/step-up", () => {
  const stepUp = (token: string, body: unknown) => post("/mfa/step-up", token, body);

  it("takes the password of who has no second factor", async () => {
    const person = await registerPerson(server);
    const { access_token: token } = await signIn(server, person);
    server.clock.advance(60);
    const done = await stepUp(token, { password: person.password });
    expect(await done.json()).toMatchObject({
      acr: ACR_1FA,
      amr: ["pwd"],
      auth_time: Math.floor(server.clock.now().getTime() / 1000),
    });
    expect((await stepUp(token, { password: "wrong" })).status).toBe(401);
    expect((await stepUp(token, {})).status).toBe(422);
  });

  it("takes no password of who has one", async () => {
    const person = await registerPerson(server);
    const { access_token: token } = await signIn(server, person);
    const { secret } = await setUpTotp(server, token);
    expect(await errorOf(await stepUp(token, { password: person.password }))).toMatchObject({
      status: 403,
      error: "second_factor_required",
    });
    expect((await stepUp(token, { code: totpCode(server, secret) })).status).toBe(200);
  });

  it("is told by the tokens of the next refresh", async () => {
    const person = await registerPerson(server);
    const tokens = await signIn(server, person);
    const { secret } = await setUpTotp(server, tokens.access_token);
    server.clock.advance(60);
    expect((await stepUp(tokens.access_token, { code: totpCode(server, secret) })).status).toBe(200);
    const renewed = await postJson(`${server.url}/token/refresh`, { refresh_token: tokens.refresh_token });
    expect(claimsOf((await renewed.json()).access_token)).toMatchObject({
      acr: ACR_2FA,
      auth_time: Math.floor(server.clock.now().getTime() / 1000),
    });
  });
});

describe("POST /mfa/backup-codes/regenerate", () => {
  it("makes new ones, and the old ones good for nothing", async () => {
    const person = await registerPerson(server);
    const { access_token: token } = await signIn(server, person);
    expect(await errorOf(await post("/mfa/backup-codes/regenerate", token))).toMatchObject({
      status: 409,
      error: "mfa_not_enabled",
    });
    const { backupCodes } = await setUpTotp(server, token);
    const { backup_codes: fresh } = await (await post("/mfa/backup-codes/regenerate", token)).json();
    expect(fresh).toHaveLength(10);
    const old = backupCodes[0] ?? "";
    expect((await verifyTotp(server, await mfaToken(server, person), old)).status).toBe(401);
    expect((await verifyTotp(server, await mfaToken(server, person), fresh[0])).status).toBe(200);
  });
});
