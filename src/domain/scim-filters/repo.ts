/**
 * Filters as SQL: every value is a bound parameter, every name comes from our own tables and schemas. Each expression
 * is true or false, never null, so that `not` is what it says. `protocol/scim/evaluate.ts` says what it has to mean.
 */
import { type SQL, sql } from "drizzle-orm";
import {
  invalidFilter,
  type ComparisonOperator,
  type ComparisonValue,
  type Filter,
  targetOf,
} from "../../protocol/scim/filter.ts";
import type { Attribute } from "../../protocol/scim/attribute.ts";
import type { AttributePath } from "../../protocol/scim/resource-schema.ts";

/** Where the values of an attribute are. */
export type Source =
  /** One column, or an expression like one. */
  | { readonly kind: "column"; readonly expression: SQL }
  /** A jsonb expression: one value, or a list of them. */
  | { readonly kind: "json"; readonly expression: SQL }
  /** A query whose rows are the elements, each as jsonb in a column `value`. */
  | { readonly kind: "rows"; readonly query: SQL }
  /** Has a condition of its own for these comparisons: by an index, or where values are not stored as they are shown. */
  | { readonly kind: "special"; readonly compare: SpecialComparison; readonly otherwise: Source | undefined };

/** @returns undefined for a comparison that it has no condition for. */
export type SpecialComparison = (
  op: ComparisonOperator | "pr",
  value: ComparisonValue | undefined,
) => SQL | undefined;

/** How a type of resources is stored. @returns undefined for an attribute that cannot be searched by. */
export type SourceOf = (path: AttributePath) => Source | undefined;

/** @throws ScimError invalidFilter for an attribute, or a comparison, that cannot be searched by */
export function conditionOf(filter: Filter, sourceOf: SourceOf): SQL {
  switch (filter.op) {
    case "and":
      return sql`(${conditionOf(filter.left, sourceOf)} and ${conditionOf(filter.right, sourceOf)})`;
    case "or":
      return sql`(${conditionOf(filter.left, sourceOf)} or ${conditionOf(filter.right, sourceOf)})`;
    case "not":
      return sql`(not ${conditionOf(filter.filter, sourceOf)})`;
    case "element":
      return elementCondition(filter, sourceOf);
    case "pr":
      return comparison("pr", filter.path, undefined, sourceFor(filter.path, sourceOf));
    default:
      return comparison(filter.op, filter.path, filter.value, sourceFor(filter.path, sourceOf));
  }
}

function sourceFor(path: AttributePath, sourceOf: SourceOf): Source {
  const source = sourceOf(path);
  if (!source) throw invalidFilter(`Resources cannot be searched by ${nameOf(path)}.`);
  return source;
}

const nameOf = ({ attribute, subAttribute }: AttributePath) =>
  subAttribute ? `${attribute.name}.${subAttribute.name}` : attribute.name;

function comparison(
  op: ComparisonOperator | "pr",
  path: AttributePath,
  value: ComparisonValue | undefined,
  source: Source,
): SQL {
  if (op === "ne") return sql`(not ${comparison("eq", path, value, source)})`;
  if (source.kind === "special") {
    const special = source.compare(op, value);
    if (special) return special;
    if (!source.otherwise) throw invalidFilter(`${nameOf(path)} cannot be compared by ${op}.`);
    return comparison(op, path, value, source.otherwise);
  }
  if (source.kind === "column") return columnCondition(op, targetOf(path), value, source.expression);
  const element = sql`e.value${subAttributeOf(path)}`;
  return sql`exists (select 1 from ${elementsOf(source)} e where ${jsonCondition(op, targetOf(path), value, element)})`;
}

const subAttributeOf = ({ subAttribute }: AttributePath) =>
  subAttribute ? sql` -> ${subAttribute.name}::text` : sql``;

/** One row an element; a single value is one element. */
function elementsOf(source: Extract<Source, { kind: "json" | "rows" }>): SQL {
  if (source.kind === "rows") return sql`(${source.query})`;
  const { expression } = source;
  return sql`(select value from jsonb_array_elements(case
    when ${expression} is null or jsonb_typeof(${expression}) = 'null' then '[]'::jsonb
    when jsonb_typeof(${expression}) = 'array' then ${expression}
    else jsonb_build_array(${expression}) end))`;
}

