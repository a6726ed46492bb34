/** Who calls the second-factor routes: somebody signed in, or somebody who has to set up a factor to be. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { enrolNative, type Enrolled, type NativeSignIn } from "../../domain/accounts/complete-sign-in.ts";
import { addFactorInSession } from "../../domain/accounts/step-up.ts";
import type { NewFactor } from "../../domain/mfa/enrolment.ts";
import { needToChangeFactors } from "../../domain/mfa/factors.ts";
import type { PendingLogin } from "../../domain/mfa/model.ts";
import { requirePendingLogin } from "../../domain/mfa/pending-login.ts";
import type { RequestContext } from "../../domain/request-context.ts";
import { requireFreshAuthentication } from "../../domain/sessions/fresh.ts";
import type { SessionProof } from "../../domain/sessions/service.ts";
import type { Tenant } from "../../domain/tenants/service.ts";
import type { User } from "../../domain/users/service.ts";
import { requestInfo } from "../../http/request-info.ts";
import { requireProfileAccess } from "../../http/scope.ts";
import { resolveTenant } from "../../http/tenant.ts";
import { AppError, unauthorized } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import { requireOwnApplication } from "./me-access.ts";

/** For routes that show and change a user's factors: only the service's own applications may. */
export const factorScope = (deps: Deps) =>
  new Elysia({ name: "factor-scope" }).derive({ as: "scoped" }, async ({ request, set }) => {
    const info = requestInfo(request);
    const context: RequestContext = info;
    const tenant = await resolveTenant(deps, request, info);
    const access = await requireProfileAccess(deps, { tenant, request, set });
    await requireOwnApplication(deps, { tenant, access });
    return { tenant, context, access, user: access.user };
  });

/** @throws AppError 401 for a token that nobody's sign-in stands behind */
export function requireSessionId(access: { sessionId: Id<"session"> | null }): Id<"session"> {
  if (!access.sessionId) throw unauthorized("This token belongs to no session.");
  return access.sessionId;
}

/** Somebody who may set up a factor: in a session that was proved lately, or with the token of a pending login. */
export type Enroller =
  | { readonly kind: "session"; readonly user: User; readonly session: SessionProof }
  | {
      readonly kind: "pending";
      readonly user: User;
      readonly loginId: Id<"challenge">;
      readonly token: string;
    };

/** For the routes that set up a factor; gives them their `enroller`. */
export const enrolmentScope = (deps: Deps) =>
  new Elysia({ name: "enrolment-scope" }).derive({ as: "scoped" }, async ({ request, set }) => {
    const info = requestInfo(request);
    const context: RequestContext = info;
    const tenant = await resolveTenant(deps, request, info);
    return { tenant, context, enroller: await findEnroller(deps, { tenant, request, set }) };
  });

async function findEnroller(
  deps: Deps,
  asked: Parameters<typeof requireProfileAccess>[1],
): Promise<Enroller> {
  const { tenant, request } = asked;
  const token = /^bearer +(chal_\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (token !== undefined) {
    const { user, id: loginId } = await requirePending(deps, tenant, token);
    return { kind: "pending", token, user, loginId };
  }
  const access = await requireProfileAccess(deps, asked);
  await requireOwnApplication(deps, { tenant, access });
  const { user } = access;
  const need = await needToChangeFactors(deps, tenant, user);
  return { kind: "session", user, session: await requireFreshAuthentication(deps, tenant.id, access, need) };
}

/** The token is a credential here, so that it is refused as one. */
async function requirePending(deps: Deps, tenant: Tenant, token: string): Promise<PendingLogin> {
  try {
    const wanted = { purpose: "enroll", surface: "native" } as const;
    return await requirePendingLogin(deps, tenant, token, wanted);
  } catch (cause) {
    if (cause instanceof AppError)
      throw unauthorized("The Bearer token is invalid or has expired.", { cause });
    throw cause;
  }
}

/** Adds a factor for whoever set it up, and signs them in with it if that is what they did it for. */
export async function addFactorOf(
  deps: Deps,
  tenant: Tenant,
  enroller: Enroller,
  factorFor: (user: User) => Promise<NewFactor>,
  context: RequestContext,
): Promise<{ backupCodes: readonly string[]; signIn: Enrolled<NativeSignIn> | undefined }> {
  if (enroller.kind === "pending") {
    const { token } = enroller;
    const signIn = await enrolNative(deps, tenant, {
      token,
      factorFor: ({ user }) => factorFor(user),
      context,
    });
    return { backupCodes: signIn.backupCodes, signIn };
  }
  const factor = await factorFor(enroller.user);
  return {
    backupCodes: await addFactorInSession(deps, tenant, enroller, factor, context),
    signIn: undefined,
  };
}
