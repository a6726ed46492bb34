/** Wire models that several surfaces share. */
import { t } from "elysia";

const FieldError = t.Object({
  field: t.String({ description: "The field's name, with dots between nested ones." }),
  message: t.String(),
});

/** The envelope of every error (also RFC 6749 §5.2: `error` and `error_description`). */
export const ErrorResponse = t.Object(
  {
    error: t.String({ description: "Machine-readable code", examples: ["not_found"] }),
    error_description: t.String({ description: "What went wrong and what to do about it" }),
    request_id: t.String({ description: "Also in the X-Request-Id header and in the log" }),
    details: t.Optional(t.Array(FieldError, { description: "Which fields of the body are wrong" })),
  },
  { description: "An error" },
);

export const MessageResponse = t.Object({ message: t.String() });

/** Errors that any route of a surface may answer with, to be spread into its responses. */
export const commonErrors = {
  400: ErrorResponse,
  404: ErrorResponse,
  429: ErrorResponse,
  500: ErrorResponse,
} as const;

/** What `detail.security` names: declared by every route, as an empty list by a public one. */
export const bearerAuth = [{ bearer: [] }];
export const publicRoute: Record<string, string[]>[] = [];

export const Nothing = t.Void({ description: "No content" });
