import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import {
  createScimGroup,
  deleteScimGroup,
  patchScimGroup,
  replaceScimGroup,
} from "../../domain/scim-groups/service.ts";
import {
  createScimUser,
  deleteScimUser,
  patchScimUser,
  type Provisioning,
  replaceScimUser,
} from "../../domain/scim-users/service.ts";
import { jsonBody } from "../../http/json-body.ts";
import {
  BULK_RESPONSE_SCHEMA,
  type BulkOperation,
  bulkOrder,
  readBulkRequest,
  resolveReferences,
  withoutMembers,
} from "../../protocol/scim/bulk.ts";
import { ScimError } from "../../protocol/scim/error.ts";
import { readPatchRequest } from "../../protocol/scim/patch-request.ts";
import { isObject, type JsonObject, type JsonValue, memberOf } from "../../protocol/scim/resource.ts";
import {
  errorResource,
  readBody,
  respond,
  ScimBody,
  scimDetail,
  scimErrors,
  ScimErrorResponse,
  ScimResource,
} from "./codec.ts";
import { groupsBy } from "./groups.ts";
import { type ScimCaller, scimScope } from "./scope.ts";
import { usersBy } from "./users.ts";

/** Many changes in one request, each a transaction of its own (RFC 7644 §3.7). */
export const scimBulkRoutes = (deps: Deps) =>
  new Elysia({ name: "scim-bulk" })
    .use(scimScope(deps))
    .post(
      "/scim/v2/Bulk",
      async ({ caller, request, body }) =>
        respond(await runBulk(deps, caller, readBulkRequest(readBody(request, body)))),
      {
        parse: jsonBody,
        body: ScimBody,
        response: { 200: ScimResource, 413: ScimErrorResponse, ...scimErrors },
        detail: scimDetail("Change many SCIM resources", "RFC 7644 §3.7"),
      },
    );

interface Outcome {
  readonly status: number;
  readonly location?: string | undefined;
  readonly version?: string | undefined;
  readonly response?: JsonObject;
}

/** One after the other: what an operation refers to has to be there before it. */
async function runBulk(
  deps: Deps,
  caller: ScimCaller,
  { operations, failOnErrors }: ReturnType<typeof readBulkRequest>,
): Promise<JsonObject> {
  const ids = new Map<string, string>();
  const outcomes = new Map<number, Outcome>();
  let errors = 0;
  for (const { index, leaveOut, addLater } of bulkOrder(operations)) {
    const operation = operations[index];
    if (!operation || (failOnErrors !== undefined && errors >= failOnErrors)) break;
    const before = outcomes.get(index);
    if (before && before.status >= 400) continue;
    const outcome = await attempt(deps, async () => {
      if (addLater) return addMembers(deps, caller, { operation, ids, bulkIds: addLater, made: before });
      const data = withoutMembers(operation.data, leaveOut);
      return run(deps, caller, resolved({ ...operation, data }, ids));
    });
    if (outcome.status >= 400) errors++;
    else if (operation.bulkId !== undefined && outcome.location !== undefined)
      ids.set(operation.bulkId, outcome.location.slice(outcome.location.lastIndexOf("/") + 1));
    outcomes.set(index, outcome);
  }
  const Operations = operations.flatMap((operation, index): JsonObject[] => {
    const outcome = outcomes.get(index);
    return outcome ? [outcomeResource(operation, outcome)] : [];
  });
  return { schemas: [BULK_RESPONSE_SCHEMA], Operations };
}

function outcomeResource(operation: BulkOperation, outcome: Outcome): JsonObject {
  const resource: JsonObject = { method: operation.method, status: String(outcome.status) };
  if (operation.bulkId !== undefined) resource["bulkId"] = operation.bulkId;
  if (outcome.location !== undefined) resource["location"] = outcome.location;
  if (outcome.version !== undefined) resource["version"] = outcome.version;
  if (outcome.response) resource["response"] = outcome.response;
  return resource;
}

