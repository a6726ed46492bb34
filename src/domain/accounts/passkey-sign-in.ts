/** Signing in with a passkey and nothing else. */
import type { Deps } from "../../deps.ts";
import * as audit from "../audit/service.ts";
import {
  type AssertionPurpose,
  AssertionRefused,
  type AuthenticationResponseJSON,
  checkAssertion,
  findClaimedPasskey,
  provenPasskey,
  type ProvenPasskey,
} from "../passkeys/assertions.ts";
import { beginAttempt } from "../protection/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Session } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { findUserById, type User } from "../users/service.ts";
import {
  type BrowserSignIn,
  continueBrowser,
  continueNative,
  type FirstProof,
  type NativeSignIn,
  type SignInStep,
} from "./complete-sign-in.ts";
import { invalidCredentials, requireVerifiedEmail } from "./refusals.ts";

const SIGN_IN: AssertionPurpose = "sign_in";

/** @throws AppError 401 for whatever is wrong; 403 `email_not_verified`, `user_verification_required`; 429 */
export function signInNativeByPasskey(
  deps: Deps,
  tenant: Tenant,
  response: AuthenticationResponseJSON,
  context: RequestContext,
): Promise<SignInStep<NativeSignIn>> {
  return withPasskey(deps, tenant, response, context, (proof) =>
    continueNative(deps, tenant, proof, { deviceToken: undefined, context }),
  );
}

/** @throws AppError 401 for whatever is wrong; 403 `email_not_verified`, `user_verification_required`; 429 */
export function signInBrowserByPasskey(
  deps: Deps,
  tenant: Tenant,
  response: AuthenticationResponseJSON,
  options: { rememberMe: boolean; before: Session | undefined; context: RequestContext },
): Promise<SignInStep<BrowserSignIn>> {
  return withPasskey(deps, tenant, response, options.context, (proof) =>
    continueBrowser(deps, tenant, proof, { ...options, deviceToken: undefined }),
  );
}

/** The counter of a passkey did not move on: there may be two of it. */
class CounterRegressed extends Error {
  override readonly name = "CounterRegressed";
}

async function withPasskey<Result>(
  deps: Deps,
  tenant: Tenant,
  response: AuthenticationResponseJSON,
  context: RequestContext,
  then: (proof: FirstProof) => Promise<Result>,
): Promise<Result> {
  const claimed = await findClaimedPasskey(deps, tenant, response);
  const user = claimed && (await findUserById(deps, tenant.id, claimed.userId));
  const attempt = await beginAttempt(deps, tenant, {
    user,
    identifier: response.id,
    context,
    method: "webauthn",
  });
  const refuse = async (reason: string) => {
    await attempt.failed();
    await noteFailure(deps, tenant, user, attempt.admitted ? reason : "locked", context);
    return invalidCredentials();
  };
  const proven = await prove(deps, tenant, claimed, response);
  if (typeof proven === "string") throw await refuse(proven);
  if (!user?.enabled || !attempt.admitted) throw await refuse("disabled");
  const factor = provenPasskey(deps, proven, context);
  try {
    requireVerifiedEmail(tenant, user);
    const result = await then({
      user,
      first: { method: "passkey", amr: factor.amr },
      async redeem(executor) {
        if (!(await factor.redeem(executor))) throw new CounterRegressed();
      },
    });
    await attempt.passed();
    return result;
  } catch (error) {
    if (!(error instanceof CounterRegressed)) {
      // The passkey was right, whatever else was not.
      await attempt.passed();
      throw error;
    }
    await factor.lost?.();
    throw await refuse("counter_regressed");
  }
}

/** @returns why not, for the audit trail */
async function prove(
  deps: Deps,
  tenant: Tenant,
  claimed: Awaited<ReturnType<typeof findClaimedPasskey>>,
  response: AuthenticationResponseJSON,
): Promise<ProvenPasskey | string> {
  try {
    return await checkAssertion(deps, tenant, claimed, response, { purpose: SIGN_IN, userId: undefined });
  } catch (error) {
    if (error instanceof AssertionRefused) return error.reason;
    throw error;
  }
}

async function noteFailure(
  deps: Deps,
  tenant: Tenant,
  user: User | undefined,
  reason: string,
  context: RequestContext,
): Promise<void> {
  await audit.record(deps.db, {
    tenantId: tenant.id,
    type: "user.login_failed",
    actor: { type: "anonymous" },
    ...(user ? { target: { type: "user", id: user.id } } : {}),
    details: { method: "passkey", reason },
    context,
    now: deps.clock.now(),
  });
}
