/** Users as SCIM shows them (RFC 7643 §4.1), and what of that is kept where. */
import { createHash } from "node:crypto";
import type { Id } from "../../lib/ids.ts";
import type { ResourceSchema } from "../../protocol/scim/resource-schema.ts";
import {
  isObject,
  isPresent,
  type JsonObject,
  type JsonValue,
  memberOf,
  valuesOf,
} from "../../protocol/scim/resource.ts";
import { profileOf } from "./profile.ts";
import type { ScimMapping } from "../organizations/service.ts";
import { USER_SCHEMA } from "../../protocol/scim/schemas.ts";

export interface ScimEmail {
  readonly value: string;
  readonly type: string | null;
  readonly display: string | null;
  readonly primary: boolean;
}

/** A user's columns, as SCIM writes and reads them. */
export interface ScimUserColumns {
  readonly username: string;
  readonly givenName: string | null;
  readonly familyName: string | null;
  readonly locale: string | null;
  readonly zoneinfo: string | null;
  readonly enabled: boolean;
  readonly externalId: string | null;
  /** The primary one first. */
  readonly emails: readonly ScimEmail[];
  /** Whether the profile was filled by an organization's own mapping; then `attributes` hold what SCIM wrote of it. */
  readonly mapped: boolean;
  /** Everything else, as SCIM writes it. */
  readonly attributes: JsonObject;
}

export interface ScimUser extends ScimUserColumns {
  readonly id: Id<"user">;
  /** Whether a provisioning client made the account, or took it over. */
  readonly managed: boolean;
  readonly groups: readonly { readonly id: Id<"group">; readonly displayName: string }[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What a client may write of a user: what PATCH works on, and what decides whether anything changed. */
export function writableResource(user: ScimUserColumns): JsonObject {
  const { attributes } = user;
  const name = isObject(attributes["name"]) ? attributes["name"] : {};
  const profile = {
    name: withoutUnassigned({ ...name, givenName: user.givenName, familyName: user.familyName }),
    locale: user.locale,
    timezone: user.zoneinfo,
  };
  return withoutUnassigned({
    ...attributes,
    ...(user.mapped ? {} : profile),
    userName: user.username,
    externalId: user.externalId,
    active: user.enabled,
    emails: user.emails.map(({ value, type, display, primary }) =>
      withoutUnassigned({ value, type, display, primary: primary || null }),
    ),
  });
}

/**
 * A client's resource as it is kept. An address says whether it is the primary one; without that, the first is.
 * @param before what stays where the resource says nothing: an absent `active` does not enable a disabled user
 */
export function columnsOf(
  resource: JsonObject,
  { schema, mapping }: { readonly schema: ResourceSchema; readonly mapping: ScimMapping },
  before?: { readonly enabled: boolean },
): ScimUserColumns {
  const { userName, externalId, active, emails, password: _, ...rest } = resource;
  const given = valuesOf(emails).flatMap((email) => emailOf(email) ?? []);
  const distinct = [...new Map(given.map((email) => [email.value.toLowerCase(), email])).values()];
  const primary = distinct.find((email) => email.primary) ?? distinct[0];
  const mapped = Object.keys(mapping).length > 0;
  return {
    ...profileOf(schema, resource, mapping),
    mapped,
    username: text(userName) ?? "",
    externalId: text(externalId),
    enabled: typeof active === "boolean" ? active : (before?.enabled ?? true),
    emails: distinct
      .map((email) => ({ ...email, primary: email === primary }))
      .toSorted((a, b) => Number(b.primary) - Number(a.primary)),
    attributes: withoutUnassigned(mapped ? rest : withoutProfile(rest)),
  };
}

/** Without what has columns of its own. */
function withoutProfile({ name, locale: _locale, timezone: _timezone, ...rest }: JsonObject): JsonObject {
  const { givenName: _givenName, familyName: _familyName, ...others } = isObject(name) ? name : {};
  return { ...rest, name: others };
}

function emailOf(email: JsonValue): ScimEmail | undefined {
  const value = text(memberOf(email, "value"))?.trim();
  if (!value) return undefined;
  return {
    value,
    type: text(memberOf(email, "type")),
    display: text(memberOf(email, "display")),
    primary: memberOf(email, "primary") === true,
  };
}

const text = (value: JsonValue | undefined): string | null =>
  typeof value === "string" && value !== "" ? value : null;

/** The whole resource with what the server says of it (RFC 7643 §3.1). */
export function userResource(user: ScimUser, schema: ResourceSchema, baseUrl: string): JsonObject {
  const writable = writableResource(user);
  const extensions = schema.extensions.map(({ id }) => id).filter((id) => isPresent(writable[id]));
  const resource: JsonObject = {
    ...writable,
    schemas: [USER_SCHEMA, ...extensions],
    id: user.id,
  };
  if (user.groups.length > 0) {
    resource["groups"] = user.groups.map(({ id, displayName }) => ({
      value: id,
      $ref: `${baseUrl}/Groups/${id}`,
      display: displayName,
      type: "direct",
    }));
  }
  resource["meta"] = {
    resourceType: "User",
    created: user.createdAt.toISOString(),
    lastModified: user.updatedAt.toISOString(),
    location: `${baseUrl}/Users/${user.id}`,
    version: versionOf(resource),
  };
  return resource;
}

/** A weak entity tag (RFC 7644 §3.14) that changes exactly when what it stands for does. */
export function versionOf(resource: JsonObject): string {
  const digest = createHash("sha256")
    .update(JSON.stringify(sorted(resource)))
    .digest("base64url");
  return `W/"${digest.slice(0, 22)}"`;
}

/** Whether two resources say the same, in whatever order their members stand. */
export function sameResource(a: JsonObject, b: JsonObject): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
}

function withoutUnassigned(members: { [name: string]: JsonValue | undefined }): JsonObject {
  const assigned: JsonObject = {};
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined || value === null || value === "") continue;
    if (Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0)
      continue;
    assigned[name] = value;
  }
  return assigned;
}
