/**
 * PATCH (RFC 7644 §3.5.2) on a resource in memory. All operations or none: what is given stays as it is, the changed
 * resource is a new one.
 */
import type { Attribute } from "./attribute.ts";
import { ScimError } from "./error.ts";
import { elementMatches } from "./evaluate.ts";
import type { Filter } from "./filter.ts";
import { type PatchOperation } from "./patch-request.ts";
import { invalidPath, parsePatchPath, type PatchPath, unknownPath } from "./patch-path.ts";
import type { AttributePath, ResourceSchema } from "./resource-schema.ts";
import {
  invalidValue,
  isObject,
  isPresent,
  type JsonObject,
  type JsonValue,
  memberOf,
  normalizeValue,
  valuesOf,
} from "./resource.ts";

/**
 * @param resource what the client may write of it, in our spelling (`normalizeResource`)
 * @throws ScimError invalidPath, noTarget, mutability or invalidValue
 */
export function applyPatch(
  schema: ResourceSchema,
  resource: JsonObject,
  operations: readonly PatchOperation[],
): JsonObject {
  const changed = structuredClone(resource);
  for (const { op, path, value } of operations) {
    if (path === undefined) applyToMany(schema, changed, op, value);
    else {
      const target = parsePatchPath(schema, path);
      if (!target) throw unknownPath(path);
      requireWritable(target);
      apply(schema, changed, op, target, value);
    }
  }
  return withoutUnassigned(changed);
}

/**
 * Without a path the value is a set of attributes. Keys may be paths themselves: Entra ID writes "name.givenName" and
 * `emails[type eq "work"].value` there. What we do not know, or is not the client's to set, is passed over, as in a
 * whole resource.
 */
function applyToMany(
  schema: ResourceSchema,
  resource: JsonObject,
  op: PatchOperation["op"],
  value: JsonValue | undefined,
): void {
  if (!isObject(value)) throw invalidPath("An operation without a path needs an object of attributes.");
  for (const [name, member] of Object.entries(value)) {
    const target = parsePatchPath(schema, name);
    if (target && isWritable(target)) apply(schema, resource, op, target, member);
  }
}

function apply(
  schema: ResourceSchema,
  resource: JsonObject,
  op: PatchOperation["op"],
  target: PatchPath,
  value: JsonValue | undefined,
): void {
  if (target.kind === "extension") {
    if (op === "remove") delete resource[target.urn];
    else if (isObject(value)) {
      const names = Object.entries(value).map(([name, member]) => [`${target.urn}:${name}`, member] as const);
      applyToMany(schema, resource, op, Object.fromEntries(names));
    } else throw invalidPath("An extension needs an object of attributes.");
    return;
  }
  const holder = holderOf(resource, target.path);
  const removes = op === "remove" || value === null || value === undefined;
  if (target.kind === "elements") {
    if (removes) removeFromElements(holder, target);
    else changeElements(holder, target, op, value);
  } else if (target.path.subAttribute) {
    changeSubAttribute(holder, target.path.attribute, target.path.subAttribute, removes ? null : value);
  } else if (removes) removeAttribute(holder, target.path.attribute, op === "remove" ? value : undefined);
  else changeAttribute(holder, target.path.attribute, op, value);
}

/** Where the attribute stands: the resource, or the object of its extension. */
function holderOf(resource: JsonObject, { extension }: AttributePath): JsonObject {
  if (extension === undefined) return resource;
  const existing = resource[extension];
  if (isObject(existing)) return existing;
  const made: JsonObject = {};
  resource[extension] = made;
  return made;
}

