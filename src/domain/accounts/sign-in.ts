/** Signing in with a password, on the native API and on the hosted pages. */
import type { Deps } from "../../deps.ts";
import * as audit from "../audit/service.ts";
import { authenticateByDirectory } from "../ldap/sign-in.ts";
import { isCurrentHash, replaceHash } from "../passwords/service.ts";
import { FederationRefusal } from "../federation/refusals.ts";
import { type Attempt, beginAttempt } from "../protection/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Session } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { findUserByIdentifier, type User } from "../users/service.ts";
import {
  type BrowserSignIn,
  continueBrowser,
  continueNative,
  type FirstProof,
  type NativeSignIn,
  type SignInStep,
} from "./complete-sign-in.ts";
import { invalidCredentials, requireVerifiedEmail } from "./refusals.ts";

export interface Credentials {
  /** An email address or a username. */
  identifier: string;
  password: string;
}

/**
 * Checks a password. Takes as long for a user who does not exist as for one who does.
 * @throws AppError 401 for whatever is wrong; 403 `email_not_verified`, only to who knows the password; 429 for an
 *   address from which too many were wrong
 */
export async function authenticateByPassword(
  deps: Deps,
  tenant: Tenant,
  credentials: Credentials,
  context: RequestContext,
): Promise<{ user: User; hash: string }> {
  const nobody = async () => undefined;
  const { user, hash, attempt } = await checkPassword<never>(deps, tenant, credentials, context, nobody);
  await attempt.passed();
  requireVerifiedEmail(tenant, user);
  return { user, hash };
}

/** A password of ours that was right. Its attempt is still under way. */
interface RightPassword {
  readonly user: User;
  readonly hash: string;
  readonly attempt: Attempt;
}

/** @param elsewhere asked for whom else the password is right, when it is none of ours; undefined: for nobody */
async function checkPassword<Found extends { readonly user: User }>(
  deps: Deps,
  tenant: Tenant,
  credentials: Credentials,
  context: RequestContext,
  elsewhere: () => Promise<Found | undefined>,
): Promise<RightPassword | Found> {
  const user = await findUserByIdentifier(deps, tenant.id, credentials.identifier);
  const { identifier } = credentials;
  const attempt = await beginAttempt(deps, tenant, { user, identifier, context, method: "password" });
  const hash = attempt.admitted && user?.enabled ? (user.passwordHash ?? undefined) : undefined;
  const matches = await deps.passwords.verify(credentials.password, hash);
  if (!user || !hash || !matches) {
    const found = attempt.admitted ? await askElsewhere(attempt, elsewhere) : undefined;
    if (found) {
      await attempt.passed();
      requireVerifiedEmail(tenant, found.user);
      return found;
    }
    await attempt.failed();
    await audit.record(deps.db, {
      tenantId: tenant.id,
      type: "user.login_failed",
      actor: { type: "anonymous" },
      ...(user ? { target: { type: "user", id: user.id } } : {}),
      details: { method: "password", reason: attempt.admitted ? failureReason(user) : "locked" },
      context,
      now: deps.clock.now(),
    });
    throw invalidCredentials();
  }
  if (!deps.passwords.isOutdated(hash)) return { user, hash, attempt };
  await attempt.passed();
  const current = await deps.passwords.hash(credentials.password);
  // Another sign-in was quicker, or the password is another one now: look again.
  if (!(await replaceHash(deps.db, tenant.id, user.id, hash, current))) {
    return checkPassword(deps, tenant, credentials, context, elsewhere);
  }
  return { user, hash: current, attempt };
}

/** Refused is who proved who they are; a directory that does not answer leaves ours, which was wrong. */
async function askElsewhere<Found>(
  attempt: Attempt,
  elsewhere: () => Promise<Found | undefined>,
): Promise<Found | undefined> {
  try {
    return await elsewhere();
  } catch (error) {
    const right = error instanceof FederationRefusal && error.problem !== "upstream_failed";
    await (right ? attempt.passed() : attempt.failed());
    throw error;
  }
}

function failureReason(user: User | undefined): string {
  if (!user) return "unknown_user";
  return user.enabled ? "wrong_password" : "disabled";
}

/**
 * A sign-in on the hosted pages: a session that the browser keeps in a cookie, or what is still missing for one.
 * @param before the browser's session: renewed for the same user, ended for another
 */
export async function signInBrowser(
  deps: Deps,
  tenant: Tenant,
  credentials: Credentials & { rememberMe: boolean; deviceToken?: string | undefined },
  before: Session | undefined,
  context: RequestContext,
): Promise<SignInStep<BrowserSignIn>> {
  const { rememberMe, deviceToken } = credentials;
  return withPassword(deps, tenant, credentials, context, (proof) =>
    continueBrowser(deps, tenant, proof, { rememberMe, deviceToken, before, context }),
  );
}

/** A sign-in on the native API: tokens, or what is still missing for them. */
export async function signInNative(
  deps: Deps,
  tenant: Tenant,
  credentials: Credentials & { deviceToken?: string | undefined },
  context: RequestContext,
): Promise<SignInStep<NativeSignIn>> {
  const { deviceToken } = credentials;
  return withPassword(deps, tenant, credentials, context, (proof) =>
    continueNative(deps, tenant, proof, { deviceToken, context }),
  );
}

/** Goes on with a password of ours, or of a directory that the tenant's people have one in. */
async function withPassword<Result>(
  deps: Deps,
  tenant: Tenant,
  credentials: Credentials,
  context: RequestContext,
  then: (proof: FirstProof) => Promise<Result>,
): Promise<Result> {
  const proved = await checkPassword(deps, tenant, credentials, context, async () => {
    const user = await authenticateByDirectory(deps, tenant, credentials, context);
    return user && { user };
  });
  const { user } = proved;
  if (!("hash" in proved))
    // The directory said so a moment ago, and would have to be asked to say it again.
    return then({ user, first: { method: "external", amr: ["pwd"] }, redeem: async () => {} });
  const { hash, attempt } = proved;
  try {
    requireVerifiedEmail(tenant, user);
    return await then({
      user,
      first: { method: "password", amr: ["pwd"] },
      async redeem(executor) {
        // The password may have been changed while it was checked: whoever knew the old one is to be shut out.
        if (!(await isCurrentHash(executor, tenant.id, user.id, hash))) throw invalidCredentials();
      },
      password: { hash, attempt },
    });
  } finally {
    // It was right, whatever came of it. One that a complete sign-in ended is over.
    await attempt.passed();
  }
}
