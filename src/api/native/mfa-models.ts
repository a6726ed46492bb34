/** What the second-factor routes of the native surface take and answer. */
import { t } from "elysia";
import type { NativeSignIn, SignInStep } from "../../domain/accounts/complete-sign-in.ts";
import { secondFactorMethods } from "../../domain/mfa/model.ts";
import type { TotpDevice } from "../../domain/mfa/totp/service.ts";
import type { TrustedDevice } from "../../domain/mfa/trusted-devices/service.ts";
import type { Passkey } from "../../domain/passkeys/service.ts";
import type { SessionProof } from "../../domain/sessions/service.ts";
import { toEpochSeconds } from "../../lib/clock.ts";
import { authenticatorName } from "../../protocol/webauthn/authenticator-names.ts";
import { LoginResponse, userResponse } from "./models.ts";

const Moment = t.String({ format: "date-time" });
const Methods = t.Array(t.String({ examples: [...secondFactorMethods] }));

export const MfaToken = t.String({
  minLength: 1,
  maxLength: 512,
  description: "Of the answer to /login. Good for 5 minutes, one sign-in and 5 answers",
});

/** A code of an authenticator app or a backup code: which of them, its shape tells. */
export const Code = t.String({ minLength: 6, maxLength: 16, examples: ["123456", "4f7k-2m9p"] });

export const DisplayName = t.String({
  minLength: 1,
  maxLength: 128,
  "x-message": "Must be 1 to 128 printable characters.",
});

const DeviceToken = t.Object({
  device_token: t.Optional(
    t.String({ description: "Where `trust_device` was asked for: the next sign-ins' `device_token`" }),
  ),
});

/** A sign-in that came to its end. */
export const SignedInResponse = t.Composite([LoginResponse, DeviceToken]);

const MfaRequiredResponse = t.Object(
  { mfa_required: t.Literal(true), mfa_token: MfaToken, mfa_methods: Methods, message: t.String() },
  { description: "A second factor has to be proved" },
);

const EnrollmentRequiredResponse = t.Object(
  {
    mfa_enrollment_required: t.Literal(true),
    mfa_token: MfaToken,
    mfa_methods: Methods,
    message: t.String(),
  },
  { description: "A second factor has to be set up, with this token as Bearer token" },
);

export const LoginAnswer = t.Union([SignedInResponse, MfaRequiredResponse, EnrollmentRequiredResponse]);

export function signedInResponse({ user, tokens, device }: NativeSignIn): typeof SignedInResponse.static {
  return {
    ...tokens,
    user: userResponse(user),
    ...(device ? { device_token: device.token } : {}),
  };
}

export function signInAnswer(step: SignInStep<NativeSignIn>): typeof LoginAnswer.static {
  if (step.kind === "signed_in") return signedInResponse(step);
  const { token: mfa_token, methods, purpose } = step.offer;
  const mfa_methods = [...methods];
  return purpose === "verify"
    ? { mfa_required: true, mfa_token, mfa_methods, message: "Please prove a second factor." }
    : {
        mfa_enrollment_required: true,
        mfa_token,
        mfa_methods,
        message: "A second factor is required here. Please set one up.",
      };
}

export const EnrollTotpRequest = t.Object({ name: t.Optional(DisplayName) });

export const EnrollTotpResponse = t.Object({
  secret: t.String({ description: "Base32, for typing" }),
  provisioning_uri: t.String({ examples: ["otpauth://totp/…"] }),
  device_id: t.String(),
  qr_code: t.String({ description: "The provisioning URI as a QR code: a PNG in a data: URL" }),
  qr_svg: t.String({ description: "The same as SVG" }),
});

const BackupCodes = t.Array(t.String({ examples: ["4f7k-2m9p"] }), {
  description: "Ten codes, each good once, shown this once; empty for who has some already",
});

/** `access_token` and the rest come to who had to set up a factor to sign in, and now is. */
const EnrolledResponse = t.Composite([
  t.Object({ message: t.String(), backup_codes: BackupCodes }),
  t.Partial(SignedInResponse),
]);

export const VerifySetupRequest = t.Object({
  code: t.String({ minLength: 6, maxLength: 16 }),
  device_id: t.Optional(t.String({ maxLength: 64 })),
});
export const VerifySetupResponse = EnrolledResponse;

