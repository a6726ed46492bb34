/** The policy that a sign-in is held to, and what a user has to answer it with. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { isSetByMail } from "../passwords/service.ts";
import type { Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import {
  beyondMailbox,
  type EnrollableMethod,
  type FirstFactor,
  isEnrollable,
  type MfaPolicy,
  type SecondFactorMethod,
  secondFactorMethods,
  strictestPolicy,
} from "./model.ts";
import { findMethods, lockMethods } from "./repo.ts";

/** @param stricter what organizations ask for beyond the tenant: whatever any of them asks for, holds */
export function policyOf(tenant: Tenant, ...stricter: readonly MfaPolicy[]): MfaPolicy {
  const { settings } = tenant;
  return strictestPolicy(
    {
      enforcement: settings.mfa_enforcement,
      methods: settings.mfa_methods,
      trustedDeviceDays: settings.trusted_device_days,
    },
    ...stricter,
  );
}

/** The second factors that work for a user, whatever the policy: set up, or theirs by a verified address. */
export async function methodsOf(deps: Deps, user: User): Promise<SecondFactorMethod[]> {
  const has = await findMethods(deps.db, user.tenantId, user.id);
  return secondFactorMethods.filter((method) => has[method]);
}

/** The same, as far as they prove more than the first factor did. */
export async function methodsBeyond(
  deps: Deps,
  policy: MfaPolicy,
  user: User,
  first: FirstFactor,
): Promise<SecondFactorMethod[]> {
  const available = await methodsOf(deps, user);
  const mailed = [available, policy.methods].every((methods) => methods.includes("email_code"));
  const repeats =
    mailed && first.method === "password" && (await isSetByMail(deps.db, user.tenantId, user.id));
  return repeats ? beyondMailbox(available, policy) : available;
}

/**
 * What a user has set up, in a transaction that adds to it or takes from it: no other one does so before its end.
 */
export async function lockFactors(
  executor: Executor,
  user: Pick<User, "id" | "tenantId">,
): Promise<EnrollableMethod[]> {
  const has = await lockMethods(executor, user.tenantId, user.id);
  return secondFactorMethods.filter(isEnrollable).filter((method) => has[method]);
}

/** Whether a user set up a second factor that the policy counts. */
export async function hasSecondFactor(deps: Deps, policy: MfaPolicy, user: User): Promise<boolean> {
  if (policy.enforcement === "off") return false;
  const methods = await methodsOf(deps, user);
  return methods.some((method) => isEnrollable(method) && policy.methods.includes(method));
}
