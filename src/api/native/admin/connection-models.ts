/** Connections on the wire. */
import { t } from "elysia";
import type {
  AdministeredConnection,
  ConnectionChanges,
} from "../../../domain/connections/administration.ts";
import { describeConnection } from "../../../domain/connections/administration.ts";
import { addressesOf } from "../../../domain/connections/addresses.ts";
import {
  connectionKinds,
  emailTrusts,
  linkPolicies,
  mappedAttributes,
} from "../../../domain/connections/model.ts";
import { type Preset, presetNames } from "../../../domain/connections/presets.ts";
import { listQuery } from "../../../http/pagination.ts";

export const SORTS = ["created_at"] as const;

export const ConnectionsQuery = t.Composite([
  listQuery(SORTS),
  t.Object({
    kind: t.Optional(t.String({ enum: [...connectionKinds] })),
    organization_id: t.Optional(t.String({ maxLength: 64, description: "Those of this organization" })),
    enabled: t.Optional(t.String({ enum: ["true", "false"] })),
  }),
]);

const OPENID_EXAMPLE = {
  issuer: "https://idp.example.com",
  client_id: "gatewright",
  scopes: ["openid", "profile", "email"],
  token_endpoint_auth_method: "client_secret_basic",
  discovery: true,
};
const LDAP_EXAMPLE = {
  url: "ldaps://ldap.example.com",
  bind_dn: "cn=reader,dc=example,dc=com",
  base_dn: "ou=people,dc=example,dc=com",
  user_filter: "(uid={{username}})",
};

const changeable = {
  name: t.Optional(t.String({ maxLength: 128, description: "What people see on its button" })),
  enabled: t.Optional(t.Boolean()),
  allow_sign_in: t.Optional(t.Boolean()),
  allow_sign_up: t.Optional(t.Boolean({ description: "Whether who is unknown here gets an account" })),
  block_email_subaddresses: t.Optional(
    t.Boolean({ description: "Whether `ada+anything@example.com` may not sign up" }),
  ),
  link_policy: t.Optional(
    t.String({
      maxLength: 64,
      description: `${linkPolicies.join(" or ")}: whether an account with the same verified address is linked`,
    }),
  ),
  trust_emails: t.Optional(
    t.String({
      maxLength: 64,
      description: `${emailTrusts.join(", ")}: whether addresses count as verified because the connection says so`,
    }),
  ),
  trust_upstream_mfa: t.Optional(t.Boolean({ description: "Whether a second factor there counts here" })),
  default_role: t.Optional(
    t.Nullable(t.String({ maxLength: 64, description: "Of who signs up through it" })),
  ),
  attribute_mapping: t.Optional(
    t.Record(t.String({ maxLength: 64 }), t.String({ maxLength: 1000 }), {
      description: `Liquid templates over what it says of somebody, by ${mappedAttributes.join(", ")}`,
      examples: [
        { username: "{{ preferred_username }}", groups: '{{ claims["https://example.com/groups"] }}' },
      ],
    }),
  ),
  domains: t.Optional(
    t.Array(t.String({ maxLength: 253 }), {
      maxItems: 100,
      description: "Email domains whose people are sent there from the sign-in page",
    }),
  ),
  config: t.Optional(
    t.Record(t.String({ maxLength: 64 }), t.Unknown(), {
      description: "What its kind needs to know, member by member; null takes an optional one away",
      examples: [OPENID_EXAMPLE, LDAP_EXAMPLE],
    }),
  ),
  secrets: t.Optional(
    t.Record(t.String({ maxLength: 64 }), t.Nullable(t.String({ maxLength: 8192 })), {
      description: "client_secret, private_key or bind_password: never shown again; null takes one away",
    }),
  ),
};

export const NewConnectionRequest = t.Object({
  preset: t.Optional(t.String({ maxLength: 64, description: `One of ${presetNames.join(", ")}` })),
  kind: t.Optional(
    t.String({ maxLength: 64, description: `Without a preset: ${connectionKinds.join(", ")}` }),
  ),
  key: t.Optional(
    t.String({ maxLength: 64, description: "Its name in addresses; the preset's, if left out" }),
  ),
  organization_id: t.Optional(t.Nullable(t.String({ maxLength: 64 }))),
  ...changeable,
});

export const ConnectionChangesRequest = t.Object({
  ...changeable,
  // They cannot be changed; who says what they are anyway is not stopped by it.
  preset: t.Optional(t.Nullable(t.String({ maxLength: 64 }))),
  kind: t.Optional(t.String({ maxLength: 64 })),
  key: t.Optional(t.String({ maxLength: 64 })),
  organization_id: t.Optional(t.Nullable(t.String({ maxLength: 64 }))),
});

