/** Where each attribute of a SCIM group is in the database. */
import { type SQL, sql } from "drizzle-orm";
import { isId, uuidFromId } from "../../../lib/ids.ts";
import type { Filter } from "../../../protocol/scim/filter.ts";
import type { AttributePath } from "../../../protocol/scim/resource-schema.ts";
import { type Scope, scopeKey } from "../../scim-users/service.ts";
import { conditionOf, type Source, type SourceOf } from "../../scim-filters/service.ts";

/** @param scope within which external ids are unique @throws ScimError invalidFilter */
export function groupCondition(filter: Filter, scope: Scope): SQL {
  return conditionOf(filter, sourcesOf(scope));
}

const column = (expression: SQL): Source => ({ kind: "column", expression });

function sourcesOf(scope: Scope): SourceOf {
  return ({ attribute, subAttribute }) => {
    switch (subAttribute ? `${attribute.name}.${subAttribute.name}` : attribute.name) {
      case "id":
        return {
          kind: "special",
          otherwise: undefined,
          compare(op, value) {
            if (op === "pr") return sql`true`;
            if (op !== "eq") return undefined;
            return isId("group", value) ? sql`g.id = ${uuidFromId("group", value)}::uuid` : sql`false`;
          },
        };
      case "displayName":
        return column(sql`g.display_name`);
      case "meta.created":
        return column(sql`g.created_at`);
      case "meta.lastModified":
        return column(sql`g.updated_at`);
      case "meta.resourceType":
        return column(sql`'Group'::text`);
      case "externalId":
        return {
          kind: "special",
          compare: (op, value) =>
            op === "eq"
              ? // Without a reference to the outer row, and never null: a condition that finds by the index.
                sql`g.id in (select x.group_id from scim_external_ids x
                  where x.tenant_id = ${uuidFromId("tenant", scope.tenantId)}::uuid and x.scope = ${scopeKey(scope)}
                  and x.resource_type = 'Group' and x.external_id = ${String(value)} and x.group_id is not null)`
              : undefined,
          otherwise: column(sql`(select x.external_id from scim_external_ids x
            where x.tenant_id = g.tenant_id and x.group_id = g.id and x.scope = ${scopeKey(scope)})`),
        };
      case "members":
      case "members.value":
        return { kind: "special", compare: memberComparison, otherwise: undefined };
      default:
        return undefined;
    }
  };
}

function memberComparison(op: string, value: unknown): SQL | undefined {
  const users = sql`select 1 from group_users m where m.tenant_id = g.tenant_id and m.group_id = g.id`;
  const groups = sql`select 1 from group_groups m where m.tenant_id = g.tenant_id and m.group_id = g.id`;
  if (op === "pr") return sql`(exists (${users}) or exists (${groups}))`;
  if (op !== "eq") return undefined;
  if (isId("user", value)) return sql`exists (${users} and m.user_id = ${uuidFromId("user", value)}::uuid)`;
  if (isId("group", value))
    return sql`exists (${groups} and m.member_id = ${uuidFromId("group", value)}::uuid)`;
  return sql`false`;
}

/** @returns undefined for an attribute that cannot be sorted by */
export function groupOrder(path: AttributePath | undefined, descending: boolean): SQL | undefined {
  const direction = descending ? sql`desc nulls first` : sql`asc nulls last`;
  switch (
    path &&
    (path.subAttribute ? `${path.attribute.name}.${path.subAttribute.name}` : path.attribute.name)
  ) {
    case undefined:
      return sql`g.created_at ${direction}, g.id ${direction}`;
    case "id":
      return sql`g.id ${direction}`;
    case "displayName":
      return sql`lower(g.display_name) ${direction}, g.id`;
    case "meta.created":
      return sql`g.created_at ${direction}, g.id`;
    case "meta.lastModified":
      return sql`g.updated_at ${direction}, g.id`;
    default:
      return undefined;
  }
}
