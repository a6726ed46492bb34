/**
 * Renders whatever a route throws. One place, registered before every route, so that no error reaches a caller in
 * another shape than the documented one, with a stack, or with what the caller sent.
 */
import { Elysia, ParseError, type ValidationError } from "elysia";
import { databaseErrorOf, isDatabaseUnavailable } from "../db/client.ts";
import type { Deps } from "../deps.ts";
import { AppError, type FieldError, OAuthError } from "../lib/errors.ts";
import { errorBody, ScimError } from "../protocol/scim/error.ts";
import { bodyProblem } from "./json-body.ts";
import { requestInfo } from "./request-info.ts";

/** Renders an error as a page, for a person in front of a browser. Given by the app, which knows the pages. */
export type ErrorPage = (
  request: Request,
  error: { status: number; code: string; message: string; requestId: string },
) => Promise<Response>;

/** @param methodRefusal for a path that other methods are served at */
export const errorHandling = (
  deps: Pick<Deps, "log">,
  errorPage: ErrorPage,
  methodRefusal: (path: string) => AppError | undefined = () => undefined,
) =>
  new Elysia({ name: "error-handling" }).onError({ as: "global" }, async ({ code, error, request }) => {
    const { requestId } = requestInfo(request);
    const refusal = code === "NOT_FOUND" ? methodRefusal(new URL(request.url).pathname) : undefined;
    const appError = refusal ?? toAppError(code, error, request);
    if (appError.status >= 500) deps.log.error({ requestId, err: appError.cause ?? error }, "request failed");
    else deps.log.debug({ requestId, code: appError.code, err: appError.cause }, "request refused");

    if (isScim(request)) return scimError(appError, error, requestId);
    if (wantsPage(request)) {
      const { status, code: errorCode, message } = appError;
      return errorPage(request, { status, code: errorCode, message, requestId });
    }
    return Response.json(
      {
        error: appError.code,
        error_description: appError.message,
        request_id: requestId,
        ...(appError.details ? { details: appError.details } : {}),
      },
      // RFC 6749 §5.2 asks for no-store on the token endpoint's errors; no error is worth caching.
      { status: appError.status, headers: { "cache-control": "no-store", ...appError.headers } },
    );
  });

const isScim = (request: Request) => /^\/scim\/v2(?:\/|$)/.test(new URL(request.url).pathname);

/** RFC 7644 §3.12. A body that is no JSON, or no object, is its syntax error. */
function scimError(appError: AppError, error: unknown, requestId: string): Response {
  const known = error instanceof ScimError ? error : undefined;
  const invalid = appError.status === 422 || appError.code === "bad_request";
  const body = errorBody(
    known ?? {
      status: invalid ? 400 : appError.status,
      scimType: invalid ? "invalidSyntax" : undefined,
      detail: appError.message,
    },
  );
  return Response.json(body, {
    status: Number(body.status),
    headers: {
      ...appError.headers,
      "content-type": "application/scim+json",
      "cache-control": "no-store",
      "x-request-id": requestId,
    },
  });
}

/** A browser that navigates: an API client asks for JSON, or for nothing in particular. */
function wantsPage(request: Request): boolean {
  return request.headers.get("accept")?.includes("text/html") ?? false;
}

function toAppError(code: string | number, error: unknown, request: Request): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof ScimError) return new AppError(error.status, error.scimType ?? "scim", error.detail);
  // What a route's own reader of bodies throws comes wrapped.
  if (error instanceof ParseError && error.cause instanceof AppError) return error.cause;
  if (isUnstorable(error)) return unstorable(error);
  if (isDatabaseUnavailable(error)) return unavailable(error);
  const oauth = new URL(request.url).pathname.startsWith("/oauth/");
  switch (code) {
    case "NOT_FOUND":
      return new AppError(404, "not_found", "There is nothing at this path.");
    case "PARSE":
      return oauth
        ? new OAuthError("invalid_request", "The request body cannot be read.", { cause: error })
        : new AppError(400, "bad_request", "The request body is not valid JSON.", { cause: error });
    case "VALIDATION": {
      const unreadable = bodyProblem(request);
      if (unreadable) return unreadable;
      return oauth
        ? new OAuthError("invalid_request", "The request is malformed.")
        : fromValidation(error as ValidationError, noted.get(request) ?? []);
    }
    default:
      return new AppError(500, "internal_error", "Something went wrong on our side. Please try again.", {
        cause: error,
      });
  }
}

