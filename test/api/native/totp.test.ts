import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { PNG } from "pngjs";
import { ACR_2FA } from "../../../src/protocol/oidc/acr.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import { waitForMail } from "../../support/mailbox.ts";
import { bearer, mfaToken, setUpTotp, totpCode, verifyTotp } from "../../support/mfa.ts";
import { claimsOf, errorOf, me, type Person, registerPerson, signIn } from "./account-fixture.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const enroll = (token: string, body: unknown = {}) =>
  postJson(`${server.url}/mfa/totp/enroll`, body, bearer(token));
const verifySetup = (token: string, body: unknown) =>
  postJson(`${server.url}/mfa/totp/verify-setup`, body, bearer(token));
const disable = (token: string, body: unknown = {}) =>
  postJson(`${server.url}/mfa/totp/disable`, body, bearer(token));
const factors = async (token: string) => {
  const response = await fetch(`${server.url}/mfa/factors`, { headers: bearer(token) });
  expect(response.status).toBe(200);
  return response.json();
};

async function personWithTotp() {
  const person = await registerPerson(server);
  const tokens = await signIn(server, person);
  return { person, tokens, app: await setUpTotp(server, tokens.access_token) };
}

/** A sign-in with both factors. */
async function signInWithTotp(person: Person, secret: string) {
  const response = await verifyTotp(server, await mfaToken(server, person), totpCode(server, secret));
  expect(response.status).toBe(200);
  server.clock.advance(30);
  return response.json();
}

describe("POST /mfa/totp/enroll", () => {
  it("answers what an authenticator app needs, in every form", async () => {
    const person = await registerPerson(server);
    const { access_token: token } = await signIn(server, person);
    const response = await enroll(token);
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const body = await response.json();
    const png = PNG.sync.read(Buffer.from(body.qr_code.split(",")[1], "base64"));
    expect(body).toEqual({
      secret: expect.stringMatching(/^[A-Z2-7]{32}$/),
      provisioning_uri: `otpauth://totp/Gatewright:${encodeURIComponent(person.email)}?issuer=Gatewright&secret=${body.secret}&algorithm=SHA1&digits=6&period=30`,
      device_id: expect.stringMatching(/^totp_/),
      qr_code: expect.stringMatching(/^data:image\/png;base64,/),
      qr_svg: expect.stringMatching(/^<svg /),
    });
    expect(png.width).toBe(png.height);
    expect(png.width).toBeGreaterThan(150);
  });

  it("takes a request without a body, as the reference's clients send it", async () => {
    const { access_token: token } = await signIn(server, await registerPerson(server));
    const response = await fetch(`${server.url}/mfa/totp/enroll`, { method: "POST", headers: bearer(token) });
    expect(response.status).toBe(200);
  });

  it("changes nothing until a code was right: sign-in goes on without", async () => {
    const person = await registerPerson(server);
    const { access_token: token } = await signIn(server, person);
    await enroll(token);
    await signIn(server, person);
    expect((await factors(token)).totp).toEqual([]);
  });

  it("answers 409 mfa_already_enabled to who has an app, unless another one is named", async () => {
    const { tokens } = await personWithTotp();
    expect(await errorOf(await enroll(tokens.access_token))).toMatchObject({
      status: 409,
      error: "mfa_already_enabled",
    });
    await setUpTotp(server, tokens.access_token, "Tablet");
    expect(await errorOf(await enroll(tokens.access_token, { name: "Tablet" }))).toMatchObject({
      status: 409,
      error: "mfa_already_enabled",
    });
    expect((await factors(tokens.access_token)).totp).toMatchObject([
      { name: "Authenticator app" },
      { name: "Tablet" },
    ]);
  });

  it("is refused where second factors are off, or this one is not to be used", async () => {
    const { access_token: token } = await signIn(server, await registerPerson(server));
    await server.configure({ mfa_enforcement: "off" });
    expect((await enroll(token)).status).toBe(403);
    await server.configure({ mfa_enforcement: "optional", mfa_methods: ["webauthn"] });
    expect((await enroll(token)).status).toBe(403);
    await server.configure({ mfa_methods: ["totp", "webauthn", "backup_code"] });
  });

  it("asks for a sign-in of the last 15 minutes (RFC 9470)", async () => {
    const { access_token, refresh_token } = await signIn(server, await registerPerson(server));
    server.clock.advance(14 * 60);
    expect((await enroll(access_token)).status).toBe(200);
    server.clock.advance(61);
    const renewed = await postJson(`${server.url}/token/refresh`, { refresh_token });
    const response = await enroll((await renewed.json()).access_token);
    expect(response.headers.get("www-authenticate")).toMatch(
      /^Bearer error="insufficient_user_authentication", error_description="[^"]+", max_age="900"$/,
    );
    expect(await errorOf(response)).toMatchObject({ status: 401, error: "insufficient_user_authentication" });
  });
});

