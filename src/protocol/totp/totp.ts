/** Time-based one-time passwords (RFC 6238), as authenticator apps do them: SHA-1, 6 digits, 30 seconds. */
import { Secret, TOTP } from "otpauth";

/** What every authenticator app supports; some ignore anything else that a provisioning URI asks for. */
const PARAMETERS = { algorithm: "SHA1", digits: 6, period: 30 } as const;

/** Steps before and after the current one whose codes are taken: clocks differ, and people are slow (§5.2). */
const WINDOW = 1;

/** 160 bits, the length that RFC 4226 §4 recommends. */
export const SECRET_BYTES = 20;

export function isTotpCode(text: string): boolean {
  return /^\d{6}$/.test(text);
}

const secretOf = (bytes: Uint8Array) => new Secret({ buffer: new Uint8Array(bytes).buffer });

/**
 * The time step that a code belongs to.
 * @returns undefined when it is the code of none that is near enough. The caller has to see that a step is accepted once.
 */
export function matchTotp(secret: Uint8Array, code: string, now: Date): number | undefined {
  const timestamp = now.getTime();
  const delta = TOTP.validate({
    ...PARAMETERS,
    secret: secretOf(secret),
    token: code,
    timestamp,
    window: WINDOW,
  });
  if (delta === null) return undefined;
  return TOTP.counter({ period: PARAMETERS.period, timestamp }) + delta;
}

/** The secret as a person types it: base32 without padding. */
export function secretText(secret: Uint8Array): string {
  return secretOf(secret).base32;
}

/**
 * What a QR code for an authenticator app holds: `otpauth://totp/…`.
 * @param issuer whose account it is, as the app shows it
 * @param account which account it is
 */
export function provisioningUri(secret: Uint8Array, issuer: string, account: string): string {
  // A colon would end the issuer's part of the label.
  const name = issuer.replaceAll(":", " ");
  return new TOTP({ ...PARAMETERS, secret: secretOf(secret), issuer: name, label: account }).toString();
}
