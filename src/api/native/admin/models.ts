/** What the administrators' routes share. */
import { t } from "elysia";
import { commonErrors, ErrorResponse } from "../../../http/models.ts";

/** Answers with secrets in them are nobody else's business. */
export const noStore = { "cache-control": "no-store", pragma: "no-cache" };

/** The body of a 204. */
export const Nothing = t.Void({ description: "No content" });

/** 403: no administrator, or not by an application of one's own. */
export const adminErrors = { 401: ErrorResponse, 403: ErrorResponse, ...commonErrors } as const;
