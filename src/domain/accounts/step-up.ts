/** Proving again who one is, within a session: for a sensitive action, or for an application that asks for more. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { AppError, unauthorized } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import * as audit from "../audit/service.ts";
import { addFactor, type NewFactor } from "../mfa/enrolment.ts";
import { raisedAmr, type SecondFactorMethod } from "../mfa/model.ts";
import { hasSecondFactor, methodsOf, policyOf } from "../mfa/policy.ts";
import { type FactorProver, withSecondFactor } from "../mfa/second-factor.ts";
import { findPasswordHash } from "../passwords/service.ts";
import type { RequestContext } from "../request-context.ts";
import { findSessionProof, raiseSession, type SessionProof } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import { authenticateByPassword } from "./sign-in.ts";
import { acrOf, satisfiesAcr } from "../../protocol/oidc/acr.ts";

interface Owner {
  readonly user: User;
  readonly sessionId: Id<"session">;
}

/** By what a person can prove again who they are. */
export interface StepUpWays {
  readonly methods: readonly SecondFactorMethod[];
  readonly password: boolean;
}

/**
 * What would raise a session to a class (`acr`), or make it fresh where none is asked for. What only repeats the session's
 * first factor does not make two of it.
 */
export async function waysToStepUp(
  deps: Deps,
  tenant: Tenant,
  user: User,
  session: { readonly amr: readonly string[] },
  acr: string | undefined,
): Promise<StepUpWays> {
  const policy = policyOf(tenant);
  const [available, strong, hash] = await Promise.all([
    methodsOf(deps, user),
    hasSecondFactor(deps, policy, user),
    findPasswordHash(deps.db, tenant.id, user.id),
  ]);
  const suffices = (method: SecondFactorMethod | "password") => {
    // A passkey that verifies its user is two factors by itself.
    const amr = method === "webauthn" ? ["mfa"] : [];
    return satisfiesAcr(acrOf(raisedAmr(session.amr, { method, amr })), acr === undefined ? [] : [acr]);
  };
  return {
    methods: available.filter((method) => policy.methods.includes(method) && suffices(method)),
    password: !strong && hash !== undefined && suffices("password"),
  };
}

/**
 * Steps up by a second factor: the session's `auth_time` is now, and its `acr` that of two factors when the proof is of
 * another kind than the sign-in was. The tokens of the session tell so from their next refresh on.
 * @throws AppError 401 `invalid_code`, and when the session has ended; 429
 */
export async function stepUpByFactor(
  deps: Deps,
  tenant: Tenant,
  { user, sessionId }: Owner,
  prover: FactorProver,
  context: RequestContext,
): Promise<SessionProof> {
  const session = await requireSession(deps, tenant, sessionId);
  const { methods } = policyOf(tenant);
  const allowed = (await methodsOf(deps, user)).filter((method) => methods.includes(method));
  return withSecondFactor(deps, tenant, user, { prover, allowed, context }, (tx, factor) =>
    raise(deps, tx, user, session, factor, context),
  );
}

/**
 * Steps up by the password, which is enough for whoever has no second factor to prove.
 * @throws AppError 403 `second_factor_required`; 401 for a wrong password, and when the session has ended; 429
 */
export async function stepUpByPassword(
  deps: Deps,
  tenant: Tenant,
  { user, sessionId }: Owner,
  password: string,
  context: RequestContext,
): Promise<SessionProof> {
  const session = await requireSession(deps, tenant, sessionId);
  if (await hasSecondFactor(deps, policyOf(tenant), user))
    throw new AppError(403, "second_factor_required", "Please prove it with your second factor.");
  const identifier = user.username;
  const proved = await authenticateByPassword(deps, tenant, { identifier, password }, context);
  if (proved.user.id !== user.id) throw new Error("a username led to another user");
  return deps.db.transaction((tx) =>
    raise(deps, tx, user, session, { method: "password", amr: ["pwd"] }, context),
  );
}

async function requireSession(deps: Deps, tenant: Tenant, id: Id<"session">): Promise<SessionProof> {
  const session = await findSessionProof(deps, tenant.id, id);
  if (!session) throw sessionEnded();
  return session;
}

const sessionEnded = () => unauthorized("This session has ended. Please sign in again.");

async function raise(
  deps: Deps,
  executor: Executor,
  user: User,
  session: SessionProof,
  proof: { method: SecondFactorMethod | "password"; amr: readonly string[] },
  context: RequestContext,
): Promise<SessionProof> {
  const now = deps.clock.now();
  const { tenantId } = user;
  const amr = raisedAmr(session.amr, proof);
  const acr = acrOf(amr);
  if (!(await raiseSession(executor, { tenantId, id: session.id }, { amr, authTime: now })))
    throw sessionEnded();
  await audit.record(executor, {
    tenantId,
    type: "session.stepped_up",
    actor: { type: "user", id: user.id },
    target: { type: "session", id: session.id },
    details: { method: proof.method, acr },
    context,
    now,
  });
  return { id: session.id, authTime: now, acr, amr };
}

/**
 * Adds a factor to the account of whoever is signed in. The session is of two factors from then on, though no younger: the
 * first of them was proved when it was.
 * @returns backup codes, for this once, with the first factor
 */
export async function addFactorInSession(
  deps: Deps,
  tenant: Tenant,
  { user, session }: { user: User; session: SessionProof },
  factor: NewFactor,
  context: RequestContext,
): Promise<string[]> {
  return deps.db.transaction(async (tx) => {
    const codes = await addFactor(deps, tx, tenant, { user, factor, context });
    const amr = raisedAmr(session.amr, factor);
    if (!(await raiseSession(tx, { tenantId: user.tenantId, id: session.id }, { amr }))) throw sessionEnded();
    return codes;
  });
}
