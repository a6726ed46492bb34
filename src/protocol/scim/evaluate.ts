/** Filters on resources in memory: what value paths of PATCH are decided by, and what SQL has to agree with. */
import type { Attribute } from "./attribute.ts";
import { type ComparisonOperator, type ComparisonValue, type Filter, targetOf } from "./filter.ts";
import type { AttributePath } from "./resource-schema.ts";
import { isPresent, type JsonObject, type JsonValue, memberOf, valuesOf } from "./resource.ts";

/** Whether the resource fulfils the filter (RFC 7644 §3.4.2.2). */
export function matches(filter: Filter, resource: JsonObject): boolean {
  return evaluate(filter, (path) => valuesAt(path, resource));
}

/** Whether one element of a multi-valued attribute fulfils the filter of a value path. */
export function elementMatches(filter: Filter, element: JsonValue): boolean {
  return evaluate(filter, ({ subAttribute }) =>
    subAttribute ? subValues(element, subAttribute) : [element],
  );
}

function evaluate(filter: Filter, valuesOfPath: (path: AttributePath) => JsonValue[]): boolean {
  switch (filter.op) {
    case "and":
      return evaluate(filter.left, valuesOfPath) && evaluate(filter.right, valuesOfPath);
    case "or":
      return evaluate(filter.left, valuesOfPath) || evaluate(filter.right, valuesOfPath);
    case "not":
      return !evaluate(filter.filter, valuesOfPath);
    case "pr":
      return valuesOfPath(filter.path).some(isPresent);
    case "element":
      return valuesOfPath(filter.path).some((element) => elementMatches(filter.filter, element));
    default:
      return compareAny(filter.op, filter.path, valuesOfPath(filter.path), filter.value);
  }
}

/**
 * `ne` is what `eq` is not: true also where there is no value. Of several values one has to fulfil the comparison.
 */
function compareAny(
  op: ComparisonOperator,
  path: AttributePath,
  values: JsonValue[],
  wanted: ComparisonValue,
): boolean {
  if (op === "ne") return !compareAny("eq", path, values, wanted);
  const attribute = targetOf(path);
  return values.some((value) => isPresent(value) && compare(op, attribute, value, wanted));
}

function compare(
  op: Exclude<ComparisonOperator, "ne">,
  attribute: Attribute,
  value: JsonValue,
  wanted: ComparisonValue,
): boolean {
  const left = comparisonKey(attribute, value);
  const right = comparisonKey(attribute, wanted);
  if (left === undefined || right === undefined) return false;
  switch (op) {
    case "eq":
      return left === right;
    case "co":
      return String(left).includes(String(right));
    case "sw":
      return String(left).startsWith(String(right));
    case "ew":
      return String(left).endsWith(String(right));
    case "gt":
      return order(left, right) > 0;
    case "ge":
      return order(left, right) >= 0;
    case "lt":
      return order(left, right) < 0;
    case "le":
      return order(left, right) <= 0;
  }
}

/** Text by its UTF-8 bytes, which is by code points; everything else by size. */
function order(left: string | number | boolean, right: string | number | boolean): number {
  if (typeof left === "string" && typeof right === "string")
    return Buffer.compare(Buffer.from(left), Buffer.from(right));
  return Number(left) - Number(right);
}

/** What is compared: without case unless the schema says so, moments by time, text by code points as the database does. */
function comparisonKey(attribute: Attribute, value: JsonValue): string | number | boolean | undefined {
  if (attribute.type === "dateTime") return typeof value === "string" ? Date.parse(value) : undefined;
  if (typeof value === "string") return attribute.caseExact ? value : value.toLowerCase();
  return typeof value === "number" || typeof value === "boolean" ? value : undefined;
}

function valuesAt(path: AttributePath, resource: JsonObject): JsonValue[] {
  const holder = path.extension === undefined ? resource : memberOf(resource, path.extension);
  const values = valuesOf(memberOf(holder, path.attribute.name));
  const { subAttribute } = path;
  return subAttribute ? values.flatMap((value) => subValues(value, subAttribute)) : values;
}

function subValues(value: JsonValue, subAttribute: Attribute): JsonValue[] {
  return valuesOf(memberOf(value, subAttribute.name));
}