export const DisableTotpRequest = t.Object({
  device_id: t.Optional(t.String({ maxLength: 64, description: "Without one: all authenticator apps" })),
  code: t.Optional(Code),
});

export const VerifyTotpRequest = t.Object({
  mfa_token: MfaToken,
  code: Code,
  trust_device: t.Optional(t.Boolean({ description: "Ask for no second factor on this device for a while" })),
});

export const BackupCodesResponse = t.Object({ backup_codes: BackupCodes });

export const CredentialResponse = t.Object({
  id: t.String({ examples: ["passkey_01JD2M9V7QX5T8Z4C6B3N0K1HF"] }),
  credential_id: t.String({ description: "Base64url" }),
  name: t.String(),
  authenticator: t.Nullable(t.String({ examples: ["1Password"] })),
  aaguid: t.String(),
  attestation_format: t.String(),
  transports: t.Array(t.String()),
  discoverable: t.Nullable(t.Boolean({ description: "Null: the browser did not say" })),
  backup_eligible: t.Boolean(),
  backed_up: t.Boolean(),
  created_at: Moment,
  last_used_at: t.Nullable(Moment),
});

export const CredentialsResponse = t.Object({ credentials: t.Array(CredentialResponse) });

export const RegisteredResponse = t.Composite([EnrolledResponse, t.Object({ credential_id: t.String() })]);

export function credentialResponse(passkey: Passkey): typeof CredentialResponse.static {
  return {
    id: passkey.id,
    credential_id: passkey.credentialId.toString("base64url"),
    name: passkey.name,
    authenticator: authenticatorName(passkey.aaguid) ?? null,
    aaguid: passkey.aaguid,
    attestation_format: passkey.attestationFormat,
    transports: passkey.transports,
    discoverable: passkey.discoverable,
    backup_eligible: passkey.backupEligible,
    backed_up: passkey.backedUp,
    created_at: passkey.createdAt.toISOString(),
    last_used_at: passkey.lastUsedAt?.toISOString() ?? null,
  };
}

export const FactorsResponse = t.Object({
  totp: t.Array(
    t.Object({
      device_id: t.String(),
      name: t.String(),
      created_at: Moment,
      last_used_at: t.Nullable(Moment),
    }),
  ),
  webauthn: t.Array(CredentialResponse),
  backup_codes_left: t.Integer(),
});

export function factorsResponse(
  totp: readonly TotpDevice[],
  passkeys: readonly Passkey[],
  backupCodes: number,
): typeof FactorsResponse.static {
  return {
    totp: totp.map(({ id, name, createdAt, lastUsedAt }) => ({
      device_id: id,
      name,
      created_at: createdAt.toISOString(),
      last_used_at: lastUsedAt?.toISOString() ?? null,
    })),
    webauthn: passkeys.map(credentialResponse),
    backup_codes_left: backupCodes,
  };
}

const TrustedDeviceResponse = t.Object({
  id: t.String(),
  ip_address: t.Nullable(t.String()),
  user_agent: t.Nullable(t.String()),
  created_at: Moment,
  last_used_at: Moment,
  expires_at: Moment,
});

export const TrustedDevicesResponse = t.Object({ devices: t.Array(TrustedDeviceResponse) });

export function trustedDeviceResponse(device: TrustedDevice): typeof TrustedDeviceResponse.static {
  return {
    id: device.id,
    ip_address: device.ip,
    user_agent: device.userAgent,
    created_at: device.createdAt.toISOString(),
    last_used_at: device.lastUsedAt.toISOString(),
    expires_at: device.expiresAt.toISOString(),
  };
}

export const StepUpRequest = t.Object({
  code: t.Optional(Code),
  password: t.Optional(t.String({ minLength: 1, maxLength: 1024 })),
});

export const StepUpResponse = t.Object({
  message: t.String(),
  acr: t.String(),
  amr: t.Array(t.String()),
  auth_time: t.Integer({ description: "Seconds since the epoch" }),
});

export function stepUpResponse({ acr, amr, authTime }: SessionProof): typeof StepUpResponse.static {
  return { message: "You proved who you are.", acr, amr: [...amr], auth_time: toEpochSeconds(authTime) };
}
