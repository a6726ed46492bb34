/** Searches (RFC 7644 §3.4.2, §3.4.3; cursors: RFC 9865). */
import { ScimError } from "./error.ts";
import { type Filter, parseFilter } from "./filter.ts";
import { type Projection, readProjection } from "./projection.ts";
import { type AttributePath, type ResourceSchema, resolvePath } from "./resource-schema.ts";
import { isObject, type JsonObject, type JsonValue } from "./resource.ts";

export const LIST_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
export const SEARCH_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

export const DEFAULT_COUNT = 100;
/** What a page holds at most, whatever is asked for. */
export const MOST_COUNT = 200;

export interface SearchRequest {
  readonly filter: Filter | undefined;
  readonly sortBy: AttributePath | undefined;
  readonly descending: boolean;
  /** From 1. */
  readonly startIndex: number;
  readonly count: number;
  /** Empty: the first page by cursor. Undefined: by index. */
  readonly cursor: string | undefined;
  readonly projection: Projection;
}

/** The parameters of a search, from a query or from the body of a POST to .search. */
export type SearchParameters = Readonly<Record<string, JsonValue | undefined>>;

/** @throws ScimError invalidFilter, invalidValue, invalidPath or invalidCount */
export function readSearch(schema: ResourceSchema, parameters: SearchParameters): SearchRequest {
  const filter = text(parameters["filter"]);
  const sortBy = text(parameters["sortBy"]);
  const cursor = parameters["cursor"] === undefined ? undefined : (text(parameters["cursor"]) ?? "");
  if (cursor !== undefined && parameters["startIndex"] !== undefined)
    throw new ScimError(400, "invalidValue", "Use either cursor or startIndex (RFC 9865 §2).");
  if (cursor !== undefined && sortBy !== undefined)
    throw new ScimError(400, "invalidValue", "Pages by cursor come in the order of ids: leave sortBy out.");
  const path = sortBy === undefined ? undefined : resolvePath(schema, sortBy);
  if (sortBy !== undefined && !path)
    throw new ScimError(400, "invalidPath", "There is no such attribute to sort by.");
  return {
    filter: filter === undefined ? undefined : parseFilter(filter, schema),
    sortBy: path,
    descending: text(parameters["sortOrder"])?.toLowerCase() === "descending",
    // "A value less than 1 SHALL be interpreted as 1", a negative count as 0 (§3.4.2.4).
    startIndex: Math.max(1, integer(parameters["startIndex"], 1, "invalidValue")),
    count: Math.min(
      MOST_COUNT,
      Math.max(
        0,
        integer(parameters["count"], DEFAULT_COUNT, cursor === undefined ? "invalidValue" : "invalidCount"),
      ),
    ),
    cursor,
    projection: readProjection(
      schema,
      list(parameters["attributes"]),
      list(parameters["excludedAttributes"]),
    ),
  };
}

/** A query's parameters: of repeated ones the first counts, as of an object's members. */
export function searchParametersOf(query: URLSearchParams): SearchParameters {
  const parameters: Record<string, string> = {};
  for (const [name, value] of query) parameters[name] ??= value;
  return parameters;
}

/** @throws ScimError invalidSyntax */
export function readSearchBody(body: unknown): SearchParameters {
  if (!isObject(body)) throw new ScimError(400, "invalidSyntax", "The request is no JSON object.");
  return body;
}

/** Lists are comma-separated in a query, and JSON lists in a body. */
function list(value: JsonValue | undefined): string | undefined {
  return Array.isArray(value) ? value.map(String).join(",") : text(value);
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function integer(
  value: JsonValue | undefined,
  fallback: number,
  scimType: "invalidValue" | "invalidCount",
): number {
  if (value === undefined || value === null || value === "") return fallback;
  const number = typeof value === "string" && /^[+-]?\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isSafeInteger(number))
    throw new ScimError(400, scimType, "startIndex and count are whole numbers.");
  return number;
}

/**
 * A page of a group's members, which no RFC knows of: a group may have more than anybody wants at once.
 * @returns undefined when nothing of it is asked for
 * @throws ScimError invalidValue
 */
export function memberPageOf(query: URLSearchParams): { startIndex: number; count: number } | undefined {
  if (!query.has("startIndex") && !query.has("count")) return undefined;
  const startIndex = integer(query.get("startIndex"), 1, "invalidValue");
  const count = integer(query.get("count"), MOST_MEMBERS, "invalidValue");
  return { startIndex: Math.max(1, startIndex), count: Math.min(MOST_MEMBERS, Math.max(0, count)) };
}

const MOST_MEMBERS = 1_000;

export function listResponse(page: {
  readonly totalResults: number;
  readonly resources: readonly JsonObject[];
  readonly startIndex?: number;
  readonly nextCursor?: string | undefined;
}): JsonObject {
  const response: JsonObject = {
    schemas: [LIST_SCHEMA],
    totalResults: page.totalResults,
    itemsPerPage: page.resources.length,
    Resources: [...page.resources],
  };
  if (page.startIndex !== undefined) response["startIndex"] = page.startIndex;
  if (page.nextCursor !== undefined) response["nextCursor"] = page.nextCursor;
  return response;
}
