/** What the OAuth surface answers. */
import { t } from "elysia";

export const TokenResponse = t.Object({
  access_token: t.String(),
  token_type: t.Literal("Bearer"),
  expires_in: t.Integer({ description: "Seconds" }),
  refresh_token: t.Optional(t.String()),
  id_token: t.Optional(t.String()),
  scope: t.Optional(t.String()),
});

export const UserInfoResponse = t.Object({ sub: t.String() }, { additionalProperties: true });

export const MetadataResponse = t.Object({ issuer: t.String() }, { additionalProperties: true });

export const JwksResponse = t.Object({
  keys: t.Array(
    t.Object({ kty: t.String(), kid: t.String(), alg: t.String() }, { additionalProperties: true }),
  ),
});
