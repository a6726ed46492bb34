import {
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
import { ofClient } from "./clients.ts";
import { ofSession } from "./sessions.ts";
import { ofUser } from "./users.ts";

/** A user's remembered consent to a client. */
export const grants = pgTable(
  "grants",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("grant", "id").notNull(),
    userId: id("user", "user_id").notNull(),
    clientId: id("client", "client_id").notNull(),
    scopes: text("scopes").array().notNull(),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex("grants_user_client").on(table.tenantId, table.userId, table.clientId),
    index("grants_client").on(table.tenantId, table.clientId),
    ofUser(table),
    ofClient(table),
  ],
);

/**
 * All tokens that descend from one authorization: one exchanged code or one native sign-in. Revoking the family
 * ends its refresh tokens and, wherever we are asked, its access tokens.
 */
export const tokenFamilies = pgTable(
  "token_families",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("tokenFamily", "id").notNull(),
    userId: id("user", "user_id").notNull(),
    clientId: id("client", "client_id").notNull(),
    sessionId: id("session", "session_id").notNull(),
    scope: text("scope").array().notNull(),
    /** Whether the family outlives the browser session (`offline_access`, OpenID Connect Core §11). */
    offline: boolean("offline").notNull(),
    createdAt: instant("created_at").notNull(),
    /** When the last of its tokens ends by itself: what clean-up goes by. */
    expiresAt: instant("expires_at").notNull(),
    revokedAt: instant("revoked_at"),
    revokedReason: text("revoked_reason"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofUser(table),
    ofClient(table),
    ofSession(table),
    index("token_families_user").on(table.tenantId, table.userId),
    index("token_families_client").on(table.tenantId, table.clientId),
    index("token_families_session").on(table.tenantId, table.sessionId),
    index("token_families_expiry").on(table.expiresAt),
  ],
);

export const refreshTokens = pgTable(
  "refresh_tokens",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("refreshToken", "id").notNull(),
    familyId: id("tokenFamily", "family_id").notNull(),
    hash: bytea("hash").notNull(),
    scope: text("scope").array().notNull(),
    issuedAt: instant("issued_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
    rotatedAt: instant("rotated_at"),
    successorId: id("refreshToken", "successor_id"),
    /**
     * The successor, sealed under a key that only the holder of this token can derive: a client that lost the
     * answer to its rotation gets the same one again, and the database alone gives nobody a usable token.
     */
    successorSealed: bytea("successor_sealed"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({
      columns: [table.tenantId, table.familyId],
      foreignColumns: [tokenFamilies.tenantId, tokenFamilies.id],
    }).onDelete("cascade"),
    index("refresh_tokens_family").on(table.tenantId, table.familyId),
    index("refresh_tokens_expiry").on(table.expiresAt),
  ],
);

export const authorizationCodes = pgTable(
  "authorization_codes",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("authorizationCode", "id").notNull(),
    hash: bytea("hash").notNull(),
    clientId: id("client", "client_id").notNull(),
    userId: id("user", "user_id").notNull(),
    sessionId: id("session", "session_id").notNull(),
    redirectUri: text("redirect_uri").notNull(),
    scope: text("scope").array().notNull(),
    nonce: text("nonce"),
    codeChallenge: text("code_challenge").notNull(),
    authTime: instant("auth_time").notNull(),
    acr: text("acr").notNull(),
    amr: text("amr").array().notNull(),
    /** Max age that was asked for, in seconds: makes `auth_time` required in the ID token. */
    maxAge: integer("max_age"),
    createdAt: instant("created_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
    consumedAt: instant("consumed_at"),
    /** What the exchange issued: revoked when the code comes a second time (RFC 6749 §4.1.2). */
    familyId: id("tokenFamily", "family_id"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofClient(table),
    ofSession(table),
    index("authorization_codes_client").on(table.tenantId, table.clientId),
    index("authorization_codes_session").on(table.tenantId, table.sessionId),
    index("authorization_codes_expiry").on(table.expiresAt),
  ],
);