function elementCondition(filter: Extract<Filter, { op: "element" }>, sourceOf: SourceOf): SQL {
  const source = sourceFor(filter.path, sourceOf);
  if (source.kind !== "special") return elementOf(filter, source);
  // `emails[type eq "work" and value eq "…"]` is about one value, by which there is an index: it finds, the rest decides.
  const value = valueAskedFor(filter.filter);
  const indexed = value === undefined ? undefined : source.compare("eq", value);
  if (indexed && filter.filter.op === "eq") return indexed;
  if (!source.otherwise) throw invalidFilter(`Elements of ${nameOf(filter.path)} cannot be filtered so.`);
  const rest = elementOf(filter, source.otherwise);
  return indexed ? sql`(${indexed} and ${rest})` : rest;
}

function elementOf(filter: Extract<Filter, { op: "element" }>, source: Source): SQL {
  if (source.kind === "column" || source.kind === "special")
    throw invalidFilter(`${nameOf(filter.path)} has no elements.`);
  const inner = conditionOf(filter.filter, () => ({ kind: "json", expression: sql`v.value` }));
  return sql`exists (select 1 from ${elementsOf(source)} v where ${inner})`;
}

/** What the `value` of an element has to be for the filter to be fulfilled; undefined when that is open. */
function valueAskedFor(filter: Filter): ComparisonValue | undefined {
  if (filter.op === "and") return valueAskedFor(filter.left) ?? valueAskedFor(filter.right);
  return filter.op === "eq" && filter.path.subAttribute?.name === "value" ? filter.value : undefined;
}

type PlainOperator = Exclude<ComparisonOperator, "ne"> | "pr";

function columnCondition(
  op: PlainOperator,
  attribute: Attribute,
  value: ComparisonValue | undefined,
  expression: SQL,
): SQL {
  if (attribute.type === "boolean")
    return op === "pr"
      ? sql`(${expression} is not null)`
      : sql`coalesce(${expression} = ${value === true}, false)`;
  if (attribute.type === "dateTime") {
    if (op === "pr") return sql`(${expression} is not null)`;
    return sql`coalesce(date_trunc('milliseconds', ${expression}) ${order(op)} ${String(value)}::timestamptz, false)`;
  }
  return textCondition(op, attribute, value, expression);
}

function jsonCondition(
  op: PlainOperator,
  attribute: Attribute,
  value: ComparisonValue | undefined,
  expression: SQL,
): SQL {
  if (op === "pr")
    return sql`exists (select 1 from jsonb_path_query(${expression}, 'strict $.**') p(leaf)
      where jsonb_typeof(leaf) not in ('object', 'array', 'null') and leaf <> '""')`;
  switch (attribute.type) {
    case "boolean":
      return sql`coalesce(${expression} = to_jsonb(${value === true}::boolean), false)`;
    case "integer":
    case "decimal":
      return sql`coalesce(case jsonb_typeof(${expression}) when 'number'
        then (${expression})::numeric ${order(op)} ${Number(value)}::float8::numeric end, false)`;
    case "dateTime":
      // Written by us in one form, which sorts as the moments do.
      return sql`coalesce((${expression} #>> '{}') collate "C" ${order(op)} ${String(value)}::text, false)`;
    default:
      return textCondition(op, attribute, value, sql`(${expression} #>> '{}')`);
  }
}

function textCondition(
  op: PlainOperator,
  attribute: Attribute,
  value: ComparisonValue | undefined,
  expression: SQL,
): SQL {
  if (op === "pr") return sql`coalesce(${expression} <> '', false)`;
  const left = attribute.caseExact ? expression : sql`lower(${expression})`;
  const right = attribute.caseExact ? String(value) : String(value).toLowerCase();
  // An empty string is no value, and is found by nothing.
  const present = sql`coalesce(${expression} <> '', false)`;
  switch (op) {
    case "co":
      return sql`(${present} and strpos(${left}, ${right}::text) > 0)`;
    case "sw":
      return sql`(${present} and starts_with(${left}, ${right}::text))`;
    case "ew":
      return sql`(${present} and (${right}::text = '' or right(${left}, length(${right}::text)) = ${right}::text))`;
    case "eq":
      return sql`(${present} and ${left} = ${right}::text)`;
    default:
      return sql`(${present} and ${left} collate "C" ${order(op)} ${right}::text)`;
  }
}

function order(op: PlainOperator): SQL {
  switch (op) {
    case "gt":
      return sql`>`;
    case "ge":
      return sql`>=`;
    case "lt":
      return sql`<`;
    case "le":
      return sql`<=`;
    case "eq":
      return sql`=`;
    default:
      throw invalidFilter(`${op} cannot be used with this attribute.`);
  }
}
