import {
  boolean,
  bigint,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
} from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../columns.ts";
import { tenants } from "./tenants.ts";

/** Users that come in a file. The file lies in the storage, sealed, until it is worked through. */
export const userImports = pgTable(
  "user_imports",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("userImport", "id").notNull(),
    format: text("format").$type<"ndjson" | "csv">().notNull(),
    onConflict: text("on_conflict").$type<"skip" | "update" | "fail">().notNull(),
    dryRun: boolean("dry_run").notNull(),
    /** Parameters of the project's Firebase hashes, sealed: their signer key is a secret. */
    firebaseParameters: bytea("firebase_parameters"),
    masterKeyId: text("master_key_id").notNull(),
    status: text("status")
      .$type<"uploading" | "pending" | "running" | "done" | "failed" | "cancelled">()
      .notNull(),
    /** Why it failed, for people to read. */
    problem: text("problem"),
    /** Of the file. */
    bytes: bigint("bytes", { mode: "number" }).notNull().default(0),
    /** How much of it is worked through: what a worker goes on after. Written with the users of those rows. */
    bytesRead: bigint("bytes_read", { mode: "number" }).notNull().default(0),
    rowsRead: integer("rows_read").notNull().default(0),
    created: integer("created").notNull().default(0),
    updated: integer("updated").notNull().default(0),
    skipped: integer("skipped").notNull().default(0),
    failed: integer("failed").notNull().default(0),
    requestedBy: id("user", "requested_by").notNull(),
    /** Whether who asked may give every role. */
    superAdmin: boolean("super_admin").notNull(),
    createdAt: instant("created_at").notNull(),
    startedAt: instant("started_at"),
    completedAt: instant("completed_at"),
    expiresAt: instant("expires_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index("user_imports_created").on(table.tenantId, table.createdAt, table.id),
    index("user_imports_expiry").on(table.expiresAt),
  ],
);

/** What is wrong with rows of an import: never the value itself. */
export const userImportErrors = pgTable(
  "user_import_errors",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    importId: id("userImport", "import_id").notNull(),
    /** Counted from 1; of a CSV file without its head. */
    row: integer("row").notNull(),
    /** Counted from 0, among the problems of one row. */
    number: integer("number").notNull(),
    field: text("field").notNull(),
    reason: text("reason").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.importId, table.row, table.number] }),
    foreignKey({
      columns: [table.tenantId, table.importId],
      foreignColumns: [userImports.tenantId, userImports.id],
    }).onDelete("cascade"),
  ],
);

/** Users that were asked for as a file, which lies in the storage, sealed. */
export const userExports = pgTable(
  "user_exports",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("userExport", "id").notNull(),
    format: text("format").$type<"ndjson" | "csv">().notNull(),
    /** As `domain/user-export/model.ts` reads it. */
    filter: jsonb("filter").$type<Record<string, unknown>>().notNull(),
    includePasswordHashes: boolean("include_password_hashes").notNull(),
    status: text("status").$type<"pending" | "running" | "done" | "failed">().notNull(),
    users: integer("users").notNull().default(0),
    /** Of the file, before it is sealed. */
    bytes: bigint("bytes", { mode: "number" }).notNull().default(0),
    /** Null: by a service account, which the audit trail names. */
    requestedBy: id("user", "requested_by"),
    createdAt: instant("created_at").notNull(),
    completedAt: instant("completed_at"),
    expiresAt: instant("expires_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index("user_exports_created").on(table.tenantId, table.createdAt, table.id),
    index("user_exports_expiry").on(table.expiresAt),
  ],
);
