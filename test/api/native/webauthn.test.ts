import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { ACR_1FA, ACR_2FA } from "../../../src/protocol/oidc/acr.ts";
import type { Forgery, SoftAuthenticator } from "../../support/authenticator.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import { bearer, mfaToken, newAuthenticator, setUpPasskey, setUpTotp } from "../../support/mfa.ts";
import { claimsOf, errorOf, registerPerson, signIn } from "./account-fixture.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const path = "/mfa/webauthn";
const begin = (body: unknown = {}) => postJson(`${server.url}${path}/login/begin`, body);
const complete = (response: unknown, token?: string) =>
  postJson(`${server.url}${path}/login/complete${token ? `?mfa_token=${token}` : ""}`, response);
const credentials = async (token: string) =>
  (await fetch(`${server.url}${path}/credentials`, { headers: bearer(token) })).json();
const send = (method: string, id: string, token: string, body?: unknown) =>
  fetch(`${server.url}${path}/credentials/${id}`, {
    method,
    headers: { ...bearer(token), "content-type": "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });

async function personWithPasskey(options: Parameters<typeof newAuthenticator>[1] = {}) {
  const person = await registerPerson(server);
  const tokens = await signIn(server, person);
  const authenticator = newAuthenticator(server, options);
  const { credentialId, backupCodes } = await setUpPasskey(server, tokens.access_token, authenticator);
  return { person, token: tokens.access_token, authenticator, credentialId, backupCodes };
}

/** A sign-in with the passkey alone. */
async function signInWith(authenticator: SoftAuthenticator, forgery: Forgery = {}) {
  const options = await (await begin()).json();
  return complete(authenticator.get(options, forgery));
}

describe("POST /mfa/webauthn/register/begin", () => {
  it("answers options for this site and this user, and never the same challenge", async () => {
    const { token, authenticator } = await personWithPasskey();
    const first = await (await postJson(`${server.url}${path}/register/begin`, {}, bearer(token))).json();
    const second = await (await postJson(`${server.url}${path}/register/begin`, {}, bearer(token))).json();
    const { challenge, ...rest } = first;
    expect(challenge).not.toBe(second.challenge);
    expect(rest).toMatchObject({
      rp: { id: "localhost", name: "Gatewright" },
      attestation: "none",
      authenticatorSelection: { residentKey: "preferred", userVerification: "preferred" },
      excludeCredentials: [{ id: authenticator.credentials[0]?.id.toString("base64url") }],
      pubKeyCredParams: [{ alg: -8 }, { alg: -7 }, { alg: -257 }],
      timeout: 300_000,
    });
  });

  it("asks for what the tenant's policy wants", async () => {
    const { access_token: token } = await signIn(server, await registerPerson(server));
    await server.configure({ webauthn_attestation: "direct", webauthn_user_verification: "required" });
    const options = await (await postJson(`${server.url}${path}/register/begin`, {}, bearer(token))).json();
    expect(options.attestation).toBe("direct");
    expect(options.authenticatorSelection.userVerification).toBe("required");
    const response = newAuthenticator(server, { userVerification: false }).create(options);
    const refused = await postJson(`${server.url}${path}/register/complete`, response, bearer(token));
    expect(await errorOf(refused)).toMatchObject({ status: 400, error: "invalid_credential" });
    const attesting = newAuthenticator(server, { attests: true });
    await setUpPasskey(server, token, attesting);
    expect((await credentials(token)).credentials[0].attestation_format).toBe("packed");
    await server.configure({ webauthn_attestation: "none", webauthn_user_verification: "preferred" });
  });
});

describe("POST /mfa/webauthn/register/complete", () => {
  it("keeps what is known of the passkey, and answers backup codes with the first factor", async () => {
    const { token, credentialId, backupCodes } = await personWithPasskey({
      aaguid: "bada5566-a7aa-401f-bd96-45619a55120d",
      backupEligible: true,
    });
    expect(backupCodes).toHaveLength(10);
    expect((await credentials(token)).credentials).toMatchObject([
      {
        id: credentialId,
        name: "Key",
        authenticator: "1Password",
        transports: ["hybrid", "internal"],
        discoverable: true,
        backup_eligible: true,
        backed_up: true,
        last_used_at: null,
      },
    ]);
  });

  it("names it after its authenticator where nobody names it", async () => {
    const { access_token: token } = await signIn(server, await registerPerson(server));
    const options = await (await postJson(`${server.url}${path}/register/begin`, {}, bearer(token))).json();
    const authenticator = newAuthenticator(server, { aaguid: "d548826e-79b4-db40-a3d8-11116f7e8349" });
    const response = authenticator.create(options);
    expect((await postJson(`${server.url}${path}/register/complete`, response, bearer(token))).status).toBe(
      200,
    );
    expect((await credentials(token)).credentials[0].name).toBe("Bitwarden");
  });
});

describe("a passkey as second factor", () => {
  it("ends a sign-in that a password began", async () => {
    const { person, authenticator } = await personWithPasskey({ userVerification: false });
    const token = await mfaToken(server, person);
    const options = await (await begin({ mfa_token: token })).json();
    expect(options.allowCredentials).toHaveLength(1);
    const response = await complete(authenticator.get(options), token);
    expect(response.status).toBe(200);
    expect(claimsOf((await response.json()).access_token)).toMatchObject({
      acr: ACR_2FA,
      amr: ["pwd", "hwk", "user", "mfa"],
    });
  });

  it("is one of the methods that /login names", async () => {
    const { person, token } = await personWithPasskey();
    await setUpTotp(server, token, "App");
    const answer = await postJson(`${server.url}/login`, {
      identifier: person.email,
      password: person.password,
    });
    expect((await answer.json()).mfa_methods).toEqual(["webauthn", "totp", "backup_code"]);
  });
});

describe("a passkey alone", () => {
  it("signs in without a name, as two factors when it verified its user", async () => {
    const { person, authenticator } = await personWithPasskey({ backupEligible: true });
    const options = await (await begin()).json();
    expect(options.allowCredentials ?? []).toEqual([]);
    const response = await complete(authenticator.get(options));
    expect(response.status).toBe(200);
    const body = await response.json();
    expect(body.user.email).toBe(person.email);
    expect(claimsOf(body.access_token)).toMatchObject({ acr: ACR_2FA, amr: ["swk", "user", "mfa"] });
  });

  it("that did not verify its user is asked for another factor, or refused where there is none", async () => {
    const { token, authenticator, backupCodes } = await personWithPasskey({ userVerification: false });
    const answer = await signInWith(authenticator);
    expect((await answer.json()).mfa_methods).toEqual(["backup_code"]);
    expect(backupCodes).toHaveLength(10);
    await setUpTotp(server, token, "App");
    expect((await (await signInWith(authenticator)).json()).mfa_methods).toEqual(["totp", "backup_code"]);
    await server.configure({ mfa_methods: ["webauthn"] });
    expect(await errorOf(await signInWith(authenticator))).toMatchObject({
      status: 403,
      error: "user_verification_required",
    });
    await server.configure({ mfa_methods: ["totp", "webauthn", "backup_code"], mfa_enforcement: "off" });
    const single = await (await signInWith(authenticator)).json();
    expect(claimsOf(single.access_token)).toMatchObject({ acr: ACR_1FA, amr: ["hwk", "user"] });
    await server.configure({ mfa_enforcement: "optional" });
  });

  it("notes when it was used, and whether it is backed up", async () => {
    const { token, authenticator } = await personWithPasskey();
    expect((await signInWith(authenticator)).status).toBe(200);
    expect((await credentials(token)).credentials[0].last_used_at).toBe(server.clock.now().toISOString());
  });

  it("waits for a confirmed address where the tenant wants one", async () => {
    const { authenticator } = await personWithPasskey();
    await server.configure({ email_verification_required: true });
    expect(await errorOf(await signInWith(authenticator))).toMatchObject({ error: "email_not_verified" });
    await server.configure({ email_verification_required: false });
  });
});

describe("managing passkeys", () => {
  it("renames one", async () => {
    const { token, credentialId } = await personWithPasskey();
    const renamed = await send("PATCH", credentialId, token, { name: "Blue key" });
    expect(await renamed.json()).toMatchObject({ id: credentialId, name: "Blue key" });
    expect((await send("PATCH", credentialId, token, { name: "a\nb" })).status).toBe(422);
    expect((await send("PATCH", "passkey_x", token, { name: "Blue key" })).status).toBe(404);
  });

  it("removes one, which signs in no more", async () => {
    const { person, token, authenticator, credentialId } = await personWithPasskey();
    expect((await send("DELETE", credentialId, token)).status).toBe(204);
    expect((await send("DELETE", credentialId, token)).status).toBe(404);
    expect((await signInWith(authenticator)).status).toBe(401);
    await signIn(server, person);
  });

  it("asks for a second factor of the last 15 minutes before one is removed", async () => {
    const { token, authenticator, credentialId } = await personWithPasskey();
    server.clock.advance(14 * 60);
    const { access_token } = await (await signInWith(authenticator)).json();
    server.clock.advance(61);
    const refused = await send("DELETE", credentialId, token).then((response) => response.status);
    expect(refused).toBe(401);
    expect((await send("DELETE", credentialId, access_token)).status).toBe(204);
  });

  it("keeps each user's to themselves", async () => {
    const { credentialId } = await personWithPasskey();
    const { token } = await personWithPasskey();
    expect((await send("DELETE", credentialId, token)).status).toBe(404);
    expect((await send("PATCH", credentialId, token, { name: "Mine" })).status).toBe(404);
  });
});

describe("stepping up with a passkey", () => {
  it("makes an old session a fresh one of two factors", async () => {
    const { token, authenticator, credentialId } = await personWithPasskey({ userVerification: false });
    server.clock.advance(14 * 60 + 59);
    const options = await (await postJson(`${server.url}${path}/step-up/begin`, {}, bearer(token))).json();
    const done = await postJson(
      `${server.url}${path}/step-up/complete`,
      authenticator.get(options),
      bearer(token),
    );
    expect(await done.json()).toMatchObject({
      acr: ACR_2FA,
      auth_time: Math.floor(server.clock.now().getTime() / 1000),
    });
    expect((await send("DELETE", credentialId, token)).status).toBe(204);
  });
});
