/**
 * What a PATCH or a PUT changes of a group (RFC 7644 §3.5), as steps on sets: a group may have more members than
 * anybody wants to read for adding one.
 */
import { ScimError } from "./error.ts";
import type { Filter } from "./filter.ts";
import { parsePatchPath, type PatchPath, unknownPath } from "./patch-path.ts";
import type { PatchOperation } from "./patch-request.ts";
import type { ResourceSchema } from "./resource-schema.ts";
import {
  invalidValue,
  isObject,
  type JsonObject,
  type JsonValue,
  memberOf,
  normalizeValue,
  valuesOf,
} from "./resource.ts";

/** In the order that they came in. `set` leaves nobody else in the group. */
export interface MemberStep {
  readonly kind: "add" | "remove" | "set";
  readonly ids: readonly string[];
}

export interface GroupChanges {
  /** Undefined: stays. */
  readonly displayName: string | undefined;
  /** Undefined: stays; null: unassigned. */
  readonly externalId: string | null | undefined;
  readonly members: readonly MemberStep[];
}

/** @throws ScimError invalidPath, invalidValue, invalidFilter or mutability */
export function groupChanges(schema: ResourceSchema, operations: readonly PatchOperation[]): GroupChanges {
  const changes: Draft = { displayName: undefined, externalId: undefined, members: [] };
  for (const { op, path, value } of operations) {
    if (path !== undefined) {
      const target = parsePatchPath(schema, path);
      if (!target) throw unknownPath(path);
      apply(changes, op, target, value, true);
      continue;
    }
    if (!isObject(value)) throw invalidValue("value", "must be an object where there is no path");
    for (const [name, member] of Object.entries(value)) {
      const target = parsePatchPath(schema, name);
      if (target) apply(changes, op, target, member, false);
    }
  }
  return changes;
}

/** A whole group: who is not in it is not a member any more. */
export function replacementOf(resource: JsonObject): GroupChanges {
  const { displayName, externalId, members } = resource;
  return {
    displayName: typeof displayName === "string" ? displayName : undefined,
    externalId: typeof externalId === "string" ? externalId : null,
    members: [{ kind: "set", ids: memberIds(valuesOf(members)) }],
  };
}

type Draft = { -readonly [Name in keyof GroupChanges]: GroupChanges[Name] } & { members: MemberStep[] };

function apply(
  changes: Draft,
  op: PatchOperation["op"],
  target: PatchPath,
  value: JsonValue | undefined,
  explicit: boolean,
): void {
  if (target.kind === "extension") return;
  const { attribute, subAttribute } = target.path;
  if (attribute.mutability === "readOnly" || attribute.name === "schemas") {
    if (explicit) throw new ScimError(400, "mutability", `The attribute ${attribute.name} is read-only.`);
    return;
  }
  if (attribute.name === "members") {
    if (subAttribute || (target.kind === "elements" && target.subAttribute))
      throw new ScimError(400, "mutability", "Members are added and removed, not changed.");
    changes.members.push(memberStep(op, target, attribute, value));
    return;
  }
  const normalized = value === undefined || value === null ? undefined : normalizeValue(attribute, value);
  const text = op === "remove" || typeof normalized !== "string" || normalized === "" ? null : normalized;
  if (attribute.name === "externalId") changes.externalId = text;
  if (attribute.name === "displayName") {
    if (text === null) throw invalidValue("displayName", "is required");
    changes.displayName = text;
  }
}

function memberStep(
  op: PatchOperation["op"],
  target: Exclude<PatchPath, { kind: "extension" }>,
  attribute: Exclude<PatchPath, { kind: "extension" }>["path"]["attribute"],
  value: JsonValue | undefined,
): MemberStep {
  if (target.kind === "elements") {
    const chosen = chosenIds(target.filter);
    if (op === "remove") return { kind: "remove", ids: chosen };
    // Who is chosen by a filter and replaced or added is who the filter names.
    return { kind: "add", ids: chosen };
  }
  const given = value === undefined || value === null ? undefined : normalizeValue(attribute, value);
  const ids = memberIds(valuesOf(given));
  if (op === "add") return { kind: "add", ids };
  // Entra ID lists in `value` whom to remove.
  if (op === "remove" && value !== undefined && value !== null) return { kind: "remove", ids };
  return { kind: "set", ids: op === "remove" ? [] : ids };
}

function memberIds(members: readonly JsonValue[]): string[] {
  const ids = members.map((member) => {
    const id = memberOf(member, "value");
    if (typeof id !== "string" || id === "") throw invalidValue("members", "needs a value for each member");
    return id;
  });
  return [...new Set(ids)];
}

/** The members that a filter names one by one: `value eq "…"`, joined by `or`. */
function chosenIds(filter: Filter): string[] {
  if (filter.op === "or") return [...chosenIds(filter.left), ...chosenIds(filter.right)];
  if (filter.op === "eq" && filter.path.subAttribute?.name === "value") return [String(filter.value)];
  throw new ScimError(400, "invalidFilter", "Members are chosen by value eq, and those joined by or.");
}
