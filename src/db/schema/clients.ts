import {
  type AnyPgColumn,
  boolean,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../columns.ts";
import { tenants } from "./tenants.ts";

export const clients = pgTable(
  "clients",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("client", "id").notNull(),
    /** What goes over the wire; by default the record's own id. */
    clientId: text("client_id").notNull(),
    name: text("name").notNull(),
    logoUri: text("logo_uri"),
    clientUri: text("client_uri"),
    policyUri: text("policy_uri"),
    tosUri: text("tos_uri"),
    contacts: text("contacts").array().notNull().default([]),
    applicationType: text("application_type").$type<"web" | "native">().notNull(),
    tokenEndpointAuthMethod: text("token_endpoint_auth_method").notNull(),
    grantTypes: text("grant_types").array().notNull(),
    redirectUris: text("redirect_uris").array().notNull(),
    postLogoutRedirectUris: text("post_logout_redirect_uris").array().notNull(),
    scopes: text("scopes").array().notNull(),
    /** RFC 8707 resource indicators that it may ask tokens for. */
    resources: text("resources").array().notNull().default([]),
    firstParty: boolean("first_party").notNull(),
    /** The client's public keys (RFC 7517 §5), by value or by address; never both (RFC 7591 §2). */
    jwks: jsonb("jwks").$type<{ keys: Record<string, unknown>[] }>(),
    jwksUri: text("jwks_uri"),
    /** Null: whichever of ours fits the client's key. */
    tokenEndpointAuthSigningAlg: text("token_endpoint_auth_signing_alg"),
    idTokenSignedResponseAlg: text("id_token_signed_response_alg").notNull(),
    accessTokenSigningAlg: text("access_token_signing_alg").notNull(),
    accessTokenFormat: text("access_token_format").$type<"jwt" | "opaque">().notNull().default("jwt"),
    /** Null: UserInfo as plain JSON (OpenID Connect Core §5.3.2). */
    userinfoSignedResponseAlg: text("userinfo_signed_response_alg"),
    /** JARM §3; null: the ID token's algorithm. */
    authorizationSignedResponseAlg: text("authorization_signed_response_alg"),
    /** RFC 9101 §10.5; null: whichever of ours fits the client's key. */
    requestObjectSigningAlg: text("request_object_signing_alg"),
    requireSignedRequestObject: boolean("require_signed_request_object").notNull().default(false),
    /** RFC 9126 §6. */
    requirePushedAuthorizationRequests: boolean("require_pushed_authorization_requests")
      .notNull()
      .default(false),
    /** RFC 9449 §5.2. */
    dpopBoundAccessTokens: boolean("dpop_bound_access_tokens").notNull().default(false),
    /** OpenID Connect Core §8. */
    subjectType: text("subject_type").$type<"public" | "pairwise">().notNull().default("public"),
    sectorIdentifierUri: text("sector_identifier_uri"),
    /** Seconds. */
    defaultMaxAge: integer("default_max_age"),
    defaultAcrValues: text("default_acr_values").array().notNull().default([]),
    initiateLoginUri: text("initiate_login_uri"),
    /** OpenID Connect Back-Channel Logout §2.2. */
    backchannelLogoutUri: text("backchannel_logout_uri"),
    backchannelLogoutSessionRequired: boolean("backchannel_logout_session_required").notNull().default(false),
    /** What it may ask for with RFC 8693: "impersonation", "delegation". */
    tokenExchangeModes: text("token_exchange_modes").array().notNull().default([]),
    /** Null: the tenant's lifetime. */
    accessTokenLifetimeSeconds: integer("access_token_lifetime_seconds"),
    refreshTokenLifetimeSeconds: integer("refresh_token_lifetime_seconds"),
    idTokenLifetimeSeconds: integer("id_token_lifetime_seconds"),
    /** How it came to be known: made by us, by RFC 7591 or by its metadata document. */
    origin: text("origin")
      .$type<"built_in" | "administrator" | "dynamic" | "metadata_document">()
      .notNull()
      .default("administrator"),
    softwareId: text("software_id"),
    softwareVersion: text("software_version"),
    /** SHA-256 of the registration access token (RFC 7592 §3). */
    registrationTokenHash: bytea("registration_token_hash"),
    /** When a client that is known by its metadata document has to be fetched again. */
    metadataExpiresAt: instant("metadata_expires_at"),
    enabled: boolean("enabled").notNull().default(true),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex("clients_client_id").on(table.tenantId, table.clientId),
    index("clients_created").on(table.tenantId, table.createdAt, table.id),
    index("clients_name").on(table.tenantId, table.name, table.id),
  ],
);

/** Several at once, so that a secret is rotated without an outage. */
export const clientSecrets = pgTable(
  "client_secrets",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("clientSecret", "id").notNull(),
    clientId: id("client", "client_id").notNull(),
    hash: bytea("hash").notNull(),
    createdAt: instant("created_at").notNull(),
    expiresAt: instant("expires_at"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofClient(table),
    index("client_secrets_client").on(table.tenantId, table.clientId),
    index("client_secrets_expiry").on(table.expiresAt),
  ],
);

/** The foreign key of what belongs to a client of the same tenant, and goes with it. */
export const ofClient = (table: { tenantId: AnyPgColumn; clientId: AnyPgColumn }) =>
  foreignKey({
    columns: [table.tenantId, table.clientId],
    foreignColumns: [clients.tenantId, clients.id],
  }).onDelete("cascade");

/** What opens dynamic registration (RFC 7591 §3): as many registrations as are left on it. */
export const initialAccessTokens = pgTable(
  "initial_access_tokens",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("initialAccessToken", "id").notNull(),
    hash: bytea("hash").notNull(),
    usesLeft: integer("uses_left").notNull(),
    createdAt: instant("created_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index("initial_access_tokens_expiry").on(table.expiresAt),
  ],
);

/** Whose assertions the jwt-bearer grant accepts (RFC 7523 §2.1), and how their subjects are our users. */
export const trustedIssuers = pgTable(
  "trusted_issuers",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("trustedIssuer", "id").notNull(),
    issuer: text("issuer").notNull(),
    jwks: jsonb("jwks").$type<{ keys: Record<string, unknown>[] }>(),
    jwksUri: text("jwks_uri"),
    /** What `sub` holds. An email counts only when it is verified here. */
    subjectKind: text("subject_kind").$type<"user_id" | "username" | "email">().notNull(),
    /** The most that such an assertion can get. */
    scopes: text("scopes").array().notNull(),
    enabled: boolean("enabled").notNull().default(true),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex("trusted_issuers_issuer").on(table.tenantId, table.issuer),
  ],
);
