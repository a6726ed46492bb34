import {
  bigint,
  boolean,
  foreignKey,
  index,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../columns.ts";
import { ofUser } from "./users.ts";

/** Authenticator apps: a user may have several, each with a secret of its own. */
export const totpDevices = pgTable(
  "totp_devices",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("totpDevice", "id").notNull(),
    userId: id("user", "user_id").notNull(),
    name: text("name").notNull(),
    /** The shared secret, sealed with AES-256-GCM for the context `totp-device/<id>`. */
    sealedSecret: bytea("sealed_secret").notNull(),
    masterKeyId: text("master_key_id").notNull(),
    /** The newest time step a code was accepted for: none up to it is accepted again (RFC 6238 §5.2). */
    lastStep: bigint("last_step", { mode: "number" }).notNull().default(0),
    createdAt: instant("created_at").notNull(),
    /** The session or the pending login that began to set it up: nobody else is shown its secret. */
    begunBy: text("begun_by").notNull(),
    /** When the first code proved that the app has the secret. Null: a device that is being set up. */
    confirmedAt: instant("confirmed_at"),
    lastUsedAt: instant("last_used_at"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofUser(table),
    index("totp_devices_user").on(table.tenantId, table.userId),
  ],
);

/** WebAuthn credentials: passkeys and security keys (WebAuthn Level 3 §4, "credential record"). */
export const passkeys = pgTable(
  "passkeys",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("passkey", "id").notNull(),
    userId: id("user", "user_id").notNull(),
    name: text("name").notNull(),
    credentialId: bytea("credential_id").notNull(),
    /** COSE_Key (RFC 9052 §7). */
    publicKey: bytea("public_key").notNull(),
    signCount: bigint("sign_count", { mode: "number" }).notNull(),
    transports: text("transports").array().notNull(),
    aaguid: text("aaguid").notNull(),
    attestationFormat: text("attestation_format").notNull(),
    /** Whether the client said that the authenticator keeps it itself (credProps). Null: it did not say. */
    discoverable: boolean("discoverable"),
    backupEligible: boolean("backup_eligible").notNull(),
    backedUp: boolean("backed_up").notNull(),
    createdAt: instant("created_at").notNull(),
    lastUsedAt: instant("last_used_at"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofUser(table),
    uniqueIndex("passkeys_credential").on(table.tenantId, table.credentialId),
    index("passkeys_user").on(table.tenantId, table.userId),
  ],
);

/** A user's set of backup codes: the key that its codes are hashed under. */
export const backupCodeSets = pgTable(
  "backup_code_sets",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    userId: id("user", "user_id").notNull(),
    /** A random HMAC key, sealed for the context `backup-codes/<user id>`: codes are too short to be hashed without one. */
    sealedKey: bytea("sealed_key").notNull(),
    masterKeyId: text("master_key_id").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.userId] }), ofUser(table)],
);

export const backupCodes = pgTable(
  "backup_codes",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    userId: id("user", "user_id").notNull(),
    /** HMAC-SHA-256 under the set's key. */
    hash: bytea("hash").notNull(),
    usedAt: instant("used_at"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.userId, table.hash] }),
    foreignKey({
      columns: [table.tenantId, table.userId],
      foreignColumns: [backupCodeSets.tenantId, backupCodeSets.userId],
    }).onDelete("cascade"),
  ],
);

/** Devices on which a user asked not to be asked for a second factor again for a while. */
export const trustedDevices = pgTable(
  "trusted_devices",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("trustedDevice", "id").notNull(),
    userId: id("user", "user_id").notNull(),
    hash: bytea("hash").notNull(),
    /** The password's `changed_at` at that time: a device is trusted with one password and with no later one. */
    passwordChangedAt: instant("password_changed_at"),
    ip: text("ip"),
    userAgent: text("user_agent"),
    createdAt: instant("created_at").notNull(),
    lastUsedAt: instant("last_used_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofUser(table),
    index("trusted_devices_user").on(table.tenantId, table.userId, table.createdAt),
    index("trusted_devices_expiry").on(table.expiresAt),
  ],
);
