/** Users as a file. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import {
  contentTypes,
  type Filter,
  type Format,
  formats,
  getExport,
  listExports,
  openExport,
  requestExport,
} from "../../../domain/user-export/service.ts";
import { fileResponse } from "../../../http/file-response.ts";
import { jsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { listOf, listResponse, readPage } from "../../../http/pagination.ts";
import { adminScope } from "../../../http/scope.ts";
import { validationError } from "../../../lib/errors.ts";
import { isId } from "../../../lib/ids.ts";
import { requireFresh } from "../me-account.ts";
import { adminErrors } from "./models.ts";
import * as models from "./user-transfer-models.ts";

const SORTS = ["created_at"] as const;
const Params = t.Object({ id: t.String() });

export const adminUserExportRoutes = (deps: Deps) =>
  new Elysia({ name: "native-admin-user-exports", detail: { tags: ["Users"], security: bearerAuth } })
    .use(adminScope(deps))
    .post(
      "/api/v1/admin/users/export",
      async ({ tenant, home, access, body, by, set }) => {
        if (body.include_password_hashes && access) await requireFresh(deps, home, access);
        const made = await requestExport(
          deps,
          tenant.id,
          {
            format: formatOf(body.format),
            filter: filterOf(body),
            includePasswordHashes: body.include_password_hashes ?? false,
          },
          by,
        );
        set.status = 202;
        set.headers["location"] = `/api/v1/admin/users/exports/${made.id}`;
        return models.userExportResponse(made);
      },
      {
        parse: jsonBody,
        body: models.ExportRequest,
        response: { 202: models.UserExportResponse, 422: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Export users",
          description:
            "The filters are those of the list. Is made by a worker: its Location tells how far it is. What comes can be imported again. With password hashes it needs a recent proof of who acts, as does the download: 401 `insufficient_user_authentication` says what would do.",
        },
      },
    )
    .get(
      "/api/v1/admin/users/exports",
      async ({ tenant, query }) => {
        const page = readPage(query, SORTS, "userExport");
        return listResponse(await listExports(deps, tenant.id, page), page, "userExport", {
          show: models.userExportResponse,
          keyOf: ({ createdAt, id }) => ({ value: createdAt.toISOString(), id }),
        });
      },
      {
        query: models.TransfersQuery,
        response: { 200: listOf(models.UserExportResponse), ...adminErrors },
        detail: {
          summary: "List exports of users",
          description: "The newest first, of the last seven days.",
        },
      },
    )
    .get(
      "/api/v1/admin/users/exports/:id",
      async ({ tenant, params }) => models.userExportResponse(await getExport(deps, tenant.id, params.id)),
      {
        params: Params,
        response: { 200: models.UserExportResponse, ...adminErrors },
        detail: {
          summary: "How far an export of users is",
          description: "An export is kept for seven days.",
        },
      },
    )
    .get(
      "/api/v1/admin/users/exports/:id/download",
      async ({ tenant, home, access, params, by }) => {
        const found = await getExport(deps, tenant.id, params.id);
        if (found.includePasswordHashes && access) await requireFresh(deps, home, access);
        return fileResponse(await openExport(deps, found, by), {
          contentType: contentTypes[found.format],
          name: `users-${found.createdAt.toISOString().slice(0, 10)}.${found.format}`,
        });
      },
      {
        params: Params,
        response: {
          200: t.Unknown({ description: "The users, as NDJSON or CSV" }),
          409: ErrorResponse,
          410: ErrorResponse,
          ...adminErrors,
        },
        detail: { summary: "Download an export of users" },
      },
    );

function formatOf(text: string | undefined): Format {
  const format = text === undefined ? "ndjson" : formats.find((one) => one === text);
  if (!format) throw validationError([{ field: "format", message: `Must be one of ${formats.join(", ")}.` }]);
  return format;
}

function filterOf(body: typeof models.ExportRequest.static): Filter {
  const { format: _, include_password_hashes: __, search, ...others } = body;
  const { organization_id: organization } = others;
  if (organization !== undefined && !isId("organization", organization))
    throw validationError([{ field: "organization_id", message: "Must be an organization's id." }]);
  const text = search?.trim();
  return { ...others, ...(text ? { search: text } : {}) };
}
