import type { Deps } from "../../deps.ts";
import { permissionsOf } from "../../domain/roles/permissions.ts";
import type { User } from "../../domain/users/service.ts";
import { meResponse } from "./models.ts";

/** What `/me` answers of a user, with what their roles allow. */
export const meAnswer = async (deps: Deps, user: User) =>
  meResponse(user, await permissionsOf(deps, user.tenantId, user.roles));
