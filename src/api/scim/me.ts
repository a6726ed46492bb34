import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { findScimUser } from "../../domain/scim-users/service.ts";
import { ScimError } from "../../protocol/scim/error.ts";
import { respondWithResource, scimDetail, scimErrors, ScimErrorResponse, ScimResource } from "./codec.ts";
import { scimScope } from "./scope.ts";
import { usersBy } from "./users.ts";

/** The caller's own user (RFC 7644 §3.11): of a person's token. A provisioning client's belongs to nobody. */
export const scimMeRoutes = (deps: Deps) =>
  new Elysia({ name: "scim-me" }).use(scimScope(deps)).get(
    "/scim/v2/Me",
    async ({ caller, request }) => {
      if (caller.actor.type !== "user")
        throw new ScimError(501, undefined, "A provisioning client's token is no user's.");
      const by = usersBy(caller);
      return respondWithResource(request, by.schema, await findScimUser(deps, by, caller.actor.id));
    },
    {
      response: { 200: ScimResource, 501: ScimErrorResponse, ...scimErrors },
      detail: scimDetail("The caller's own SCIM user", "RFC 7644 §3.11"),
    },
  );
