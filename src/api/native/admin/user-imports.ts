/** Users that come in a file. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import {
  cancelImport,
  type ConflictRule,
  conflictRules,
  eachError,
  type Format,
  getImport,
  listImports,
  requestImport,
  type UserImport,
} from "../../../domain/user-import/service.ts";
import { fileResponse } from "../../../http/file-response.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { listOf, listResponse, readPage } from "../../../http/pagination.ts";
import { adminScope } from "../../../http/scope.ts";
import { csvLine } from "../../../lib/csv.ts";
import { AppError, badRequest } from "../../../lib/errors.ts";
import { adminErrors } from "./models.ts";
import * as models from "./user-transfer-models.ts";

const SORTS = ["created_at"] as const;
const Params = t.Object({ id: t.String() });

export const adminUserImportRoutes = (deps: Deps) =>
  new Elysia({ name: "native-admin-user-imports", detail: { tags: ["Users"], security: bearerAuth } })
    .use(adminScope(deps))
    .post(
      "/api/v1/admin/users/import",
      async ({ tenant, request, query, headers, by, set }) => {
        const made = await requestImport(
          deps,
          tenant.id,
          {
            format: formatOf(headers["content-type"]),
            onConflict: ruleOf(query.on_conflict),
            dryRun: query.dry_run ?? false,
            firebaseParameters: headers["firebase-hash-parameters"],
            file: requireBody(request),
          },
          by,
        );
        set.status = 202;
        set.headers["location"] = `/api/v1/admin/users/imports/${made.id}`;
        return models.userImportResponse(made);
      },
      {
        // The file goes to the storage as it comes.
        parse: "none",
        query: models.ImportQuery,
        headers: models.ImportHeaders,
        response: {
          202: models.UserImportResponse,
          409: ErrorResponse,
          413: ErrorResponse,
          415: ErrorResponse,
          422: ErrorResponse,
          ...adminErrors,
        },
        detail: {
          summary: "Import users",
          description:
            "A JSON object a line, or CSV whose first row names the columns: username, email, email_verified, given_name, family_name, picture, locale, zoneinfo, enabled, roles, groups, created_at, password_hash (bcrypt, argon2, scrypt or pbkdf2; of Firebase with password_salt). At most 512 MiB. Is worked through by a worker: its Location tells how far it is.",
        },
      },
    )
    .get(
      "/api/v1/admin/users/imports",
      async ({ tenant, query }) => {
        const page = readPage(query, SORTS, "userImport");
        return listResponse(await listImports(deps, tenant.id, page), page, "userImport", {
          show: models.userImportResponse,
          keyOf: ({ createdAt, id }) => ({ value: createdAt.toISOString(), id }),
        });
      },
      {
        query: models.TransfersQuery,
        response: { 200: listOf(models.UserImportResponse), ...adminErrors },
        detail: { summary: "List imports of users", description: "The newest first, of the last 30 days." },
      },
    )
    .get(
      "/api/v1/admin/users/imports/:id",
      async ({ tenant, params }) => models.userImportResponse(await getImport(deps, tenant.id, params.id)),
      {
        params: Params,
        response: { 200: models.UserImportResponse, ...adminErrors },
        detail: { summary: "How far an import of users is" },
      },
    )
    .get(
      "/api/v1/admin/users/imports/:id/errors",
      async ({ tenant, params, query }) => {
        const found = await getImport(deps, tenant.id, params.id);
        const isCsv = query.format === "csv";
        return fileResponse(errorLines(deps, found, isCsv), {
          contentType: isCsv ? "text/csv; charset=utf-8" : "application/x-ndjson",
          name: `import-errors-${found.createdAt.toISOString().slice(0, 10)}.${isCsv ? "csv" : "ndjson"}`,
        });
      },
      {
        params: Params,
        query: models.ErrorsQuery,
        response: {
          200: t.Unknown({ description: "row, field and reason of each problem, as NDJSON or CSV" }),
          ...adminErrors,
        },
        detail: {
          summary: "What is wrong with rows of an import",
          description:
            "Of the first 100,000 failed rows or so, in the order of the file. No values are told.",
        },
      },
    )
    .post(
      "/api/v1/admin/users/imports/:id/cancel",
      async ({ tenant, params, by }) =>
        models.userImportResponse(await cancelImport(deps, tenant.id, params.id, by)),
      {
        parse: "none",
        params: Params,
        response: { 200: models.UserImportResponse, 409: ErrorResponse, ...adminErrors },
        detail: { summary: "Cancel an import of users", description: "What was imported stays." },
      },
    );

function ruleOf(text: string | undefined): ConflictRule {
  const rule = text === undefined ? "fail" : conflictRules.find((one) => one === text);
  if (!rule) throw badRequest(`on_conflict must be one of ${conflictRules.join(", ")}.`);
  return rule;
}

function formatOf(contentType: string | undefined): Format {
  const type = contentType?.split(";")[0]?.trim().toLowerCase();
  if (type === "text/csv") return "csv";
  if (type === "application/x-ndjson" || type === "application/ndjson" || type === "application/jsonl")
    return "ndjson";
  throw new AppError(
    415,
    "unsupported_media_type",
    "The Content-Type must be application/x-ndjson or text/csv.",
  );
}

function requireBody(request: Request): ReadableStream<Uint8Array> {
  if (!request.body) throw badRequest("The request has no body: it must be the file.");
  return request.body;
}

async function* errorLines(deps: Deps, of: UserImport, isCsv: boolean): AsyncGenerator<Uint8Array> {
  if (isCsv) yield Buffer.from(csvLine(["row", "field", "reason"]));
  for await (const page of eachError(deps, of)) {
    const lines = page.map(({ row, field, reason }) =>
      isCsv ? csvLine([row, field, reason]) : `${JSON.stringify({ row, field, reason })}\n`,
    );
    yield Buffer.from(lines.join(""));
  }
}