describe("POST /mfa/totp/verify-setup", () => {
  it("answers ten backup codes with the first app, and none with the next", async () => {
    const { tokens, app } = await personWithTotp();
    expect(app.backupCodes).toHaveLength(10);
    for (const code of app.backupCodes) expect(code).toMatch(/^[0-9a-z]{4}-[0-9a-z]{4}$/);
    expect((await setUpTotp(server, tokens.access_token, "Tablet")).backupCodes).toEqual([]);
  });

  it("takes the newest app that is being set up, where none is named", async () => {
    const { access_token: token } = await signIn(server, await registerPerson(server));
    const first = await (await enroll(token)).json();
    const second = await (await enroll(token)).json();
    expect((await verifySetup(token, { code: totpCode(server, first.secret) })).status).toBe(400);
    expect((await verifySetup(token, { code: totpCode(server, second.secret) })).status).toBe(200);
  });

  it("refuses a wrong code, and one that came after an hour", async () => {
    const person = await registerPerson(server);
    const { access_token: token } = await signIn(server, person);
    const { secret } = await (await enroll(token)).json();
    const wrong = totpCode(server, secret, 5);
    expect(await errorOf(await verifySetup(token, { code: wrong }))).toMatchObject({
      status: 400,
      error: "invalid_code",
    });
    server.clock.advance(3600);
    const later = await signIn(server, person);
    expect((await verifySetup(later.access_token, { code: totpCode(server, secret) })).status).toBe(400);
  });

  it("makes the session one of two factors, and no younger", async () => {
    const person = await registerPerson(server);
    const tokens = await signIn(server, person);
    const signedInAt = claimsOf(tokens.access_token)["auth_time"];
    server.clock.advance(60);
    await setUpTotp(server, tokens.access_token);
    const renewed = await postJson(`${server.url}/token/refresh`, { refresh_token: tokens.refresh_token });
    expect(claimsOf((await renewed.json()).access_token)).toMatchObject({
      acr: ACR_2FA,
      amr: ["pwd", "otp", "mfa"],
      auth_time: signedInAt,
    });
  });

  it("is told to the owner by mail, and so is the end of it", async () => {
    const { person, tokens } = await personWithTotp();
    const added = await waitForMail(server, person.email, ({ subject }) => subject.includes("added"));
    expect(added.text).toContain("Kind: Authenticator app");
    expect((await disable(tokens.access_token)).status).toBe(200);
    await waitForMail(server, person.email, ({ subject }) => subject.includes("removed"));
  });
});

describe("POST /login of who has a second factor", () => {
  it("answers what is missing, and no tokens", async () => {
    const { person } = await personWithTotp();
    const response = await postJson(`${server.url}/login`, {
      identifier: person.email,
      password: person.password,
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      mfa_required: true,
      mfa_token: expect.stringMatching(/^chal_/),
      mfa_methods: ["totp", "backup_code"],
      message: expect.any(String),
    });
  });

  it("asks nobody where second factors are off", async () => {
    const { person } = await personWithTotp();
    await server.configure({ mfa_enforcement: "off" });
    await signIn(server, person);
    await server.configure({ mfa_enforcement: "optional" });
  });
});

