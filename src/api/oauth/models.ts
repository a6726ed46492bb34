/** What the OAuth surface answers. */
import { t } from "elysia";

export const TokenResponse = t.Object({
  access_token: t.String(),
  token_type: t.Union([t.Literal("Bearer"), t.Literal("DPoP")]),
  expires_in: t.Integer({ description: "Seconds" }),
  refresh_token: t.Optional(t.String()),
  id_token: t.Optional(t.String()),
  scope: t.Optional(t.String()),
  issued_token_type: t.Optional(t.String({ description: "Of a token exchange (RFC 8693 §2.2.1)" })),
});

/** RFC 9126 §2.2. */
export const PushedAuthorizationResponse = t.Object({
  request_uri: t.String(),
  expires_in: t.Integer({ description: "Seconds" }),
});

/** RFC 8628 §3.2. */
export const DeviceAuthorizationResponse = t.Object({
  device_code: t.String(),
  user_code: t.String({ examples: ["BCDF-GHJK"] }),
  verification_uri: t.String(),
  verification_uri_complete: t.String(),
  expires_in: t.Integer({ description: "Seconds" }),
  interval: t.Integer({ description: "Seconds between two polls" }),
});

/** RFC 7662 §2.2: of a token that is not active, nothing else is told. */
export const IntrospectionAnswer = t.Object({ active: t.Boolean() }, { additionalProperties: true });

/** A client says who it is by HTTP Basic, or in the form. */
export const backChannelSecurity: Record<string, string[]>[] = [{ clientSecretBasic: [] }, {}];

export const UserInfoResponse = t.Object({ sub: t.String() }, { additionalProperties: true });

export const MetadataResponse = t.Object({ issuer: t.String() }, { additionalProperties: true });

export const JwksResponse = t.Object({
  keys: t.Array(
    t.Object({ kty: t.String(), kid: t.String(), alg: t.String() }, { additionalProperties: true }),
  ),
});
