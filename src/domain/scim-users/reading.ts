import type { Deps } from "../../deps.ts";
import { type Id, isId } from "../../lib/ids.ts";
import { ScimError } from "../../protocol/scim/error.ts";
import type { SearchRequest } from "../../protocol/scim/list.ts";
import type { JsonObject } from "../../protocol/scim/resource.ts";
import { userResource } from "./model.ts";
import { notFound, type Provisioning, scopeOf } from "./provisioning.ts";
import * as repo from "./repo.ts";
import { userCondition, userOrder } from "./search/service.ts";

/** @throws ScimError 404, the same for a user of somebody else's */
export async function findScimUser(deps: Deps, by: Provisioning, id: string): Promise<JsonObject> {
  const user = isId("user", id) ? await repo.findUser(deps.db, scopeOf(by), id) : undefined;
  if (!user) throw notFound(id);
  return userResource(user, by.schema, by.baseUrl);
}

/** @throws ScimError invalidFilter, invalidPath or invalidCursor */
export async function searchScimUsers(
  deps: Deps,
  by: Provisioning,
  search: SearchRequest,
): Promise<{ totalResults: number; resources: JsonObject[]; nextCursor: string | undefined }> {
  const scope = scopeOf(by);
  const condition = search.filter && userCondition(search.filter, scope);
  const order = userOrder(search.sortBy, search.descending);
  if (!order) throw new ScimError(400, "invalidPath", "Users cannot be sorted by this attribute.");
  const count = () => repo.countUsers(deps.db, scope, condition);
  if (search.count === 0) return { totalResults: await count(), resources: [], nextCursor: undefined };
  const page =
    search.cursor === undefined
      ? { order, limit: search.count, offset: search.startIndex - 1 }
      : { order: repo.byId, limit: search.count + 1, offset: 0, after: afterOf(search.cursor) };
  // Without a filter there is nearly always more than a page: counting need not wait for it.
  const counted = condition ? undefined : count();
  const [found] = await Promise.all([repo.findPage(deps.db, scope, { condition, ...page }), counted]);
  const totalResults = totalOf(found.length, page) ?? (await (counted ?? count()));
  const users = found.slice(0, search.count);
  return {
    totalResults,
    resources: users.map((user) => userResource(user, by.schema, by.baseUrl)),
    nextCursor: found.length > users.length ? users.at(-1)?.id : undefined,
  };
}

/** What a page that is not full tells of the whole, without counting; undefined when it does not. */
export function totalOf(
  found: number,
  page: { limit: number; offset: number; after?: string | undefined },
): number | undefined {
  const tells = page.after === undefined && found < page.limit && (found > 0 || page.offset === 0);
  return tells ? page.offset + found : undefined;
}

/** A cursor is the last id of the page before: nothing in it is secret, and it never expires. */
function afterOf(cursor: string): Id<"user"> | undefined {
  if (cursor === "") return undefined;
  if (!isId("user", cursor)) throw new ScimError(400, "invalidCursor", "The cursor is not one of ours.");
  return cursor;
}
