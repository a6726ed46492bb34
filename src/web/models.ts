/** How pages appear in the API description. */
import { t } from "elysia";
import { publicRoute } from "../http/models.ts";

export const Page = t.String({ description: "An HTML page" });
const Redirect = t.Void({ description: "A redirect, in the Location header" });

export const pageResponses = {
  200: Page,
  302: Redirect,
  303: Redirect,
  400: Page,
  403: Page,
  404: Page,
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

export const VerifyEmailQuery = t.Object({ token: t.String({ minLength: 1, maxLength: 512 }) });
