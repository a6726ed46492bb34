/** What an account is known by elsewhere, on the wire: to its user and to administrators. */
import { t } from "elysia";
import type { ExternalAccount } from "../../domain/external-accounts/service.ts";

export const ExternalAccountResponse = t.Object(
  {
    id: t.String({ examples: ["ext_01JD2M9V7QX5T8Z4C6B3N0K1HF"] }),
    connection: t.Object({
      id: t.String({ examples: ["conn_01JD2M9V7QX5T8Z4C6B3N0K1HF"] }),
      key: t.String({ examples: ["google"] }),
      name: t.String({ examples: ["Google"] }),
      kind: t.String({ enum: ["oidc", "oauth2", "saml", "ldap"] }),
      preset: t.Nullable(t.String()),
    }),
    subject: t.String({ description: "What the connection knows the user by" }),
    email: t.Nullable(t.String({ description: "As the connection says; verified or not" })),
    created_at: t.String({ format: "date-time" }),
    last_sign_in_at: t.Nullable(t.String({ format: "date-time" })),
  },
  { description: "An account at a connection" },
);

export function externalAccountResponse(account: ExternalAccount): typeof ExternalAccountResponse.static {
  return {
    id: account.id,
    connection: {
      id: account.connectionId,
      key: account.connectionKey,
      name: account.connectionName,
      kind: account.kind,
      preset: account.preset,
    },
    subject: account.subject,
    email: account.email,
    created_at: account.createdAt.toISOString(),
    last_sign_in_at: account.lastSignInAt?.toISOString() ?? null,
  };
}
