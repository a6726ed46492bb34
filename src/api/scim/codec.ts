/** How this surface reads and answers (RFC 7644 §3.1, §8.1). */
import { t } from "elysia";
import { bodyProblem } from "../../http/json-body.ts";
import { bearerAuth } from "../../http/models.ts";
import { errorBody, ScimError } from "../../protocol/scim/error.ts";
import { type Projection, project, readProjection } from "../../protocol/scim/projection.ts";
import type { ResourceSchema } from "../../protocol/scim/resource-schema.ts";
import { isObject, type JsonObject, memberOf } from "../../protocol/scim/resource.ts";

export { groupSchemaOf, userSchemaOf } from "../../http/scim-schemas.ts";

export const SCIM_JSON = "application/scim+json";

/** The JSON object of a request. @throws ScimError invalidSyntax */
export function readBody(request: Request, body: unknown): JsonObject {
  const problem = bodyProblem(request);
  if (problem) throw new ScimError(400, "invalidSyntax", problem.message);
  if (!isObject(body)) throw new ScimError(400, "invalidSyntax", "The request is no JSON object.");
  return body;
}

export function projectionOf(schema: ResourceSchema, request: Request): Projection {
  const query = new URL(request.url).searchParams;
  return readProjection(
    schema,
    query.get("attributes") ?? undefined,
    query.get("excludedAttributes") ?? undefined,
  );
}

export function respond(
  body: JsonObject,
  init: { status?: number; headers?: Record<string, string> } = {},
): Response {
  return new Response(JSON.stringify(body), {
    status: init.status ?? 200,
    headers: { "content-type": SCIM_JSON, "cache-control": "no-store", ...init.headers },
  });
}

/** One resource, as far as it was asked for, with its entity tag; 304 where the client has it already (§3.14). */
export function respondWithResource(
  request: Request,
  schema: ResourceSchema,
  resource: JsonObject,
  options: { status?: number; projection?: Projection } = {},
): Response {
  const version = String(memberOf(resource["meta"], "version"));
  const location = String(memberOf(resource["meta"], "location"));
  const headers = { etag: version, ...(options.status === 201 ? { location } : {}) };
  if (request.method === "GET" && namesTag(request.headers.get("if-none-match"), version))
    return new Response(null, { status: 304, headers });
  const shown = project(schema, resource, options.projection ?? projectionOf(schema, request));
  return respond(shown, { status: options.status ?? 200, headers });
}

/** Whether the change may be made to this version. */
export function ifMatchOf(request: Request): (version: string) => boolean {
  const header = request.headers.get("if-match");
  return (version) => header === null || namesTag(header, version);
}

/** Tags here are weak, and are compared as such. */
function namesTag(header: string | null, version: string): boolean {
  const opaque = (tag: string) => tag.trim().replace(/^W\//, "");
  return (header ?? "").split(",").some((tag) => tag.trim() === "*" || opaque(tag) === opaque(version));
}

/** Any resource or message of SCIM: what is in it is for its schemas to say, which the surface itself publishes. */
export const ScimResource = t.Object(
  { schemas: t.Optional(t.Array(t.String())) },
  { additionalProperties: true, description: "A SCIM resource or message (RFC 7643, RFC 7644)" },
);
/** Bodies are checked by `protocol/scim`, whose refusals say what RFC 7644 wants them to. */
export const ScimBody = t.Unknown({ description: "A SCIM resource or message (RFC 7643, RFC 7644)" });

export const ScimErrorResponse = t.Object({
  schemas: t.Array(t.String()),
  status: t.String(),
  scimType: t.Optional(t.String()),
  detail: t.String(),
});

export const scimErrors = {
  400: ScimErrorResponse,
  401: ScimErrorResponse,
  403: ScimErrorResponse,
  404: ScimErrorResponse,
  429: ScimErrorResponse,
  500: ScimErrorResponse,
};

export const scimDetail = (summary: string, description?: string) => ({
  tags: ["SCIM"],
  security: [...bearerAuth, { scimToken: [] }],
  summary,
  ...(description ? { description } : {}),
});

/** The error of an operation in a bulk response. */
export const errorResource = (error: ScimError): JsonObject => ({ ...errorBody(error) });
