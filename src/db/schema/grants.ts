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
import { bytea, id, instant } from "../columns.ts";
import { ofClient } from "./clients.ts";
import { ofSession } from "./sessions.ts";
import { ofUser } from "./users.ts";
import { tenants } from "./tenants.ts";

/** A user's remembered consent to a client. */
export const grants = pgTable(
  "grants",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("grant", "id").notNull(),
    userId: id("user", "user_id").notNull(),
    clientId: id("client", "client_id").notNull(),
    scopes: text("scopes").array().notNull(),
    /** RFC 8707 resource indicators that the consent covers. */
    resources: text("resources").array().notNull().default([]),
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
    /** Null for what was issued without a sign-in of the user's (RFC 7523 §2.1). */
    sessionId: id("session", "session_id"),
    scope: text("scope").array().notNull(),
    /** RFC 8707: the resources that were granted; empty: the issuer's own. */
    resources: text("resources").array().notNull().default([]),
    /** The `claims` parameter as it was sent (OpenID Connect Core §5.5). */
    claims: text("claims"),
    /** Thumbprint of the key that its tokens are bound to (RFC 9449 §5). */
    dpopJkt: text("dpop_jkt"),
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
    resources: text("resources").array().notNull().default([]),
    claims: text("claims"),
    nonce: text("nonce"),
    /** RFC 9449 §10: the key that the exchange has to prove. */
    dpopJkt: text("dpop_jkt"),
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

/** Access tokens that are looked up instead of read: of clients whose access_token_format is opaque. */
export const accessTokens = pgTable(
  "access_tokens",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("accessToken", "id").notNull(),
    hash: bytea("hash").notNull(),
    clientId: id("client", "client_id").notNull(),
    /** Null for a client that acts for itself. */
    familyId: id("tokenFamily", "family_id"),
    /** What a JWT would say (RFC 9068 §2.2). */
    claims: jsonb("claims").$type<Record<string, unknown>>().notNull(),
    issuedAt: instant("issued_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofClient(table),
    foreignKey({
      columns: [table.tenantId, table.familyId],
      foreignColumns: [tokenFamilies.tenantId, tokenFamilies.id],
    }).onDelete("cascade"),
    index("access_tokens_client").on(table.tenantId, table.clientId),
    index("access_tokens_family").on(table.tenantId, table.familyId),
    index("access_tokens_expiry").on(table.expiresAt),
  ],
);

/** Access tokens that ended before their time (RFC 7009), by `jti`, until they would have expired. */
export const revokedAccessTokens = pgTable(
  "revoked_access_tokens",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    jti: text("jti").notNull(),
    revokedAt: instant("revoked_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.jti] }),
    index("revoked_access_tokens_expiry").on(table.expiresAt),
  ],
);

/**
 * Things of others that may be used once: client assertions (RFC 7523 §3), DPoP proofs (RFC 9449 §11.1), request
 * objects (RFC 9101) and assertions of the jwt-bearer grant. Inserting says whether it is the first time.
 */
export const usedTokens = pgTable(
  "used_tokens",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    kind: text("kind")
      .$type<
        | "client_assertion"
        | "dpop_proof"
        | "request_object"
        | "jwt_bearer"
        | "saml_request"
        | "saml_assertion"
        | "saml_logout_request"
      >()
      .notNull(),
    /** SHA-256 of what makes it one: issuer or key, and `jti`. */
    hash: bytea("hash").notNull(),
    expiresAt: instant("expires_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.kind, table.hash] }),
    index("used_tokens_expiry").on(table.expiresAt),
  ],
);

/** RFC 9126: authorization requests that wait for their browser. */
export const pushedAuthorizationRequests = pgTable(
  "pushed_authorization_requests",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("pushedRequest", "id").notNull(),
    hash: bytea("hash").notNull(),
    clientId: id("client", "client_id").notNull(),
    /** The parameters as they were pushed, form-urlencoded. */
    search: text("search").notNull(),
    /** RFC 9449 §10.1: the key that was proven when it was pushed. */
    dpopJkt: text("dpop_jkt"),
    createdAt: instant("created_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
    consumedAt: instant("consumed_at"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofClient(table),
    index("pushed_authorization_requests_client").on(table.tenantId, table.clientId),
    index("pushed_authorization_requests_expiry").on(table.expiresAt),
  ],
);

/** RFC 8628: what a device asked for, and what became of it. */
export const deviceAuthorizations = pgTable(
  "device_authorizations",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("deviceAuthorization", "id").notNull(),
    /** Of the device code. */
    hash: bytea("hash").notNull(),
    /** As it is compared: without separators, upper case. */
    userCode: text("user_code").notNull(),
    clientId: id("client", "client_id").notNull(),
    scope: text("scope").array().notNull(),
    resources: text("resources").array().notNull().default([]),
    dpopJkt: text("dpop_jkt"),
    status: text("status").$type<"pending" | "approved" | "denied">().notNull(),
    /** Who answered, in which session. */
    userId: id("user", "user_id"),
    sessionId: id("session", "session_id"),
    /** Seconds between two polls, which grows for a device that does not keep to it (§3.5). */
    intervalSeconds: integer("interval_seconds").notNull(),
    polledAt: instant("polled_at"),
    ip: text("ip"),
    userAgent: text("user_agent"),
    createdAt: instant("created_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
    consumedAt: instant("consumed_at"),
    familyId: id("tokenFamily", "family_id"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofClient(table),
    ofSession(table),
    uniqueIndex("device_authorizations_user_code").on(table.tenantId, table.userCode),
    index("device_authorizations_client").on(table.tenantId, table.clientId),
    index("device_authorizations_session").on(table.tenantId, table.sessionId),
    index("device_authorizations_expiry").on(table.expiresAt),
  ],
);
