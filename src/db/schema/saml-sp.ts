import { foreignKey, index, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../columns.ts";
import { connections } from "./connections.ts";
import { ofSession } from "./sessions.ts";
import { ofUser } from "./users.ts";

/** How an identity provider names somebody (SAML Core §2.2.3), as it is said back to it. */
export interface UpstreamNameId {
  readonly value: string;
  readonly format?: string | undefined;
  readonly nameQualifier?: string | undefined;
  readonly spNameQualifier?: string | undefined;
}

/** Sessions that began at a SAML identity provider, by its names for them: for single logout, in both directions. */
export const upstreamSamlSessions = pgTable(
  "upstream_saml_sessions",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("upstreamSession", "id").notNull(),
    connectionId: id("connection", "connection_id").notNull(),
    userId: id("user", "user_id").notNull(),
    /** Null while a second factor is still to be shown: then the user's next session is the one. */
    sessionId: id("session", "session_id"),
    /** SHA-256 of the NameID's value, by which it is found. */
    nameIdHash: bytea("name_id_hash").notNull(),
    nameId: jsonb("name_id").$type<UpstreamNameId>().notNull(),
    /** The identity provider's name for its session; null: it gave none. */
    sessionIndex: text("session_index"),
    createdAt: instant("created_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofUser(table),
    ofSession(table),
    foreignKey({
      columns: [table.tenantId, table.connectionId],
      foreignColumns: [connections.tenantId, connections.id],
    }).onDelete("cascade"),
    index("upstream_saml_sessions_name").on(table.tenantId, table.connectionId, table.nameIdHash),
    index("upstream_saml_sessions_user").on(table.tenantId, table.userId),
    index("upstream_saml_sessions_session").on(table.tenantId, table.sessionId),
    index("upstream_saml_sessions_expiry").on(table.expiresAt),
  ],
);
