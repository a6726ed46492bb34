/** Imports and exports of users on the wire. */
import { t } from "elysia";
import type { UserExport } from "../../../domain/user-export/service.ts";
import { conflictRules, type UserImport } from "../../../domain/user-import/service.ts";

const Moment = t.String({ format: "date-time" });
const MaybeMoment = t.Union([Moment, t.Null()]);
const Count = t.Integer();

export const TransfersQuery = t.Object({
  limit: t.Optional(t.Integer({ minimum: 1, maximum: 100, default: 20, description: "Items per page" })),
  cursor: t.Optional(
    t.String({ minLength: 1, maxLength: 2048, description: "next_cursor of the page before" }),
  ),
});

export const ImportQuery = t.Object({
  on_conflict: t.Optional(
    t.String({
      enum: [...conflictRules],
      default: "fail",
      description:
        "What becomes of a row whose username or email address a user has: it is left out, or what it says is taken over (the password that they have stays), or it counts as failed",
    }),
  ),
  dry_run: t.Optional(
    t.BooleanString({
      description:
        "Says what would become of each row, compared with the users that there are, and changes nothing",
    }),
  ),
});

export const ImportHeaders = t.Object({
  "content-type": t.Optional(
    t.String({ maxLength: 256, description: "application/x-ndjson or text/csv; in UTF-8" }),
  ),
  "firebase-hash-parameters": t.Optional(
    t.String({
      maxLength: 2048,
      description:
        'For hashes of Firebase, whose rows have a password_salt: {"signer_key":"…","salt_separator":"…","rounds":8,"mem_cost":14}',
    }),
  ),
});

export const UserImportResponse = t.Object(
  {
    id: t.String(),
    format: t.String({ enum: ["ndjson", "csv"] }),
    on_conflict: t.String({ enum: [...conflictRules] }),
    dry_run: t.Boolean(),
    status: t.String({ enum: ["uploading", "pending", "running", "done", "failed", "cancelled"] }),
    problem: t.Union([t.String(), t.Null()], { description: "Why it failed" }),
    progress: t.Integer({ description: "Percent of the file" }),
    rows: t.Object({ read: Count, created: Count, updated: Count, skipped: Count, failed: Count }),
    created_at: Moment,
    started_at: MaybeMoment,
    completed_at: MaybeMoment,
    expires_at: Moment,
  },
  { description: "How far an import is" },
);

export function userImportResponse(of: UserImport): typeof UserImportResponse.static {
  return {
    id: of.id,
    format: of.format,
    on_conflict: of.onConflict,
    dry_run: of.dryRun,
    status: of.status,
    problem: of.problem,
    progress: of.status === "done" ? 100 : Math.floor((of.bytesRead / Math.max(of.bytes, 1)) * 100),
    rows: {
      read: of.rowsRead,
      created: of.created,
      updated: of.updated,
      skipped: of.skipped,
      failed: of.failed,
    },
    created_at: of.createdAt.toISOString(),
    started_at: of.startedAt?.toISOString() ?? null,
    completed_at: of.completedAt?.toISOString() ?? null,
    expires_at: of.expiresAt.toISOString(),
  };
}

export const ErrorsQuery = t.Object({
  format: t.Optional(t.String({ enum: ["ndjson", "csv"], default: "ndjson" })),
});

export const ExportRequest = t.Object({
  // No default: the framework would put it into a body that cannot be read, and take that for one that asks for all users.
  format: t.Optional(t.String({ enum: ["ndjson", "csv"], description: "ndjson unless told" })),
  enabled: t.Optional(t.Boolean()),
  role: t.Optional(t.String({ minLength: 1, maxLength: 128 })),
  organization_id: t.Optional(
    t.String({ maxLength: 64, description: "A customer company that the users are members of" }),
  ),
  created_after: t.Optional(Moment),
  created_before: t.Optional(Moment),
  search: t.Optional(t.String({ maxLength: 256, description: "As in the list of users" })),
  include_password_hashes: t.Optional(
    t.Boolean({ description: "For a super_admin alone; the audit trail tells of it" }),
  ),
});

export const UserExportResponse = t.Object(
  {
    id: t.String(),
    format: t.String({ enum: ["ndjson", "csv"] }),
    include_password_hashes: t.Boolean(),
    status: t.String({ enum: ["pending", "running", "done", "failed"] }),
    users: t.Integer({ description: "How many are written" }),
    bytes: t.Integer(),
    created_at: Moment,
    completed_at: MaybeMoment,
    expires_at: Moment,
  },
  { description: "How far an export is" },
);

export function userExportResponse(of: UserExport): typeof UserExportResponse.static {
  return {
    id: of.id,
    format: of.format,
    include_password_hashes: of.includePasswordHashes,
    status: of.status,
    users: of.users,
    bytes: of.bytes,
    created_at: of.createdAt.toISOString(),
    completed_at: of.completedAt?.toISOString() ?? null,
    expires_at: of.expiresAt.toISOString(),
  };
}
