/** What tests of second factors share: codes of an authenticator app, and factors that are set up through the API. */
import { expect } from "bun:test";
import { HOTP, Secret } from "otpauth";
import { eq } from "drizzle-orm";
import { userEmails } from "../../src/db/schema/index.ts";
import { SoftAuthenticator, type AuthenticatorOptions } from "./authenticator.ts";
import { postJson, type TestServer } from "./server.ts";

/** The code of a base32 secret at the server's time, or some steps later. */
export function totpCode(server: TestServer, secret: string, steps = 0): string {
  const counter = Math.floor(server.clock.now().getTime() / 30_000) + steps;
  return HOTP.generate({ secret: Secret.fromBase32(secret), counter });
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** As if the link in the mail had been opened. */
export async function confirmAddress(server: TestServer, address: string): Promise<void> {
  await server.deps.db
    .update(userEmails)
    .set({ verifiedAt: server.clock.now() })
    .where(eq(userEmails.address, address));
}

export interface App {
  secret: string;
  deviceId: string;
  backupCodes: string[];
}

/** Sets up an authenticator app, and moves on in time, so that its next code is a fresh one. */
export async function setUpTotp(server: TestServer, token: string, name?: string): Promise<App> {
  const begun = await postJson(`${server.url}/mfa/totp/enroll`, name ? { name } : {}, bearer(token));
  expect(begun.status).toBe(200);
  const { secret, device_id: deviceId } = await begun.json();
  const done = await postJson(
    `${server.url}/mfa/totp/verify-setup`,
    { code: totpCode(server, secret), device_id: deviceId },
    bearer(token),
  );
  expect(done.status).toBe(200);
  const { backup_codes: backupCodes } = await done.json();
  server.clock.advance(30);
  return { secret, deviceId, backupCodes };
}

/** An authenticator in a browser that is where the server is. */
export const newAuthenticator = (server: TestServer, options: Partial<AuthenticatorOptions> = {}) =>
  new SoftAuthenticator({ origin: new URL(server.url).origin, ...options });

/** Registers a passkey of this authenticator. */
export async function setUpPasskey(
  server: TestServer,
  token: string,
  authenticator: SoftAuthenticator,
  name = "Key",
): Promise<{ credentialId: string; backupCodes: string[] }> {
  const begun = await postJson(`${server.url}/mfa/webauthn/register/begin`, {}, bearer(token));
  expect(begun.status).toBe(200);
  const done = await postJson(
    `${server.url}/mfa/webauthn/register/complete?name=${encodeURIComponent(name)}`,
    authenticator.create(await begun.json()),
    bearer(token),
  );
  expect(done.status).toBe(200);
  const { credential_id: credentialId, backup_codes: backupCodes } = await done.json();
  return { credentialId, backupCodes };
}

/** Signs in with a password and gives the token that asks for a second factor. */
export async function mfaToken(
  server: TestServer,
  person: { email: string; password: string },
): Promise<string> {
  const response = await postJson(`${server.url}/login`, {
    identifier: person.email,
    password: person.password,
  });
  const { mfa_required: required, mfa_token: token } = await response.json();
  expect(required).toBe(true);
  return token;
}

export const verifyTotp = (
  server: TestServer,
  token: string,
  code: string,
  extra: Record<string, unknown> = {},
) => postJson(`${server.url}/mfa/totp/verify`, { mfa_token: token, code, ...extra });
