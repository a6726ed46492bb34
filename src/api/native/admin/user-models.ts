/** Users on the wire, as administrators see them. */
import { t } from "elysia";
import { USERNAME_PATTERN, USERNAME_RULE } from "../../../domain/users/service.ts";
import type { AdministeredUser } from "../../../domain/user-administration/service.ts";
import { listQuery } from "../../../http/pagination.ts";
import { Email, NewPassword, UserResponse, userResponse } from "../models.ts";

export const SORTS = ["created_at", "updated_at", "username", "email", "last_login_at"] as const;

const Moment = t.String({ format: "date-time" });

export const UsersQuery = t.Composite([
  listQuery(SORTS),
  t.Object({
    enabled: t.Optional(t.BooleanString({ description: "Whether they may sign in" })),
    role: t.Optional(
      t.String({ maxLength: 128, description: "Name of a role that they have, themselves or by a group" }),
    ),
    organization_id: t.Optional(
      t.String({ maxLength: 64, description: "A customer company that they are members of, or the tenant" }),
    ),
    created_after: t.Optional(Moment),
    created_before: t.Optional(Moment),
  }),
]);

const Username = t.String({
  minLength: 1,
  maxLength: 256,
  pattern: USERNAME_PATTERN.replace("[A-Za-z0-9._-]*$", "[A-Za-z0-9._-]{2,127}$"),
  examples: ["jane.doe"],
  "x-message": USERNAME_RULE,
});

const Name = t.Optional(t.Nullable(t.String({ maxLength: 128 })));
const profile = {
  given_name: Name,
  family_name: Name,
  first_name: t.Optional(t.Nullable(t.String({ maxLength: 128, description: "The same as given_name" }))),
  last_name: t.Optional(t.Nullable(t.String({ maxLength: 128, description: "The same as family_name" }))),
  picture: t.Optional(t.Nullable(t.String({ maxLength: 2048 }))),
  locale: t.Optional(t.Nullable(t.String({ maxLength: 35 }))),
  zoneinfo: t.Optional(t.Nullable(t.String({ maxLength: 64 }))),
};
const Roles = t.Array(t.String({ minLength: 1, maxLength: 128 }), {
  maxItems: 100,
  description: "Names of roles of the tenant",
});

export const NewUserRequest = t.Object({
  username: Username,
  email: Email,
  email_verified: t.Optional(
    t.Boolean({ description: "Whether it is known that the address is theirs; false if left out" }),
  ),
  password: t.Optional(NewPassword),
  ...profile,
  enabled: t.Optional(t.Boolean()),
  roles: t.Optional(Roles),
});

export const UserChangesRequest = t.Object({
  // Directories call people by other names than those that are free to choose: they may be sent back as they are.
  username: t.Optional(t.String({ minLength: 1, maxLength: 256 })),
  email: t.Optional(Email),
  ...profile,
  enabled: t.Optional(t.Boolean({ description: "false signs the user out everywhere at once" })),
  roles: t.Optional(Roles),
});

export const ResetPasswordRequest = t.Object({ password: t.Optional(NewPassword) });

export const AdministeredUserResponse = t.Composite([
  UserResponse,
  t.Object({
    locale: t.Nullable(t.String()),
    zoneinfo: t.Nullable(t.String()),
    last_login_at: t.Nullable(Moment),
  }),
]);

export const administeredUserResponse = (user: AdministeredUser): typeof AdministeredUserResponse.static => ({
  ...userResponse(user),
  locale: user.locale,
  zoneinfo: user.zoneinfo,
  last_login_at: user.lastLoginAt?.toISOString() ?? null,
});

/** What is said of a profile; what is left out stays left out. */
export function profileOf(body: Omit<typeof UserChangesRequest.static, "roles">) {
  const { given_name, family_name, first_name, last_name, picture, locale, zoneinfo } = body;
  const members = {
    givenName: given_name === undefined ? first_name : given_name,
    familyName: family_name === undefined ? last_name : family_name,
    picture,
    locale,
    zoneinfo,
  };
  return given(members);
}

/** Without the members that are undefined. */
export function given<Members extends object>(
  members: Members,
): { [Name in keyof Members]?: Exclude<Members[Name], undefined> } {
  const result: { [Name in keyof Members]?: Exclude<Members[Name], undefined> } = {};
  for (const name in members) {
    const value = members[name];
    if (isGiven(value)) result[name] = value;
  }
  return result;
}

const isGiven = <Value>(value: Value): value is Exclude<Value, undefined> => value !== undefined;
