/** What the native account surface takes and answers. */
import { t } from "elysia";
import { EMAIL_FORMAT } from "../../http/formats.ts";
import { USERNAME_PATTERN, USERNAME_RULE, type User } from "../../domain/users/service.ts";
import { PASSWORD_MAX_LENGTH } from "../../domain/passwords/service.ts";

export const Email = t.String({
  format: EMAIL_FORMAT,
  minLength: 3,
  maxLength: 254,
  examples: ["jane@example.com"],
});
/** Bounded, and otherwise left to the tenant's policy, which tells what is missing. */
export const NewPassword = t.String({
  minLength: 1,
  maxLength: 1024,
  description: `At most ${PASSWORD_MAX_LENGTH} characters; the tenant's policy says what else is needed.`,
});
const Name = t.String({ maxLength: 128 });
const Token = t.String({ minLength: 1, maxLength: 512 });

export const RegisterRequest = t.Object({
  username: t.String({
    minLength: 3,
    maxLength: 128,
    pattern: USERNAME_PATTERN,
    examples: ["jane.doe"],
    "x-message": USERNAME_RULE,
  }),
  email: Email,
  password: NewPassword,
  given_name: t.Optional(Name),
  family_name: t.Optional(Name),
});

export const LoginRequest = t.Object({
  identifier: t.String({ minLength: 1, maxLength: 254, description: "An email address or a username" }),
  password: t.String({ minLength: 1, maxLength: 1024 }),
  device_token: t.Optional(
    t.String({ maxLength: 512, description: "Of a trusted device: no second factor is asked for there" }),
  ),
});

export const RefreshRequest = t.Object({ refresh_token: Token });

export const EmailRequest = t.Object({ email: Email });

export const ResetPasswordRequest = t.Object({ token: Token, new_password: NewPassword });

/** The body of a 204. */
export { Nothing } from "../../http/models.ts";

export const UserResponse = t.Object(
  {
    id: t.String({ examples: ["user_01JD2M9V7QX5T8Z4C6B3N0K1HF"] }),
    org_id: t.String({ description: "The tenant's id" }),
    username: t.String(),
    email: t.Nullable(t.String()),
    email_verified: t.Boolean(),
    given_name: t.Nullable(t.String()),
    family_name: t.Nullable(t.String()),
    picture: t.Nullable(t.String()),
    roles: t.Array(t.String()),
    enabled: t.Boolean(),
    created_at: t.String({ format: "date-time" }),
    updated_at: t.String({ format: "date-time" }),
  },
  { description: "A user" },
);

/** `/me` doubles as userinfo, so it also carries the standard claims' names (OpenID Connect Core §5.1). */
export const MeResponse = t.Composite([
  UserResponse,
  t.Object({
    sub: t.String(),
    preferred_username: t.String(),
    locale: t.Nullable(t.String()),
    zoneinfo: t.Nullable(t.String()),
    permissions: t.Array(t.String(), { description: "What the user's roles allow" }),
  }),
]);

export const TokenPairResponse = t.Object({
  access_token: t.String({ description: "A JWT (RFC 9068)" }),
  refresh_token: t.String({ description: "Works once: each exchange answers the next one" }),
  token_type: t.Literal("Bearer"),
  expires_in: t.Integer({ description: "Seconds" }),
});

export const LoginResponse = t.Composite([TokenPairResponse, t.Object({ user: UserResponse })]);

export function userResponse(user: User): typeof UserResponse.static {
  return {
    id: user.id,
    org_id: user.tenantId,
    username: user.username,
    email: user.email,
    email_verified: user.emailVerified,
    given_name: user.givenName,
    family_name: user.familyName,
    picture: user.picture,
    roles: [...user.roles],
    enabled: user.enabled,
    created_at: user.createdAt.toISOString(),
    updated_at: user.updatedAt.toISOString(),
  };
}

/** @param permissions what the user's roles allow */
export const meResponse = (user: User, permissions: readonly string[]): typeof MeResponse.static => ({
  ...userResponse(user),
  sub: user.id,
  preferred_username: user.username,
  locale: user.locale,
  zoneinfo: user.zoneinfo,
  permissions: [...permissions],
});