/** Sub-attributes that are not mentioned stay (RFC 7644 §3.5.2.3); `add` to a list adds what is not in it (§3.5.2.1). */
function changeAttribute(
  holder: JsonObject,
  attribute: Attribute,
  op: "add" | "replace" | "remove",
  value: JsonValue,
): void {
  const normalized = normalizeValue(attribute, value);
  const before = memberOf(holder, attribute.name);
  if (normalized === undefined) {
    if (op === "replace") removeAttribute(holder, attribute, undefined);
    return;
  }
  requireUnset(attribute, before, normalized);
  if (attribute.multiValued && op === "add")
    holder[attribute.name] = withAdded(attribute, valuesOf(before), valuesOf(normalized));
  else if (isObject(normalized) && isObject(before)) holder[attribute.name] = { ...before, ...normalized };
  else holder[attribute.name] = normalized;
}

function withAdded(attribute: Attribute, before: JsonValue[], added: JsonValue[]): JsonValue[] {
  const known = new Set(before.map(identity));
  const fresh = added.filter((value) => !known.has(identity(value)) && known.add(identity(value)));
  if (fresh.length === 0) return before;
  const merged = normalizeValue(attribute, [...before, ...fresh]);
  return valuesOf(merged);
}

/** Members are the same when their values are, whatever else is said of them; everything else when all is. */
function identity(value: JsonValue): string {
  if (!isObject(value)) return JSON.stringify(value);
  return JSON.stringify(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function removeAttribute(holder: JsonObject, attribute: Attribute, listed: JsonValue | undefined): void {
  // Entra ID lists members to be removed in `value`, without a filter.
  if (attribute.multiValued && listed !== undefined && listed !== null) {
    const normalized = valuesOf(normalizeValue(attribute, listed));
    const gone = new Set(normalized.map(valueOf));
    const left = valuesOf(holder[attribute.name]).filter((element) => !gone.has(valueOf(element)));
    holder[attribute.name] = left;
    return;
  }
  if (attribute.required) throw mutability(attribute, "is required and cannot be removed");
  if (attribute.mutability === "immutable" && isPresent(holder[attribute.name]))
    throw mutability(attribute, "cannot be changed once it is set");
  delete holder[attribute.name];
}

const valueOf = (element: JsonValue): string => JSON.stringify(memberOf(element, "value") ?? element);

function changeSubAttribute(
  holder: JsonObject,
  attribute: Attribute,
  subAttribute: Attribute,
  value: JsonValue,
): void {
  const normalized = value === null ? undefined : normalizeValue(subAttribute, value);
  const before = memberOf(holder, attribute.name);
  // Of a multi-valued attribute, without a filter: of each element there is (RFC 7644 §3.5.2.3).
  if (attribute.multiValued) {
    const elements = valuesOf(before);
    if (elements.length === 0 && normalized !== undefined)
      holder[attribute.name] = [{ [subAttribute.name]: normalized }];
    else holder[attribute.name] = elements.map((element) => withMember(element, subAttribute, normalized));
    return;
  }
  holder[attribute.name] = withMember(before ?? {}, subAttribute, normalized);
}

function withMember(element: JsonValue, subAttribute: Attribute, value: JsonValue | undefined): JsonObject {
  const members = isObject(element) ? element : {};
  if (value === undefined) {
    const { [subAttribute.name]: _, ...others } = members;
    return others;
  }
  requireUnset(subAttribute, members[subAttribute.name], value);
  return { ...members, [subAttribute.name]: value };
}

type Elements = Extract<PatchPath, { kind: "elements" }>;

function removeFromElements(holder: JsonObject, { path, filter, subAttribute }: Elements): void {
  const { name } = path.attribute;
  const elements = valuesOf(holder[name]);
  holder[name] = subAttribute
    ? elements.map((element) =>
        elementMatches(filter, element) ? withMember(element, subAttribute, undefined) : element,
      )
    : elements.filter((element) => !elementMatches(filter, element));
}

/**
 * Where nothing fulfils the filter, RFC 7644 §3.5.2.3 has a whole element refused with noTarget. A sub-attribute of it
 * is added as a new element when the filter says what that element is (`emails[type eq "work"].value`): Entra ID
 * sends both add and replace for addresses that are not there yet, and never gets further otherwise.
 */
function changeElements(
  holder: JsonObject,
  { path, filter, subAttribute }: Elements,
  op: PatchOperation["op"],
  value: JsonValue,
): void {
  const { attribute } = path;
  const elements = valuesOf(holder[attribute.name]);
  const chosen = elements.map((element) => elementMatches(filter, element));
  const change = subAttribute ? normalizeValue(subAttribute, value) : single(attribute, value);
  if (change === undefined) return;
  if (chosen.includes(true)) {
    const changed = elements.map((element, index) => {
      if (!chosen[index]) return element;
      if (subAttribute) return withMember(element, subAttribute, change);
      return op === "add" && isObject(element) && isObject(change) ? { ...element, ...change } : change;
    });
    holder[attribute.name] = demotingOthers(changed, chosen);
    return;
  }
  const made = described(filter);
  if (!made || (op === "replace" && !subAttribute))
    throw new ScimError(400, "noTarget", `No element of ${attribute.name} fulfils the filter.`);
  const added = subAttribute
    ? { ...made, [subAttribute.name]: change }
    : { ...made, ...(isObject(change) ? change : { value: change }) };
  holder[attribute.name] = demotingOthers([...elements, added], [...chosen, true]);
}

function single(attribute: Attribute, value: JsonValue): JsonValue | undefined {
  const values = valuesOf(normalizeValue(attribute, value));
  if (values.length > 1) throw invalidValue(attribute.name, "must be one value here");
  return values[0];
}

/** What became primary takes it from the others (RFC 7643 §2.4). */
function demotingOthers(elements: JsonValue[], changed: readonly boolean[]): JsonValue[] {
  const primary = elements.findLastIndex(
    (element, index) => changed[index] && memberOf(element, "primary") === true,
  );
  if (primary < 0) return elements;
  return elements.map((element, index) =>
    index !== primary && isObject(element) && element["primary"] === true
      ? { ...element, primary: false }
      : element,
  );
}

/** The element that a filter of equalities describes; undefined for one that leaves anything open. */
function described(filter: Filter): JsonObject | undefined {
  if (filter.op === "eq" && filter.path.subAttribute)
    return { [filter.path.subAttribute.name]: filter.value };
  if (filter.op !== "and") return undefined;
  const left = described(filter.left);
  const right = described(filter.right);
  return left && right && { ...left, ...right };
}

function isWritable(target: PatchPath): boolean {
  if (target.kind === "extension") return true;
  const { attribute } = target.path;
  const subAttribute = target.kind === "elements" ? target.subAttribute : target.path.subAttribute;
  return attribute.mutability !== "readOnly" && subAttribute?.mutability !== "readOnly";
}

function requireWritable(target: PatchPath): void {
  if (target.kind !== "extension" && !isWritable(target))
    throw mutability(target.path.attribute, "is read-only");
}

function requireUnset(attribute: Attribute, before: JsonValue | undefined, after: JsonValue): void {
  if (attribute.mutability !== "immutable" || !isPresent(before)) return;
  if (identity(before ?? null) !== identity(after))
    throw mutability(attribute, "cannot be changed once it is set");
}

function mutability(attribute: Attribute, problem: string): ScimError {
  return new ScimError(400, "mutability", `The attribute ${attribute.name} ${problem}.`);
}

/** Empty lists and objects are unassigned (RFC 7643 §2.5). */
function withoutUnassigned(resource: JsonObject): JsonObject {
  const entries = Object.entries(resource).flatMap(([name, value]): [string, JsonValue][] => {
    if (Array.isArray(value)) {
      const elements = value.filter((element) => !isObject(element) || Object.keys(element).length > 0);
      return elements.length > 0 ? [[name, elements]] : [];
    }
    if (!isObject(value)) return [[name, value]];
    const members = withoutUnassigned(value);
    return Object.keys(members).length > 0 ? [[name, members]] : [];
  });
  return Object.fromEntries(entries);
}
