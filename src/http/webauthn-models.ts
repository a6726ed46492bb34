/** WebAuthn messages as JSON (WebAuthn Level 3 §5.1.8 to §5.1.10), as far as we look at them. */
import { t } from "elysia";
import type { AuthenticationResponseJSON } from "../protocol/webauthn/authentication.ts";
import type { RegistrationResponseJSON } from "../protocol/webauthn/registration.ts";

/** Base64url: anything else is not decoded leniently, but refused. */
const Base64Url = (maxLength: number) =>
  t.String({ minLength: 1, maxLength, pattern: "^[A-Za-z0-9_-]+$", "x-message": "Must be base64url." });

const CredentialId = Base64Url(1364);
const ClientData = Base64Url(4096);

const credential = {
  id: CredentialId,
  rawId: CredentialId,
  type: t.Literal("public-key"),
};

/** RegistrationResponseJSON */
export const RegistrationResponse = t.Object(
  {
    ...credential,
    response: t.Object({
      clientDataJSON: ClientData,
      attestationObject: Base64Url(32_768),
      transports: t.Optional(t.Array(t.String({ maxLength: 32 }), { maxItems: 16 })),
    }),
    clientExtensionResults: t.Optional(
      t.Object({ credProps: t.Optional(t.Object({ rk: t.Optional(t.Boolean()) })) }),
    ),
  },
  { description: "What navigator.credentials.create answered, by its toJSON()" },
);

/** AuthenticationResponseJSON */
export const AuthenticationResponse = t.Object(
  {
    ...credential,
    response: t.Object({
      clientDataJSON: ClientData,
      authenticatorData: Base64Url(4096),
      signature: Base64Url(4096),
      userHandle: t.Optional(t.Nullable(t.String({ maxLength: 128, pattern: "^[A-Za-z0-9_-]*$" }))),
    }),
  },
  { description: "What navigator.credentials.get answered, by its toJSON()" },
);

/** What browsers leave out or say with null, as the library wants it. */
export function assertionResponse(body: typeof AuthenticationResponse.static): AuthenticationResponseJSON {
  const { userHandle, ...response } = body.response;
  return {
    ...body,
    response: { ...response, ...(userHandle ? { userHandle } : {}) },
    clientExtensionResults: {},
  };
}

export function registrationResponse(body: typeof RegistrationResponse.static): RegistrationResponseJSON {
  return { ...body, clientExtensionResults: body.clientExtensionResults ?? {} };
}

const Descriptor = t.Object({
  id: t.String(),
  type: t.String(),
  transports: t.Optional(t.Array(t.String())),
});

/** PublicKeyCredentialCreationOptionsJSON */
export const CreationOptions = t.Object(
  {
    rp: t.Object({ id: t.Optional(t.String()), name: t.String() }),
    user: t.Object({ id: t.String(), name: t.String(), displayName: t.String() }),
    challenge: t.String(),
    pubKeyCredParams: t.Array(t.Object({ alg: t.Integer(), type: t.String() })),
    timeout: t.Optional(t.Integer()),
    excludeCredentials: t.Optional(t.Array(Descriptor)),
    authenticatorSelection: t.Optional(
      t.Object({
        residentKey: t.Optional(t.String()),
        requireResidentKey: t.Optional(t.Boolean()),
        userVerification: t.Optional(t.String()),
      }),
    ),
    attestation: t.Optional(t.String()),
    extensions: t.Optional(t.Object({ credProps: t.Optional(t.Boolean()) })),
  },
  { description: "For PublicKeyCredential.parseCreationOptionsFromJSON" },
);

/** PublicKeyCredentialRequestOptionsJSON */
export const RequestOptions = t.Object(
  {
    challenge: t.String(),
    rpId: t.Optional(t.String()),
    timeout: t.Optional(t.Integer()),
    allowCredentials: t.Optional(t.Array(Descriptor)),
    userVerification: t.Optional(t.String()),
  },
  { description: "For PublicKeyCredential.parseRequestOptionsFromJSON" },
);
