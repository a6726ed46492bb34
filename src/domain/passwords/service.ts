import { validationError } from "../../lib/errors.ts";
import type { TenantSettings } from "../tenants/settings.ts";
import { passwordProblem } from "./policy.ts";

export { PASSWORD_MAX_LENGTH, passwordProblem } from "./policy.ts";
export { isCurrentHash, replaceHash, upsertPassword } from "./repo.ts";

/** @throws AppError 422 that names `field` when the password does not keep the tenant's policy. */
export function requireGoodPassword(password: string, settings: TenantSettings, field = "password"): void {
  const problem = passwordProblem(password, settings);
  if (problem) throw validationError([{ field, message: problem }]);
}
