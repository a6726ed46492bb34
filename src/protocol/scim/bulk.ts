/** Bulk requests (RFC 7644 §3.7). */
import { ScimError } from "./error.ts";
import { isObject, type JsonObject, type JsonValue, memberOf } from "./resource.ts";

export const BULK_REQUEST_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
export const BULK_RESPONSE_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

export const MOST_BULK_OPERATIONS = 1_000;
export const MOST_BULK_BYTES = 4 * 1024 * 1024;

export interface BulkOperation {
  readonly method: "POST" | "PUT" | "PATCH" | "DELETE";
  readonly bulkId: string | undefined;
  readonly resourceType: "Users" | "Groups";
  /** Of an existing resource, or `bulkId:<id>` of one that this request makes. */
  readonly id: string | undefined;
  readonly data: JsonValue | undefined;
  readonly version: string | undefined;
}

export interface BulkRequest {
  /** After so many errors the rest is not tried (§3.7). */
  readonly failOnErrors: number | undefined;
  readonly operations: readonly BulkOperation[];
}

/** @throws ScimError invalidSyntax; 413 for more operations than are taken */
export function readBulkRequest(body: JsonObject): BulkRequest {
  const operations = body["Operations"];
  if (!Array.isArray(operations)) throw invalidSyntax("Operations has to be a list.");
  if (operations.length > MOST_BULK_OPERATIONS)
    throw new ScimError(413, undefined, `At most ${MOST_BULK_OPERATIONS} operations are taken at once.`);
  const { failOnErrors } = body;
  if (
    failOnErrors !== undefined &&
    (typeof failOnErrors !== "number" || !Number.isInteger(failOnErrors) || failOnErrors < 1)
  )
    throw invalidSyntax("failOnErrors is a whole number from 1.");
  const read = operations.map(readOperation);
  const bulkIds = read.flatMap(({ bulkId }) => bulkId ?? []);
  if (new Set(bulkIds).size < bulkIds.length) throw invalidSyntax("Each bulkId may be used once.");
  return { failOnErrors, operations: read };
}

const PATH = /^\/(Users|Groups)(?:\/([^/?#]+))?$/;

function readOperation(operation: JsonValue): BulkOperation {
  const method = String(memberOf(operation, "method")).toUpperCase();
  const [, resourceType, id] = PATH.exec(String(memberOf(operation, "path"))) ?? [];
  const bulkId = memberOf(operation, "bulkId");
  const version = memberOf(operation, "version");
  if (method !== "POST" && method !== "PUT" && method !== "PATCH" && method !== "DELETE")
    throw invalidSyntax("The method of an operation is POST, PUT, PATCH or DELETE.");
  if (resourceType !== "Users" && resourceType !== "Groups")
    throw invalidSyntax("The path of an operation is that of a user or group, such as /Users/{id}.");
  if ((method === "POST") === (id !== undefined))
    throw invalidSyntax("A POST goes to /Users or /Groups, everything else to one of their resources.");
  if (method === "POST" && (typeof bulkId !== "string" || bulkId === ""))
    throw invalidSyntax("A POST needs a bulkId.");
  return {
    method,
    resourceType,
    id,
    bulkId: typeof bulkId === "string" ? bulkId : undefined,
    data: memberOf(operation, "data"),
    version: typeof version === "string" ? version : undefined,
  };
}

const REFERENCE = /^bulkId:(.+)$/;

/** The bulkIds that a value refers to, wherever they stand in it. */
export function referencesOf(value: JsonValue | undefined): string[] {
  if (typeof value === "string") {
    const [, bulkId] = REFERENCE.exec(value) ?? [];
    return bulkId === undefined ? [] : [bulkId];
  }
  if (Array.isArray(value)) return value.flatMap(referencesOf);
  return isObject(value) ? Object.values(value).flatMap(referencesOf) : [];
}

/**
 * The value with the ids of what was made in place of references to it.
 * @throws ScimError invalidValue for a reference to what was not made
 */
export function resolveReferences(value: JsonValue, ids: ReadonlyMap<string, string>): JsonValue {
  if (typeof value === "string") {
    const [, bulkId] = REFERENCE.exec(value) ?? [];
    if (bulkId === undefined) return value;
    const id = ids.get(bulkId);
    if (id === undefined)
      throw new ScimError(
        409,
        "invalidValue",
        `The bulkId ${JSON.stringify(bulkId.slice(0, 64))} names nothing.`,
      );
    return id;
  }
  if (Array.isArray(value)) return value.map((element) => resolveReferences(element, ids));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, resolveReferences(member, ids)]),
  );
}

/**
 * The order to work in: what is referred to before what refers to it, otherwise as it came. Where references go in a
 * circle (§3.7.1), the groups of it are made without those members first, who are added once everybody is there.
 */
export function bulkOrder(operations: readonly BulkOperation[]): BulkStep[] {
  const makers = new Map(
    operations.flatMap((operation, index) =>
      operation.method === "POST" && operation.bulkId !== undefined
        ? [[operation.bulkId, index] as const]
        : [],
    ),
  );
  const state = new Map<number, "open" | "done">();
  const steps: BulkStep[] = [];
  const deferred: BulkStep[] = [];
  const visit = (index: number): void => {
    const operation = operations[index];
    if (!operation || state.has(index)) return;
    state.set(index, "open");
    const later: string[] = [];
    for (const bulkId of new Set([...referencesOf(operation.data), ...referencesOf(operation.id)])) {
      const maker = makers.get(bulkId);
      if (maker === undefined || maker === index) continue;
      if (state.get(maker) === "open") later.push(bulkId);
      else visit(maker);
    }
    state.set(index, "done");
    const splits = later.length > 0 && operation.method === "POST" && operation.resourceType === "Groups";
    steps.push({ index, leaveOut: splits ? later : [] });
    if (splits) deferred.push({ index, addLater: later, leaveOut: [] });
  };
  operations.forEach((_, index) => visit(index));
  return [...steps, ...deferred];
}

export interface BulkStep {
  readonly index: number;
  /** References of members to make the group without. */
  readonly leaveOut: readonly string[];
  /** References of members to add to the group that an earlier step made. */
  readonly addLater?: readonly string[];
}

/** The data of a group without the members that refer to any of these. */
export function withoutMembers(
  data: JsonValue | undefined,
  bulkIds: readonly string[],
): JsonValue | undefined {
  if (!isObject(data) || !Array.isArray(data["members"]) || bulkIds.length === 0) return data;
  const members = data["members"].filter(
    (member) => !referencesOf(member).some((bulkId) => bulkIds.includes(bulkId)),
  );
  return { ...data, members };
}

function invalidSyntax(detail: string): ScimError {
  return new ScimError(400, "invalidSyntax", detail);
}
