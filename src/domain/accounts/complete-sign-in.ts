/**
 * From a first factor to a session, by way of a second one where it is needed. Every flow that proves a first factor
 * (password, passkey, mailed code, upstream provider …) ends in `continueNative` or `continueBrowser`, and none begins a
 * session by itself: so none is a way around the second factor.
 */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { combineAmr } from "../../protocol/oidc/acr.ts";
import { addFactor, type NewFactor } from "../mfa/enrolment.ts";
import {
  decideSecondFactor,
  type FirstFactor,
  type PendingLogin,
  type PendingLoginOffer,
  type SecondFactorDecision,
  type SecondFactorMethod,
  type SignInSurface,
  usableMethods,
} from "../mfa/model.ts";
import {
  consumePendingLogin,
  countAnswer,
  invalidMfaToken,
  openPendingLogin,
  requirePendingLogin,
} from "../mfa/pending-login.ts";
import { lockFactors, methodsBeyond, policyOf } from "../mfa/policy.ts";
import { type FactorProver, withSecondFactor } from "../mfa/second-factor.ts";
import { isTrustedDevice } from "../mfa/trusted-devices/service.ts";
import type { Attempt } from "../protection/service.ts";
import type { RequestContext } from "../request-context.ts";
import { endSession, type Session } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import { userVerificationRequired } from "./refusals.ts";
import {
  beginBrowser,
  beginNative,
  type BrowserSignIn,
  type NativeSignIn,
  type Proven,
} from "./begin-session.ts";

export type { BrowserSignIn, NativeSignIn } from "./begin-session.ts";

/** A first factor that was proved. */
export interface FirstProof {
  readonly user: User;
  readonly first: FirstFactor;
  /** Uses it up, or sees that it still holds, in the transaction that it leads to. @throws AppError when it does not */
  redeem(executor: Executor): Promise<void>;
  /** A password, and its attempt, which is still under way: the statement that begins a session sees to both by itself. */
  readonly password?: { readonly hash: string; readonly attempt: Attempt };
}

/** Where a sign-in has come to: to its end, or to what is still missing. */
export type SignInStep<SignIn> =
  ({ readonly kind: "signed_in" } & SignIn) | { readonly kind: "pending"; readonly offer: PendingLoginOffer };

/** Goes on after a first factor, on the native API. */
export async function continueNative(
  deps: Deps,
  tenant: Tenant,
  proof: FirstProof,
  options: { deviceToken: string | undefined; context: RequestContext },
): Promise<SignInStep<NativeSignIn>> {
  return continueSignIn(deps, tenant, proof, { ...options, surface: { kind: "native" } }, (tx, proven) =>
    beginNative(deps, tx, tenant, proven),
  );
}

/**
 * Goes on after a first factor, on the hosted pages.
 * @param options `before`: the browser's session, renewed for the same user and ended for another
 */
export async function continueBrowser(
  deps: Deps,
  tenant: Tenant,
  proof: FirstProof,
  options: {
    rememberMe: boolean;
    deviceToken: string | undefined;
    before: Session | undefined;
    context: RequestContext;
  },
): Promise<SignInStep<BrowserSignIn>> {
  const remembered = options.rememberMe && tenant.settings.remember_me_enabled;
  const { before, context } = options;
  const surface = { kind: "browser", remembered } as const;
  const step = await continueSignIn(deps, tenant, proof, { ...options, surface }, (tx, proven) =>
    beginBrowser(deps, tx, tenant, proven, { remembered, before }),
  );
  if (step.kind === "signed_in") await endAnothersSession(deps, tenant, step.user, before, context);
  return step;
}

async function continueSignIn<SignIn>(
  deps: Deps,
  tenant: Tenant,
  { user, first, redeem, password }: FirstProof,
  options: { surface: SignInSurface; deviceToken: string | undefined; context: RequestContext },
  begin: (executor: Executor, proven: Proven) => Promise<SignIn>,
): Promise<SignInStep<SignIn>> {
  const decision = await decide(deps, tenant, user, first, options.deviceToken);
  if (decision.kind === "refuse") throw userVerificationRequired();
  const { surface, context } = options;
  if (decision.kind !== "none") {
    const now = deps.clock.now();
    return deps.db.transaction(async (tx) => {
      await redeem(tx);
      return { kind: "pending", offer: await openPendingLogin(tx, { user, first, surface, decision, now }) };
    });
  }
  const proven = { user, amr: first.amr, methods: [first.method], trustDevice: false, context };
  const signIn = password
    ? await password.attempt.passedBy((counted) =>
        begin(deps.db, { ...proven, password: { hash: password.hash, counted } }),
      )
    : await deps.db.transaction(async (tx) => {
        await redeem(tx);
        return begin(tx, proven);
      });
  return { kind: "signed_in", ...signIn };
}

async function decide(
  deps: Deps,
  tenant: Tenant,
  user: User,
  first: FirstFactor,
  deviceToken: string | undefined,
): Promise<SecondFactorDecision> {
  const policy = policyOf(tenant);
  if (policy.enforcement === "off") return { kind: "none" };
  const available = await methodsBeyond(deps, policy, user, first);
  const decision = decideSecondFactor({ policy, first, available, trustedDevice: false });
  if (decision.kind !== "verify" || !(await isTrustedDevice(deps, user, deviceToken))) return decision;
  return decideSecondFactor({ policy, first, available, trustedDevice: true });
}

/** What somebody brings to end a pending login with a second factor. */
export interface SecondFactorAnswer {
  readonly token: string;
  /** Made for this login: a passkey's response is good for one. */
  readonly proverFor: (login: PendingLogin) => FactorProver;
  readonly trustDevice: boolean;
  readonly context: RequestContext;
}

