import type { Deps } from "../../deps.ts";
import type { Executor } from "../../db/client.ts";
import { type Id, isId } from "../../lib/ids.ts";
import { ScimError } from "../../protocol/scim/error.ts";
import type { SearchRequest } from "../../protocol/scim/list.ts";
import type { Projection } from "../../protocol/scim/projection.ts";
import type { JsonObject } from "../../protocol/scim/resource.ts";
import { GROUP_SCHEMA } from "../../protocol/scim/schemas.ts";
import { type Provisioning, scopeOf, totalOf, versionOf } from "../scim-users/service.ts";
import * as repo from "./repo.ts";
import { groupCondition, groupOrder } from "./search/service.ts";

export const groupNotFound = (id: string) =>
  new ScimError(404, undefined, `There is no group ${JSON.stringify(id.slice(0, 64))}.`);

/** @param page of its members; without one, all of them @throws ScimError 404, the same for a group of somebody else's */
export async function findScimGroup(
  deps: Deps,
  by: Provisioning,
  id: string,
  projection: Projection,
  page?: repo.MemberPage,
): Promise<JsonObject> {
  const group = isId("group", id) ? await repo.findGroup(deps.db, scopeOf(by), id) : undefined;
  if (!group) throw groupNotFound(id);
  const [resource] = await groupResources(deps.db, by, [group], projection, page);
  if (!resource) throw groupNotFound(id);
  return resource;
}

/** @throws ScimError invalidFilter, invalidPath or invalidCursor */
export async function searchScimGroups(
  deps: Deps,
  by: Provisioning,
  search: SearchRequest,
): Promise<{ totalResults: number; resources: JsonObject[]; nextCursor: string | undefined }> {
  const scope = scopeOf(by);
  const condition = search.filter && groupCondition(search.filter, scope);
  const order = groupOrder(search.sortBy, search.descending);
  if (!order) throw new ScimError(400, "invalidPath", "Groups cannot be sorted by this attribute.");
  const count = () => repo.countGroups(deps.db, scope, condition);
  if (search.count === 0) return { totalResults: await count(), resources: [], nextCursor: undefined };
  const page =
    search.cursor === undefined
      ? { order, limit: search.count, offset: search.startIndex - 1 }
      : { order: repo.byId, limit: search.count + 1, offset: 0, after: afterOf(search.cursor) };
  const found = await repo.findPage(deps.db, scope, { condition, ...page });
  const totalResults = totalOf(found.length, page) ?? (await count());
  const groups = found.slice(0, search.count);
  return {
    totalResults,
    resources: await groupResources(deps.db, by, groups, search.projection),
    nextCursor: found.length > groups.length ? groups.at(-1)?.id : undefined,
  };
}

function afterOf(cursor: string): Id<"group"> | undefined {
  if (cursor === "") return undefined;
  if (!isId("group", cursor)) throw new ScimError(400, "invalidCursor", "The cursor is not one of ours.");
  return cursor;
}

/** Members are read only where the answer shows them: a group may have very many. */
async function groupResources(
  executor: Executor,
  by: Provisioning,
  groups: readonly repo.ScimGroup[],
  projection: Projection,
  page?: repo.MemberPage,
): Promise<JsonObject[]> {
  const wanted = showsMembers(projection) ? groups.map(({ id }) => id) : [];
  const members = await repo.findMembers(executor, by.tenant.id, wanted, page);
  return groups.map((group) => groupResource(by, group, members.get(group.id) ?? []));
}

function showsMembers({ only, without }: Projection): boolean {
  if (only) return [...only].some((key) => key === "/members" || key.startsWith("/members."));
  return !without.has("/members");
}

function groupResource(by: Provisioning, group: repo.ScimGroup, members: readonly repo.Member[]): JsonObject {
  const resource: JsonObject = {
    schemas: [GROUP_SCHEMA],
    id: group.id,
    displayName: group.displayName,
  };
  if (group.externalId !== null) resource["externalId"] = group.externalId;
  if (members.length > 0) {
    resource["members"] = members.map(({ id, display }) => {
      const type = isId("group", id) ? "Group" : "User";
      return { value: id, $ref: `${by.baseUrl}/${type}s/${id}`, type, display };
    });
  }
  resource["meta"] = {
    resourceType: "Group",
    created: group.createdAt.toISOString(),
    lastModified: group.updatedAt.toISOString(),
    location: `${by.baseUrl}/Groups/${group.id}`,
    version: groupVersion(group),
  };
  return resource;
}

/** By what every change of a group changes; its members need not be read for it. */
export function groupVersion({ id, displayName, externalId, updatedAt }: repo.ScimGroup): string {
  return versionOf({ id, displayName, externalId, updatedAt: updatedAt.toISOString() });
}
