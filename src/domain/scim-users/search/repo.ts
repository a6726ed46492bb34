/** Where each attribute of a SCIM user is in the database, and how the indexed ones are found. */
import { type SQL, sql } from "drizzle-orm";
import { isId, uuidFromId } from "../../../lib/ids.ts";
import type { Filter } from "../../../protocol/scim/filter.ts";
import type { AttributePath } from "../../../protocol/scim/resource-schema.ts";
import {
  conditionOf,
  type Source,
  type SourceOf,
  type SpecialComparison,
} from "../../scim-filters/service.ts";
import { emailKey, usernameKey } from "../../users/service.ts";
import { type Scope, scopeKey } from "../scope.ts";

/** @param scope within which external ids are unique @throws ScimError invalidFilter */
export function userCondition(filter: Filter, scope: Scope): SQL {
  return conditionOf(filter, sourcesOf(scope));
}

function sourcesOf(scope: Scope): SourceOf {
  return ({ extension, attribute, subAttribute }) => {
    if (extension !== undefined)
      return json(sql`s.attributes -> ${extension}::text -> ${attribute.name}::text`);
    const path = subAttribute ? `${attribute.name}.${subAttribute.name}` : attribute.name;
    return specialSource(path, scope) ?? columnSource(path) ?? attributeSource(attribute.name);
  };
}

const tenantOf = ({ tenantId }: Scope) => sql`${uuidFromId("tenant", tenantId)}::uuid`;
const json = (expression: SQL): Source => ({ kind: "json", expression: sql`(${expression})` });
const column = (expression: SQL): Source => ({ kind: "column", expression });

function attributeSource(name: string): Source | undefined {
  if (name === "password" || name === "schemas" || name === "meta") return undefined;
  return json(sql`s.attributes -> ${name}::text`);
}

// Where an organization's own mapping filled the profile, SCIM shows and finds what it wrote itself.
const givenName = sql`(case when s.mapped then s.attributes -> 'name' ->> 'givenName' else u.given_name end)`;
const familyName = sql`(case when s.mapped then s.attributes -> 'name' ->> 'familyName' else u.family_name end)`;
const locale = sql`(case when s.mapped then s.attributes ->> 'locale' else u.locale end)`;
const zoneinfo = sql`(case when s.mapped then s.attributes ->> 'timezone' else u.zoneinfo end)`;

function columnSource(path: string): Source | undefined {
  switch (path) {
    case "name.givenName":
      return column(givenName);
    case "name.familyName":
      return column(familyName);
    case "name":
      return json(sql`jsonb_strip_nulls(coalesce(s.attributes -> 'name', '{}')
        || case when s.mapped then '{}' else
          jsonb_build_object('givenName', u.given_name, 'familyName', u.family_name) end)`);
    case "active":
      return column(sql`u.enabled`);
    case "locale":
      return column(locale);
    case "timezone":
      return column(zoneinfo);
    case "meta.created":
      return column(sql`u.created_at`);
    case "meta.lastModified":
      return column(sql`u.updated_at`);
    case "meta.resourceType":
      return column(sql`'User'::text`);
    case "groups":
    case "groups.display":
    case "groups.type":
      return {
        kind: "rows",
        query: sql`select jsonb_build_object('display', g.display_name, 'type', 'direct') as value
          from group_users gu join groups g on g.tenant_id = gu.tenant_id and g.id = gu.group_id
          where gu.tenant_id = u.tenant_id and gu.user_id = u.id`,
      };
    default:
      return path === "emails" || path.startsWith("emails.") ? emails : undefined;
  }
}

const emails: Source = {
  kind: "rows",
  query: sql`select jsonb_strip_nulls(jsonb_build_object('value', m.address, 'type', m.type,
      'display', m.display, 'primary', case when m.is_primary then true end)) as value
    from user_emails m where m.tenant_id = u.tenant_id and m.user_id = u.id`,
};

