/** API keys on the wire, for their owners and for administrators. */
import { t } from "elysia";
import { apiKeyScopes } from "../domain/api-keys/scopes.ts";
import type { ApiKey } from "../domain/api-keys/service.ts";

const Moment = t.String({ format: "date-time" });

const scopesExplained = Object.entries(apiKeyScopes)
  .map(([scope, opens]) => `\`${scope}\`: ${opens}.`)
  .join("\n");

const Name = t.String({ minLength: 1, maxLength: 128, description: "Says what uses the key" });
const Scopes = t.Array(t.String({ maxLength: 64 }), {
  minItems: 1,
  maxItems: 64,
  description: `Of what the owner may do, what the key may.\n\n${scopesExplained}`,
});
const Days = { minimum: 1, maximum: 365 };

export const ApiKeyRequest = t.Object({
  name: Name,
  scopes: Scopes,
  expires_in_days: t.Optional(
    t.Integer({ ...Days, description: "90 unless told, or what `api_key_max_days` allows" }),
  ),
});

export const ServiceAccountKeyRequest = t.Object({
  name: Name,
  scopes: Scopes,
  expires_in_days: t.Optional(
    t.Nullable(
      t.Integer({ ...Days, description: "null: no end, where `api_keys_without_expiry` allows that" }),
    ),
  ),
});

export const ApiKeyResponse = t.Object(
  {
    id: t.String({ examples: ["apikey_01JD2M9V7QX5T8Z4C6B3N0K1HF"] }),
    name: t.String(),
    scopes: t.Array(t.String()),
    created_at: Moment,
    expires_at: t.Nullable(Moment),
    last_used_at: t.Nullable(t.String({ format: "date-time", description: "To the minute" })),
    revoked_at: t.Nullable(Moment),
  },
  { description: "An API key" },
);

export const NewApiKeyResponse = t.Composite([
  ApiKeyResponse,
  t.Object({ token: t.String({ description: "The key itself. Shown this once" }) }),
]);

export const ApiKeysResponse = t.Object({ data: t.Array(ApiKeyResponse) });

/** Days until a key ends, for which nobody said so. */
export const defaultDays = (mostDays: number) => Math.min(90, mostDays);

export function apiKeyResponse(key: ApiKey): typeof ApiKeyResponse.static {
  return {
    id: key.id,
    name: key.name,
    scopes: [...key.scopes],
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt?.toISOString() ?? null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
  };
}
