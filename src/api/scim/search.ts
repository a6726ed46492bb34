import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { searchScimGroups } from "../../domain/scim-groups/service.ts";
import { searchScimUsers } from "../../domain/scim-users/service.ts";
import { jsonBody } from "../../http/json-body.ts";
import { ScimError } from "../../protocol/scim/error.ts";
import {
  listResponse,
  readSearch,
  readSearchBody,
  type SearchParameters,
  searchParametersOf,
  type SearchRequest,
} from "../../protocol/scim/list.ts";
import { project } from "../../protocol/scim/projection.ts";
import type { ResourceSchema } from "../../protocol/scim/resource-schema.ts";
import type { JsonObject } from "../../protocol/scim/resource.ts";
import { readBody, respond, ScimBody, scimDetail, scimErrors, ScimResource } from "./codec.ts";
import { groupsBy } from "./groups.ts";
import { type ScimCaller, scimScope } from "./scope.ts";
import { usersBy } from "./users.ts";

interface Found {
  totalResults: number;
  resources: JsonObject[];
  nextCursor: string | undefined;
}

interface Searchable {
  readonly schema: ResourceSchema;
  search(request: SearchRequest): Promise<Found>;
}

const usersOf = (deps: Deps, caller: ScimCaller): Searchable => {
  const by = usersBy(caller);
  return { schema: by.schema, search: (request) => searchScimUsers(deps, by, request) };
};

const groupsOf = (deps: Deps, caller: ScimCaller): Searchable => {
  const by = groupsBy(caller);
  return { schema: by.schema, search: (request) => searchScimGroups(deps, by, request) };
};

async function answer({ schema, search }: Searchable, parameters: SearchParameters): Promise<Response> {
  const request = readSearch(schema, parameters);
  const { totalResults, resources, nextCursor } = await search(request);
  return respond(
    listResponse({
      totalResults,
      resources: resources.map((resource) => project(schema, resource, request.projection)),
      nextCursor,
      ...(request.cursor === undefined ? { startIndex: request.startIndex } : {}),
    }),
  );
}

const documented = (summary: string, description: string) => ({
  response: { 200: ScimResource, ...scimErrors },
  detail: scimDetail(summary, description),
});

const posted = { parse: jsonBody, body: ScimBody };

/** Lists and searches: by query, or by a POST that keeps what is searched for out of addresses and logs. */
export const scimSearchRoutes = (deps: Deps) =>
  new Elysia({ name: "scim-search" })
    .use(scimScope(deps))
    .get(
      "/scim/v2/Users",
      ({ caller, request }) =>
        answer(usersOf(deps, caller), searchParametersOf(new URL(request.url).searchParams)),
      documented("List SCIM users", "RFC 7644 §3.4.2; pages by index, or by cursor (RFC 9865)"),
    )
    .get(
      "/scim/v2/Groups",
      ({ caller, request }) =>
        answer(groupsOf(deps, caller), searchParametersOf(new URL(request.url).searchParams)),
      documented("List SCIM groups", "RFC 7644 §3.4.2; pages by index, or by cursor (RFC 9865)"),
    )
    .post(
      "/scim/v2/Users/.search",
      ({ caller, request, body }) => answer(usersOf(deps, caller), readSearchBody(readBody(request, body))),
      { ...posted, ...documented("Search SCIM users", "RFC 7644 §3.4.3") },
    )
    .post(
      "/scim/v2/Groups/.search",
      ({ caller, request, body }) => answer(groupsOf(deps, caller), readSearchBody(readBody(request, body))),
      { ...posted, ...documented("Search SCIM groups", "RFC 7644 §3.4.3") },
    )
    .post(
      "/scim/v2/.search",
      async ({ caller, request, body }) =>
        respond(await searchAll(deps, caller, readSearchBody(readBody(request, body)))),
      { ...posted, ...documented("Search all SCIM resources", "RFC 7644 §3.4.3") },
    );

/** Users first, then groups, in one list of pages. A type that does not have an attribute of the filter has no matches. */
async function searchAll(deps: Deps, caller: ScimCaller, parameters: SearchParameters): Promise<JsonObject> {
  if (parameters["cursor"] !== undefined)
    throw new ScimError(400, "invalidValue", "Pages over all types come by startIndex.");
  const types = [usersOf(deps, caller), groupsOf(deps, caller)];
  const readable = types.flatMap((type) => {
    const request = readableBy(type, parameters);
    return request instanceof ScimError ? [] : [{ type, request }];
  });
  const [first] = readable;
  if (!first) throw readableBy(types[0] ?? usersOf(deps, caller), parameters);
  const resources: JsonObject[] = [];
  let totalResults = 0;
  for (const { type, request } of readable) {
    // What the types before it hold counts towards the index.
    const startIndex = Math.max(1, first.request.startIndex - totalResults);
    const count = first.request.count - resources.length;
    const found = await type.search({ ...request, startIndex, count });
    totalResults += found.totalResults;
    resources.push(...found.resources.map((resource) => project(type.schema, resource, request.projection)));
  }
  return listResponse({ totalResults, resources, startIndex: first.request.startIndex });
}

function readableBy({ schema }: Searchable, parameters: SearchParameters): SearchRequest | ScimError {
  try {
    return readSearch(schema, parameters);
  } catch (error) {
    if (error instanceof ScimError) return error;
    throw error;
  }
}