/** One operation's failure is its own (RFC 7644 §3.7): those before it are done, and the client has to hear of them. */
async function attempt(deps: Deps, work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ScimError)) deps.log.error({ err: error }, "a bulk operation failed");
    const told = error instanceof ScimError ? error : new ScimError(500, undefined, "Something went wrong.");
    return { status: told.status, response: errorResource(told) };
  }
}

function resolved(operation: BulkOperation, ids: ReadonlyMap<string, string>): BulkOperation {
  const id = operation.id === undefined ? undefined : String(resolveReferences(operation.id, ids));
  const data = operation.data === undefined ? undefined : resolveReferences(operation.data, ids);
  return { ...operation, id, data };
}

interface ResourceActions {
  readonly by: Provisioning;
  create(data: JsonValue | undefined): Promise<JsonObject>;
  replace(
    id: string,
    data: JsonValue | undefined,
    ifMatch: (version: string) => boolean,
  ): Promise<JsonObject>;
  patch(id: string, data: JsonValue | undefined, ifMatch: (version: string) => boolean): Promise<JsonObject>;
  remove(id: string, ifMatch: (version: string) => boolean): Promise<void>;
}

function actionsOf(
  deps: Deps,
  caller: ScimCaller,
  resourceType: BulkOperation["resourceType"],
): ResourceActions {
  if (resourceType === "Users") {
    const by = usersBy(caller);
    return {
      by,
      create: (data) => createScimUser(deps, by, data),
      replace: (id, data, ifMatch) => replaceScimUser(deps, by, id, data, ifMatch),
      patch: (id, data, ifMatch) => patchScimUser(deps, by, id, readPatchRequest(data), ifMatch),
      remove: (id, ifMatch) => deleteScimUser(deps, by, id, ifMatch),
    };
  }
  const by = groupsBy(caller);
  return {
    by,
    create: (data) => createScimGroup(deps, by, data),
    replace: (id, data, ifMatch) => replaceScimGroup(deps, by, id, data, ifMatch),
    patch: (id, data, ifMatch) => patchScimGroup(deps, by, id, readPatchRequest(data), ifMatch),
    remove: (id, ifMatch) => deleteScimGroup(deps, by, id, ifMatch),
  };
}

async function run(deps: Deps, caller: ScimCaller, operation: BulkOperation): Promise<Outcome> {
  const actions = actionsOf(deps, caller, operation.resourceType);
  const { method, id = "", data, version } = operation;
  const ifMatch = (current: string) => version === undefined || version === current;
  switch (method) {
    case "POST":
      return made(201, await actions.create(data));
    case "PUT":
      return made(200, await actions.replace(id, data, ifMatch));
    case "PATCH":
      return made(200, await actions.patch(id, data, ifMatch));
    case "DELETE":
      await actions.remove(id, ifMatch);
      return { status: 204, location: `${caller.baseUrl}/${operation.resourceType}/${id}` };
  }
}

function made(status: number, resource: JsonObject): Outcome {
  const { meta } = resource;
  return {
    status,
    location: String(memberOf(meta, "location")),
    version: String(memberOf(meta, "version")),
  };
}

/** Closes a circle of references: the members that the group was made without come in now. */
async function addMembers(
  deps: Deps,
  caller: ScimCaller,
  input: {
    operation: BulkOperation;
    ids: ReadonlyMap<string, string>;
    bulkIds: readonly string[];
    made: Outcome | undefined;
  },
): Promise<Outcome> {
  const { operation, ids, bulkIds } = input;
  const { data } = operation;
  const kept = withoutMembers(data, bulkIds);
  const members = isObject(data) && Array.isArray(data["members"]) ? data["members"] : [];
  const present = isObject(kept) && Array.isArray(kept["members"]) ? kept["members"] : [];
  const value = resolveReferences(
    members.filter((member) => !present.includes(member)),
    ids,
  );
  const id = ids.get(operation.bulkId ?? "") ?? "";
  const { patch } = actionsOf(deps, caller, "Groups");
  const changed = await patch(id, { Operations: [{ op: "add", path: "members", value }] }, () => true);
  return made(input.made?.status ?? 201, changed);
}