/** @throws AppError 401 `invalid_mfa_token`, `invalid_code`; 429 */
export async function completeNative(
  deps: Deps,
  tenant: Tenant,
  answer: SecondFactorAnswer,
): Promise<NativeSignIn> {
  const login = await requirePendingLogin(deps, tenant, answer.token, {
    purpose: "verify",
    surface: "native",
  });
  return complete(deps, tenant, login, answer, (tx, proven) => beginNative(deps, tx, tenant, proven));
}

/** @throws AppError 401 `invalid_mfa_token`, `invalid_code`; 429 */
export async function completeBrowser(
  deps: Deps,
  tenant: Tenant,
  answer: SecondFactorAnswer & { before: Session | undefined },
): Promise<BrowserSignIn> {
  const login = await requirePendingLogin(deps, tenant, answer.token, {
    purpose: "verify",
    surface: "browser",
  });
  const { before } = answer;
  const remembered = isRemembered(login);
  const signIn = await complete(deps, tenant, login, answer, (tx, proven) =>
    beginBrowser(deps, tx, tenant, proven, { remembered, before }),
  );
  await endAnothersSession(deps, tenant, login.user, before, answer.context);
  return signIn;
}

const isRemembered = ({ surface }: PendingLogin) => surface.kind === "browser" && surface.remembered;

async function complete<SignIn>(
  deps: Deps,
  tenant: Tenant,
  login: PendingLogin,
  { token, proverFor, trustDevice, context }: SecondFactorAnswer,
  begin: (executor: Executor, proven: Proven) => Promise<SignIn>,
): Promise<SignIn> {
  const { user, first } = login;
  await countAnswer(deps, tenant, login);
  const allowed = await methodsForLogin(deps, tenant, login);
  const input = { prover: proverFor(login), allowed, context };
  return withSecondFactor(deps, tenant, user, input, async (tx, factor) => {
    await consumePendingLogin(tx, login, token, deps.clock.now());
    return begin(tx, {
      user,
      amr: combineAmr([first.amr, factor.amr]),
      methods: [first.method, factor.method],
      trustDevice,
      context,
    });
  });
}

/** The methods that a pending login can be ended by now. */
export async function methodsForLogin(
  deps: Deps,
  tenant: Tenant,
  { user, first }: PendingLogin,
): Promise<SecondFactorMethod[]> {
  const policy = policyOf(tenant);
  return usableMethods({ policy, first, available: await methodsBeyond(deps, policy, user, first) });
}

/** What somebody brings to end a pending login by setting up a factor. */
export interface Enrolment {
  readonly token: string;
  readonly factorFor: (login: PendingLogin) => Promise<NewFactor>;
  readonly context: RequestContext;
}

/** The sign-in of somebody who had to set up a factor, and their backup codes, for this once. */
export type Enrolled<SignIn> = SignIn & { readonly backupCodes: readonly string[] };

/** @throws AppError 401 `invalid_mfa_token`; whatever `factorFor` throws */
export async function enrolNative(
  deps: Deps,
  tenant: Tenant,
  enrolment: Enrolment,
): Promise<Enrolled<NativeSignIn>> {
  const wanted = { purpose: "enroll", surface: "native" } as const;
  const login = await requirePendingLogin(deps, tenant, enrolment.token, wanted);
  return enrol(deps, tenant, login, enrolment, (tx, proven) => beginNative(deps, tx, tenant, proven));
}

/** @throws AppError 401 `invalid_mfa_token`; whatever `factorFor` throws */
export async function enrolBrowser(
  deps: Deps,
  tenant: Tenant,
  enrolment: Enrolment & { before: Session | undefined },
): Promise<Enrolled<BrowserSignIn>> {
  const wanted = { purpose: "enroll", surface: "browser" } as const;
  const login = await requirePendingLogin(deps, tenant, enrolment.token, wanted);
  const { before } = enrolment;
  const remembered = isRemembered(login);
  const signIn = await enrol(deps, tenant, login, enrolment, (tx, proven) =>
    beginBrowser(deps, tx, tenant, proven, { remembered, before }),
  );
  await endAnothersSession(deps, tenant, login.user, before, enrolment.context);
  return signIn;
}

async function enrol<SignIn>(
  deps: Deps,
  tenant: Tenant,
  login: PendingLogin,
  { token, factorFor, context }: Enrolment,
  begin: (executor: Executor, proven: Proven) => Promise<SignIn>,
): Promise<Enrolled<SignIn>> {
  const { user, first } = login;
  const factor = await factorFor(login);
  return deps.db.transaction(async (tx) => {
    await consumePendingLogin(tx, login, token, deps.clock.now());
    await requireNoFactor(tx, tenant, user);
    const backupCodes = await addFactor(deps, tx, tenant, { user, factor, context });
    const amr = combineAmr([first.amr, factor.amr]);
    const methods = [first.method, factor.method];
    const signIn = await begin(tx, { user, amr, methods, trustDevice: false, context });
    return { ...signIn, backupCodes };
  });
}

/**
 * Who has a second factor by now proves it: the password alone, with which this sign-in began, adds none to it.
 * @throws AppError 401 `invalid_mfa_token`
 */
async function requireNoFactor(executor: Executor, tenant: Tenant, user: User): Promise<void> {
  const { methods } = policyOf(tenant);
  const factors = await lockFactors(executor, user);
  if (factors.some((method) => methods.includes(method))) throw invalidMfaToken();
}

async function endAnothersSession(
  deps: Deps,
  tenant: Tenant,
  user: User,
  before: Session | undefined,
  context: RequestContext,
): Promise<void> {
  if (!before || before.user.id === user.id) return;
  await endSession(
    deps,
    { tenantId: tenant.id, id: before.id, userId: before.user.id },
    { actor: { type: "user", id: before.user.id }, context, includingOffline: false },
  );
}