export const ConnectionResponse = t.Object(
  {
    id: t.String({ examples: ["conn_01JD2M9V7QX5T8Z4C6B3N0K1HF"] }),
    organization_id: t.Nullable(t.String()),
    kind: t.String({ enum: [...connectionKinds] }),
    preset: t.Nullable(t.String()),
    key: t.String(),
    name: t.String(),
    enabled: t.Boolean(),
    allow_sign_in: t.Boolean(),
    allow_sign_up: t.Boolean(),
    block_email_subaddresses: t.Boolean(),
    link_policy: t.String({ enum: [...linkPolicies] }),
    trust_emails: t.String({ enum: [...emailTrusts] }),
    trust_upstream_mfa: t.Boolean(),
    default_role: t.Nullable(t.String()),
    attribute_mapping: t.Record(t.String(), t.String()),
    domains: t.Array(t.String()),
    config: t.Record(t.String(), t.Unknown()),
    secrets: t.Array(t.String(), { description: "Names of the secrets that it has" }),
    redirect_uri: t.Optional(t.String({ description: "To be registered at an OpenID or OAuth provider" })),
    acs_url: t.Optional(t.String({ description: "Where a SAML identity provider sends its responses" })),
    entity_id: t.Optional(t.String({ description: "Our entityID towards a SAML identity provider" })),
    metadata_url: t.Optional(t.String({ description: "Our SAML metadata" })),
    created_at: t.String({ format: "date-time" }),
    updated_at: t.String({ format: "date-time" }),
  },
  { description: "A connection" },
);

export const PresetResponse = t.Object(
  {
    preset: t.String(),
    name: t.String(),
    kind: t.String({ enum: [...connectionKinds] }),
    config: t.Record(t.String(), t.Unknown()),
    attribute_mapping: t.Record(t.String(), t.String()),
    trust_emails: t.String({ enum: [...emailTrusts] }),
    required: t.Array(t.String(), { description: "Members of config that have to be said" }),
    secrets: t.Array(t.String(), { description: "Secrets that it does not work without" }),
  },
  { description: "What a connection can be made from" },
);

export const TestResponse = t.Object(
  {
    findings: t.Array(
      t.Object({
        check: t.String({ examples: ["discovery"] }),
        status: t.String({ enum: ["ok", "warning", "failed"] }),
        message: t.String(),
      }),
    ),
  },
  { description: "What a rehearsal came to" },
);

/** @param issuer the tenant's */
export function connectionResponse(
  { connection, secrets }: AdministeredConnection,
  issuer: string,
): typeof ConnectionResponse.static {
  const { redirectUri, acsUrl, entityId, metadataUrl } = addressesOf(connection, issuer);
  return {
    id: connection.id,
    ...describeConnection(connection),
    secrets: [...secrets],
    ...(redirectUri === undefined ? {} : { redirect_uri: redirectUri }),
    ...(acsUrl === undefined ? {} : { acs_url: acsUrl }),
    ...(entityId === undefined ? {} : { entity_id: entityId }),
    ...(metadataUrl === undefined ? {} : { metadata_url: metadataUrl }),
    created_at: connection.createdAt.toISOString(),
    updated_at: connection.updatedAt.toISOString(),
  };
}

export function presetResponse([name, preset]: [string, Preset]): typeof PresetResponse.static {
  return {
    preset: name,
    name: preset.name,
    kind: preset.kind,
    config: { ...preset.config },
    attribute_mapping: { ...preset.attributeMapping },
    trust_emails: preset.trustEmails,
    required: ["client_id", ...(preset.required ?? [])],
    secrets: [...preset.secrets],
  };
}

type Body = typeof NewConnectionRequest.static | typeof ConnectionChangesRequest.static;

/** What can be said at any time, in our words. */
export const changesOf = (body: Body): ConnectionChanges => ({
  name: body.name,
  enabled: body.enabled,
  allowSignIn: body.allow_sign_in,
  allowSignUp: body.allow_sign_up,
  blockEmailSubaddresses: body.block_email_subaddresses,
  linkPolicy: body.link_policy,
  trustEmails: body.trust_emails,
  trustUpstreamMfa: body.trust_upstream_mfa,
  defaultRole: body.default_role,
  attributeMapping: body.attribute_mapping,
  domains: body.domains,
  config: body.config,
  secrets: body.secrets,
});
