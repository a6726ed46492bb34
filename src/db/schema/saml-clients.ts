import {
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
import { id, instant } from "../columns.ts";
import { ofSession } from "./sessions.ts";
import { tenants } from "./tenants.ts";
import { ofUser } from "./users.ts";

/** An assertion consumer service (SAML Metadata §2.4.4); assertions come there by HTTP-POST. */
export interface SamlAcs {
  readonly url: string;
  readonly index: number;
  readonly is_default: boolean;
}

/** One statement about the user: a Liquid template, and how its value is written down (SAML Core §2.7.3.1). */
export interface SamlAttribute {
  readonly name: string;
  readonly friendly_name?: string;
  readonly name_format: "basic" | "uri" | "unspecified";
  readonly type: "string" | "boolean" | "integer" | "dateTime";
  readonly value: string;
}

/**
 * Applications that sign people in by SAML 2.0. A table of their own and no rows of `clients`: an OAuth client is known by
 * its secret, redirect URIs and grants, none of which such an application has, and each of OAuth's endpoints would have to
 * refuse a client that is none. What all applications share hangs on the session: `saml_sessions` says which of them a
 * session signed in to, as token families do for the others.
 */
export const samlClients = pgTable(
  "saml_clients",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("samlClient", "id").notNull(),
    name: text("name").notNull(),
    entityId: text("entity_id").notNull(),
    enabled: boolean("enabled").notNull().default(true),
    acsUrls: jsonb("acs_urls").$type<SamlAcs[]>().notNull(),
    sloUrl: text("slo_url"),
    sloBinding: text("slo_binding").$type<"redirect" | "post">().notNull(),
    nameIdFormat: text("name_id_format")
      .$type<"emailAddress" | "persistent" | "transient" | "unspecified">()
      .notNull(),
    /** Liquid; what an unspecified NameID is made of. */
    nameIdTemplate: text("name_id_template"),
    attributes: jsonb("attributes").$type<SamlAttribute[]>().notNull(),
    signResponse: boolean("sign_response").notNull(),
    signAssertion: boolean("sign_assertion").notNull(),
    encryptAssertion: boolean("encrypt_assertion").notNull(),
    /** PEM. What assertions are encrypted for. */
    encryptionCertificate: text("encryption_certificate"),
    /** PEM. What its requests are verified with; several, so that they are changed without an outage. */
    signingCertificates: text("signing_certificates").array().notNull(),
    requireSignedRequests: boolean("require_signed_requests").notNull(),
    allowIdpInitiated: boolean("allow_idp_initiated").notNull(),
    defaultRelayState: text("default_relay_state"),
    /** The most that a session there may last; null: as long as ours. */
    sessionLifetimeSeconds: integer("session_lifetime_seconds"),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex("saml_clients_entity_id").on(table.tenantId, table.entityId),
    index("saml_clients_created").on(table.tenantId, table.createdAt, table.id),
  ],
);

/** The applications that a session signed in to by SAML, for single logout. The id is the SessionIndex. */
export const samlSessions = pgTable(
  "saml_sessions",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("samlSession", "id").notNull(),
    samlClientId: id("samlClient", "saml_client_id").notNull(),
    sessionId: id("session", "session_id").notNull(),
    userId: id("user", "user_id").notNull(),
    /** What the application knows the user as. */
    nameId: text("name_id").notNull(),
    nameIdFormat: text("name_id_format").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({
      columns: [table.tenantId, table.samlClientId],
      foreignColumns: [samlClients.tenantId, samlClients.id],
    }).onDelete("cascade"),
    ofSession(table),
    ofUser(table),
    uniqueIndex("saml_sessions_session").on(table.tenantId, table.sessionId, table.samlClientId),
    index("saml_sessions_client").on(table.tenantId, table.samlClientId),
    index("saml_sessions_user").on(table.tenantId, table.userId),
  ],
);