describe("POST /mfa/totp/verify", () => {
  it("answers as /login does, with a session of two factors", async () => {
    const { person, app } = await personWithTotp();
    const signedIn = await signInWithTotp(person, app.secret);
    expect(signedIn).toMatchObject({ token_type: "Bearer", user: { email: person.email } });
    expect(signedIn.device_token).toBeUndefined();
    expect(claimsOf(signedIn.access_token)).toMatchObject({ acr: ACR_2FA, amr: ["pwd", "otp", "mfa"] });
    expect((await me(server, signedIn.access_token)).status).toBe(200);
  });

  it("takes a backup code in its place, once, however it is typed", async () => {
    const { person, app } = await personWithTotp();
    const [first = "", second = ""] = app.backupCodes;
    expect((await verifyTotp(server, await mfaToken(server, person), first)).status).toBe(200);
    expect((await verifyTotp(server, await mfaToken(server, person), first)).status).toBe(401);
    const typed = second.toUpperCase().replace("-", " ");
    expect((await verifyTotp(server, await mfaToken(server, person), typed)).status).toBe(200);
  });

  it("takes a code of the step before and the step after, and of no other", async () => {
    const { person, app } = await personWithTotp();
    server.clock.advance(120);
    for (const [step, status] of [
      [-2, 401],
      [2, 401],
      [-1, 200],
      [1, 200],
    ] as const) {
      const code = totpCode(server, app.secret, step);
      expect([step, (await verifyTotp(server, await mfaToken(server, person), code)).status]).toEqual([
        step,
        status,
      ]);
    }
  });

  it("answers a wrong code and a wrong token differently, and a used token as a forged one", async () => {
    const { person, app } = await personWithTotp();
    const token = await mfaToken(server, person);
    expect(await errorOf(await verifyTotp(server, token, "000000"))).toMatchObject({
      status: 401,
      error: "invalid_code",
    });
    expect((await verifyTotp(server, token, totpCode(server, app.secret))).status).toBe(200);
    server.clock.advance(30);
    for (const refused of [token, `${token.slice(0, -1)}x`, "x"]) {
      expect(await errorOf(await verifyTotp(server, refused, totpCode(server, app.secret)))).toMatchObject({
        status: 401,
        error: "invalid_mfa_token",
      });
    }
  });

  it("refuses a token after 5 minutes", async () => {
    const { person, app } = await personWithTotp();
    const token = await mfaToken(server, person);
    server.clock.advance(300);
    expect(await errorOf(await verifyTotp(server, token, totpCode(server, app.secret)))).toMatchObject({
      error: "invalid_mfa_token",
    });
  });
});

describe("POST /mfa/totp/disable", () => {
  it("asks for a second factor: with a code, or proved in the last 15 minutes", async () => {
    const { person, tokens, app } = await personWithTotp();
    server.clock.advance(15 * 60);
    const old = (
      await (await postJson(`${server.url}/token/refresh`, { refresh_token: tokens.refresh_token })).json()
    ).access_token;
    expect(await errorOf(await disable(old))).toMatchObject({ error: "insufficient_user_authentication" });
    expect(await errorOf(await disable(old, { code: "000000" }))).toMatchObject({ error: "invalid_code" });
    expect((await disable(old, { code: totpCode(server, app.secret) })).status).toBe(200);
    await signIn(server, person);
    expect(await factors(old)).toMatchObject({ totp: [], backup_codes_left: 0 });
  });

  it("removes one of several, and leaves the rest and the backup codes", async () => {
    const { person, tokens, app } = await personWithTotp();
    const second = await setUpTotp(server, tokens.access_token, "Tablet");
    expect((await disable(tokens.access_token, { device_id: second.deviceId })).status).toBe(200);
    expect(await factors(tokens.access_token)).toMatchObject({
      totp: [{ device_id: app.deviceId }],
      backup_codes_left: 10,
    });
    await signInWithTotp(person, app.secret);
    expect((await disable(tokens.access_token, { device_id: second.deviceId })).status).toBe(404);
  });

  it("keeps the last one where a second factor is required", async () => {
    const { tokens } = await personWithTotp();
    await server.configure({ mfa_enforcement: "required" });
    expect(await errorOf(await disable(tokens.access_token))).toMatchObject({ status: 409 });
    await server.configure({ mfa_enforcement: "optional" });
  });
});