/**
 * PostgreSQL stores no NUL character, in text (22021) or in JSON (22P05). Whoever sends one gets to know; a check in
 * every field of every surface would be forgotten in one of them.
 */
function isUnstorable(error: unknown): boolean {
  const code = databaseErrorOf(error)?.code;
  return code === "22021" || code === "22P05";
}

const unstorable = (cause: unknown) =>
  new AppError(400, "bad_request", "The request holds a character that cannot be stored.", { cause });

/** The database restarts or fails over: nothing is wrong with the request, and the caller may send it again. */
const unavailable = (cause: unknown) =>
  new AppError(
    503,
    "temporarily_unavailable",
    "The service is not available. Please try again in a few seconds.",
    {
      cause,
      headers: { "retry-after": "2" },
    },
  );

const noted = new WeakMap<Request, readonly FieldError[]>();

/** Keeps problems that a schema cannot see for the moment it is refused: then they are told with its own. */
export function noteProblems(request: Request, problems: readonly FieldError[]): void {
  if (problems.length > 0) noted.set(request, problems);
}

function fromValidation(error: ValidationError, others: readonly FieldError[]): AppError {
  const own = fieldErrors(error);
  const details = [...own, ...others.filter(({ field }) => own.every((known) => known.field !== field))];
  if (error.type === "body") {
    return new AppError(422, "validation_error", "Request body failed validation.", { details });
  }
  return new AppError(400, "bad_request", "The request's parameters failed validation.", { details });
}

/** One message a field, made from the schema alone: the library's own messages repeat the submitted value. */
function fieldErrors(error: ValidationError): FieldError[] {
  const fields = new Map<string, string>();
  for (const problem of error.all) {
    const path = "path" in problem && typeof problem.path === "string" ? problem.path : "";
    const field = nameOf(error, path);
    if (!fields.has(field ?? error.type)) {
      fields.set(
        field ?? error.type,
        field || path === "" ? messageOf(problem) : "Holds a field that is not known here.",
      );
    }
  }
  return [...fields].map(([field, message]) => ({ field, message }));
}

/** A field's name, of ours and never one that was sent; undefined for the whole and for what the schema does not know. */
function nameOf(error: ValidationError, path: string): string | undefined {
  const names = path.slice(1).split("/");
  const known = names.every(
    (name, depth) => (depth > 0 && /^\d+$/.test(name)) || isKnownName(error.validator, name),
  );
  return known ? names.join(".") : undefined;
}

/** Whether a schema has a property of this name anywhere. */
function isKnownName(validator: ValidationError["validator"], name: string): boolean {
  const schema: unknown =
    "Schema" in validator && typeof validator.Schema === "function" ? validator.Schema() : validator;
  return JSON.stringify(schema).includes(`${JSON.stringify(name)}:`);
}

interface SchemaFacts {
  anyOf?: SchemaFacts[];
  type?: string;
  format?: string;
  minLength?: number;
  maxLength?: number;
  "x-message"?: string;
}

function messageOf(problem: ValidationError["all"][number]): string {
  const given: SchemaFacts = ("schema" in problem && (problem.schema as SchemaFacts)) || {};
  // The library wraps numbers, to take them as text too.
  const schema = given.anyOf?.find(({ type }) => type === "integer" || type === "number") ?? given;
  const value = "value" in problem ? problem.value : undefined;
  if (value === undefined) return "Is required.";
  if (schema["x-message"]) return schema["x-message"];
  if (schema.format === "email") return "Must be a valid email address.";
  if (typeof value === "string" && schema.minLength !== undefined && schema.maxLength !== undefined) {
    return `Must be between ${schema.minLength} and ${schema.maxLength} characters.`;
  }
  return schema.type
    ? `Must be ${/^[aeio]/.test(schema.type) ? "an" : "a"} ${schema.type}.`
    : "Is not valid.";
}
