import { ScimError } from "./error.ts";
import { isObject, type JsonValue } from "./resource.ts";

export const PATCH_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/** One operation of a PATCH request (RFC 7644 §3.5.2), its `op` in our spelling. */
export interface PatchOperation {
  readonly op: "add" | "remove" | "replace";
  readonly path: string | undefined;
  readonly value: JsonValue | undefined;
}

/** More than any client sends at once; the members of one operation are not counted by it. */
const MOST_OPERATIONS = 1_000;

/**
 * Reads a PATCH request. Names of members and operations are taken without case: Entra ID says "Add" and "Replace".
 * @throws ScimError invalidSyntax
 */
export function readPatchRequest(body: unknown): PatchOperation[] {
  if (!isObject(body)) throw invalidSyntax("The request is no JSON object.");
  const operations = member(body, "Operations");
  if (!Array.isArray(operations) || operations.length === 0)
    throw invalidSyntax("Operations has to be a list of at least one operation.");
  if (operations.length > MOST_OPERATIONS)
    throw new ScimError(413, "tooMany", `At most ${MOST_OPERATIONS} operations are taken at once.`);
  return operations.map(readOperation);
}

function readOperation(operation: JsonValue): PatchOperation {
  if (!isObject(operation)) throw invalidSyntax("An operation is no JSON object.");
  const op = String(member(operation, "op")).toLowerCase();
  if (op !== "add" && op !== "remove" && op !== "replace")
    throw invalidSyntax("The op of an operation is add, remove or replace.");
  const path = member(operation, "path");
  if (path !== undefined && path !== null && typeof path !== "string")
    throw invalidSyntax("The path of an operation is a string.");
  const value = member(operation, "value");
  if (op !== "remove" && value === undefined) throw invalidSyntax(`An operation ${op} needs a value.`);
  if (op === "remove" && !path)
    throw new ScimError(400, "noTarget", "An operation remove needs a path (RFC 7644 §3.5.2.2).");
  return { op, path: path || undefined, value };
}

function member(holder: Record<string, JsonValue>, name: string): JsonValue | undefined {
  const wanted = name.toLowerCase();
  return Object.entries(holder).find(([key]) => key.toLowerCase() === wanted)?.[1];
}

function invalidSyntax(detail: string): ScimError {
  return new ScimError(400, "invalidSyntax", detail);
}