function specialSource(path: string, scope: Scope): Source | undefined {
  switch (path) {
    case "id":
      return special((op, value) => {
        if (op === "pr") return sql`true`;
        if (op !== "eq") return undefined;
        return isId("user", value) ? sql`u.id = ${uuidFromId("user", value)}::uuid` : sql`false`;
      });
    case "userName":
      return special(
        (op, value) => (op === "eq" ? sql`u.username_key = ${usernameKey(String(value))}` : undefined),
        column(sql`u.username`),
      );
    case "externalId":
      return special(
        (op, value) =>
          op === "eq"
            ? // Without a reference to the outer row, and never null: a condition that finds by the index.
              sql`u.id in (select x.user_id from scim_external_ids x where x.tenant_id = ${tenantOf(scope)}
                and x.scope = ${scopeKey(scope)} and x.resource_type = 'User' and x.external_id = ${String(value)}
                and x.user_id is not null)`
            : undefined,
        column(sql`(select x.external_id from scim_external_ids x
          where x.tenant_id = u.tenant_id and x.user_id = u.id and x.scope = ${scopeKey(scope)})`),
      );
    case "emails":
    case "emails.value":
      return special(
        (op, value) =>
          op === "eq"
            ? sql`exists (select 1 from user_emails m where m.tenant_id = u.tenant_id and m.user_id = u.id
                and m.address_key = ${emailKey(String(value))})`
            : undefined,
        emails,
      );
    case "groups.value":
      return special((op, value) => {
        if (op !== "eq") return undefined;
        if (!isId("group", value)) return sql`false`;
        return sql`exists (select 1 from group_users gu where gu.tenant_id = u.tenant_id and gu.user_id = u.id
          and gu.group_id = ${uuidFromId("group", value)}::uuid)`;
      });
    default:
      return undefined;
  }
}

function special(compare: SpecialComparison, otherwise?: Source): Source {
  return { kind: "special", compare, otherwise };
}

/**
 * The order of a list (RFC 7644 §3.4.2.3): by text without case, unless the schema says otherwise; users without a value
 * come last in ascending order, first in descending. Equal ones by id, so that pages do not overlap.
 * @returns undefined for an attribute that cannot be sorted by
 */
export function userOrder(path: AttributePath | undefined, descending: boolean): SQL | undefined {
  const direction = descending ? sql`desc nulls first` : sql`asc nulls last`;
  if (!path) return sql`u.created_at ${direction}, u.id ${direction}`;
  const expression = sortExpression(path);
  return expression && sql`${expression} ${direction}, u.id`;
}

function sortExpression({ extension, attribute, subAttribute }: AttributePath): SQL | undefined {
  const name = subAttribute ? `${attribute.name}.${subAttribute.name}` : attribute.name;
  if (extension !== undefined)
    return attribute.multiValued || subAttribute
      ? undefined
      : sql`lower(s.attributes -> ${extension}::text ->> ${attribute.name}::text)`;
  switch (name) {
    case "id":
      return sql`u.id`;
    case "userName":
      return sql`u.username_key`;
    case "name.givenName":
      return sql`lower(${givenName})`;
    case "name.familyName":
      return sql`lower(${familyName})`;
    case "locale":
      return sql`lower(${locale})`;
    case "timezone":
      return sql`lower(${zoneinfo})`;
    case "active":
      return sql`u.enabled`;
    case "meta.created":
      return sql`u.created_at`;
    case "meta.lastModified":
      return sql`u.updated_at`;
    case "emails":
    case "emails.value":
      // Of several values the primary one counts, or the first (§3.4.2.3).
      return sql`(select m.address_key from user_emails m where m.tenant_id = u.tenant_id and m.user_id = u.id
        order by m.is_primary desc, m.created_at, m.id limit 1)`;
    default:
      if (attribute.multiValued || attribute.type === "complex" || attribute.returned === "never")
        return undefined;
      return sql`lower(s.attributes ->> ${attribute.name}::text)`;
  }
}
