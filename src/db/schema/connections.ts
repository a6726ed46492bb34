import {
  boolean,
  foreignKey,
  index,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../columns.ts";
import { ofOrganization } from "./organizations.ts";
import { tenants } from "./tenants.ts";
import { ofUser } from "./users.ts";

export type ConnectionKind = "oidc" | "oauth2" | "saml" | "ldap";

/** When an account that has the same verified address is linked at the first sign-in. */
export type LinkPolicy = "verified_email" | "never";

/** Upstream identity sources: social providers, companies' OpenID providers, SAML identity providers, directories. */
export const connections = pgTable(
  "connections",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("connection", "id").notNull(),
    /** Whose people sign in through it; null: anybody of the tenant. */
    organizationId: id("organization", "organization_id"),
    kind: text("kind").$type<ConnectionKind>().notNull(),
    /** The preset that it was made from, such as "google"; null: made by hand. */
    preset: text("preset"),
    /** Its name in addresses: `/oauth/social/{key}`. */
    key: text("key").notNull(),
    /** Its name for people. */
    name: text("name").notNull(),
    enabled: boolean("enabled").notNull().default(true),
    allowSignIn: boolean("allow_sign_in").notNull().default(true),
    allowSignUp: boolean("allow_sign_up").notNull().default(true),
    /** Whether `ada+anything@example.com` may not sign up. */
    blockEmailSubaddresses: boolean("block_email_subaddresses").notNull().default(false),
    linkPolicy: text("link_policy").$type<LinkPolicy>().notNull().default("verified_email"),
    /** Whether addresses that it vouches for count as verified: for anybody, or for those of its own domains only. */
    trustEmails: text("trust_emails").$type<"never" | "own_domains" | "if_verified">().notNull(),
    /** Whether a second factor that was proved there (`amr`) counts here. */
    trustUpstreamMfa: boolean("trust_upstream_mfa").notNull().default(false),
    /** Given to those who sign up through it; null: none. */
    defaultRole: text("default_role"),
    /** Our attribute -> a Liquid template over what it says of the user. */
    attributeMapping: jsonb("attribute_mapping").$type<Record<string, string>>().notNull().default({}),
    /** What its kind needs to know, without secrets. */
    config: jsonb("config").$type<Record<string, unknown>>().notNull(),
    /** JSON of what its kind needs to keep secret, sealed for the context `connection/<id>`. */
    sealedSecrets: bytea("sealed_secrets"),
    masterKeyId: text("master_key_id"),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofOrganization(table),
    uniqueIndex("connections_key").on(table.tenantId, table.key),
    index("connections_organization").on(table.tenantId, table.organizationId),
    index("connections_created").on(table.tenantId, table.createdAt, table.id),
  ],
);

/** Home-realm discovery: a domain of email addresses leads to one connection. */
export const connectionDomains = pgTable(
  "connection_domains",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    /** Lower case, in ASCII (RFC 5890 §2.3.2.1). */
    domain: text("domain").notNull(),
    connectionId: id("connection", "connection_id").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.domain] }),
    foreignKey({
      columns: [table.tenantId, table.connectionId],
      foreignColumns: [connections.tenantId, connections.id],
    }).onDelete("cascade"),
    index("connection_domains_connection").on(table.tenantId, table.connectionId),
  ],
);

/** A user's link to a connection. */
export const externalAccounts = pgTable(
  "external_accounts",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("externalAccount", "id").notNull(),
    userId: id("user", "user_id").notNull(),
    connectionId: id("connection", "connection_id").notNull(),
    /** What the connection knows the user by and never gives to somebody else: `sub`, a NameID, an entryUUID. */
    subject: text("subject").notNull(),
    email: text("email"),
    /** What the connection said of the user last. */
    profile: jsonb("profile").$type<Record<string, unknown>>().notNull().default({}),
    /** JSON of its tokens, sealed for the context `external-account/<id>`. */
    sealedTokens: bytea("sealed_tokens"),
    masterKeyId: text("master_key_id"),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
    lastSignInAt: instant("last_sign_in_at"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofUser(table),
    foreignKey({
      columns: [table.tenantId, table.connectionId],
      foreignColumns: [connections.tenantId, connections.id],
    }).onDelete("cascade"),
    uniqueIndex("external_accounts_subject").on(table.tenantId, table.connectionId, table.subject),
    index("external_accounts_user").on(table.tenantId, table.userId),
  ],
);

/** Tokens of an external account that was unlinked, until its connection was told to revoke them. */
export const formerExternalTokens = pgTable(
  "former_external_tokens",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    /** The external account's, for which they are sealed. */
    id: id("externalAccount", "id").notNull(),
    connectionId: id("connection", "connection_id").notNull(),
    sealedTokens: bytea("sealed_tokens").notNull(),
    masterKeyId: text("master_key_id").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({
      columns: [table.tenantId, table.connectionId],
      foreignColumns: [connections.tenantId, connections.id],
    }).onDelete("cascade"),
    index("former_external_tokens_connection").on(table.tenantId, table.connectionId),
  ],
);
