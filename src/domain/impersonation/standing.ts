/** Whether an administrator may still be signed in as a user. Asked at each use: nothing of it is remembered. */
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import { findTenantById } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import * as repo from "./repo.ts";

/** Who is signed in as somebody else, and why. */
export interface Impersonation {
  readonly id: Id<"impersonation">;
  readonly impersonator: User;
  readonly reason: string;
}

/** Nobody is signed in as by their equals: who administers would get by it what they are not to have. */
const rankOf = (roles: readonly string[]) =>
  roles.includes("super_admin") ? 2 : roles.includes("admin") ? 1 : 0;

/** @param by the roles of who would act @param as those of whom they would act as */
export function mayImpersonate(by: readonly string[], as: readonly string[]): boolean {
  return rankOf(by) > rankOf(as);
}

/**
 * The impersonation, while it stands: the tenant allows it, the administrator's own session lives, and their roles are
 * above the user's.
 */
export async function findStandingImpersonation(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: Id<"impersonation">,
  user: Pick<User, "id" | "roles">,
): Promise<Impersonation | undefined> {
  const [tenant, found] = await Promise.all([
    findTenantById(deps, tenantId),
    repo.findImpersonation(deps.db, tenantId, id),
  ]);
  if (!tenant?.settings.impersonation_enabled || found?.impersonation.userId !== user.id) return undefined;
  return stands(found, user, deps.clock.now())
    ? { id, impersonator: found.impersonator, reason: found.impersonation.reason }
    : undefined;
}

export function stands(
  { impersonator, session }: repo.FoundImpersonation,
  user: Pick<User, "roles">,
  now: Date,
): boolean {
  const signedIn = !session.revokedAt && session.expiresAt > now;
  return signedIn && impersonator.enabled && mayImpersonate(impersonator.roles, user.roles);
}

/** For a token that names an actor: whether its session is no impersonation, or one that stands. */
export async function mayStillActIn(
  deps: Deps,
  tenantId: Id<"tenant">,
  sessionId: Id<"session">,
  user: Pick<User, "id" | "roles">,
): Promise<boolean> {
  const id = await repo.findImpersonationId(deps.db, tenantId, sessionId);
  return id === null || (await findStandingImpersonation(deps, tenantId, id, user)) !== undefined;
}
