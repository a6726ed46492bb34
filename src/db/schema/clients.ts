import {
  type AnyPgColumn,
  boolean,
  foreignKey,
  index,
  integer,
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
    applicationType: text("application_type").$type<"web" | "native">().notNull(),
    tokenEndpointAuthMethod: text("token_endpoint_auth_method").notNull(),
    grantTypes: text("grant_types").array().notNull(),
    redirectUris: text("redirect_uris").array().notNull(),
    postLogoutRedirectUris: text("post_logout_redirect_uris").array().notNull(),
    scopes: text("scopes").array().notNull(),
    firstParty: boolean("first_party").notNull(),
    idTokenSignedResponseAlg: text("id_token_signed_response_alg").notNull(),
    accessTokenSigningAlg: text("access_token_signing_alg").notNull(),
    /** Null: the tenant's lifetime. */
    accessTokenLifetimeSeconds: integer("access_token_lifetime_seconds"),
    refreshTokenLifetimeSeconds: integer("refresh_token_lifetime_seconds"),
    enabled: boolean("enabled").notNull().default(true),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex("clients_client_id").on(table.tenantId, table.clientId),
    index("clients_created").on(table.tenantId, table.createdAt, table.id),
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
  ],
);

/** The foreign key of what belongs to a client of the same tenant, and goes with it. */
export const ofClient = (table: { tenantId: AnyPgColumn; clientId: AnyPgColumn }) =>
  foreignKey({
    columns: [table.tenantId, table.clientId],
    foreignColumns: [clients.tenantId, clients.id],
  }).onDelete("cascade");
