/** How pages appear in the API description. */
import { t } from "elysia";
import { commonErrors, ErrorResponse, publicRoute } from "../http/models.ts";

export const Page = t.String({ description: "An HTML page" });
const Redirect = t.Void({ description: "A redirect, in the Location header" });

export const pageResponses = {
  200: Page,
  302: Redirect,
  303: Redirect,
  400: Page,
  403: Page,
  404: Page,
  429: Page,
  500: Page,
} as const;

/** Pages take forms as they come and check them field by field: a bad field is shown beside the field. */
export const pageForm = { parse: "text" } as const;

export const formDetail = (summary: string) => ({
  ...pageDetail(summary),
  requestBody: {
    required: true,
    content: { "application/x-www-form-urlencoded": { schema: { type: "object" as const } } },
  },
});

export const pageDetail = (summary: string) => ({ summary, tags: ["Hosted pages"], security: publicRoute });

/** For what our script asks: it sends the page's form and is answered with JSON. */
export const optionsDetail = (summary: string) => ({
  ...formDetail(summary),
  description: "For the pages' own script: takes a form of theirs, its token included.",
});

/** Each answer holds a challenge that works once. */
export const optionsHeaders = { "cache-control": "no-store" };

export const optionsErrors = { 401: ErrorResponse, 403: ErrorResponse, ...commonErrors } as const;

export const VerifyEmailQuery = t.Object({ token: t.String({ minLength: 1, maxLength: 512 }) });
