/** The moment in which a sign-in becomes a session, with all that belongs to that moment in one transaction. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import { policyOf } from "../mfa/policy.ts";
import { type DeviceToken, trustDevice } from "../mfa/trusted-devices/service.ts";
import type { RequestContext } from "../request-context.ts";
import { newSession, type Session, type SessionStart, type StartedSession } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import { nativeLifetimeSeconds, type NativeTokens, newNativeTokens } from "./native-tokens.ts";
import { invalidCredentials } from "./refusals.ts";
import { type CheckedPassword, recordSignIn } from "./sign-ins/service.ts";

/** Somebody who proved all that they had to. */
export interface Proven {
  readonly user: User;
  /** RFC 8176 values. */
  readonly amr: readonly string[];
  /** For the audit trail: by which methods, in their order. */
  readonly methods: readonly string[];
  /** Of a sign-in by a password alone, which is looked at once more. In the transaction of any other, what was proved holds. */
  readonly password?: CheckedPassword;
  /** Whether this device is to be asked for no second factor for a while. */
  readonly trustDevice: boolean;
  readonly context: RequestContext;
}

export interface NativeSignIn {
  readonly user: User;
  readonly tokens: NativeTokens;
  readonly device: DeviceToken | undefined;
}

export interface BrowserSignIn {
  readonly user: User;
  readonly cookie: string;
  readonly expiresAt: Date;
  readonly remembered: boolean;
  readonly device: DeviceToken | undefined;
}

/**
 * Begins a session of the native API, in the caller's transaction; by a password alone, also without one.
 * @throws AppError 401 when the password is another one by now
 */
export async function beginNative(
  deps: Deps,
  executor: Executor,
  tenant: Tenant,
  proven: Proven,
): Promise<NativeSignIn> {
  const lifetimeSeconds = await nativeLifetimeSeconds(deps, tenant);
  const { user } = proven;
  const session = newSession(startOf(deps, proven, { lifetimeSeconds, withCookie: false }));
  const { record, tokens } = await newNativeTokens(deps, tenant, user, session.started);
  if (!(await recordSignIn(executor, proven, { ...session, tokens: record }))) throw invalidCredentials();
  return { user, tokens, device: await trustIfWanted(deps, executor, tenant, proven) };
}

/**
 * Begins a session of the hosted pages, in the caller's transaction; by a password alone, also without one.
 * @param before the browser's session: the same user's is renewed
 * @throws AppError 401 when the password is another one by now
 */
export async function beginBrowser(
  deps: Deps,
  executor: Executor,
  tenant: Tenant,
  proven: Proven,
  { remembered, before }: { remembered: boolean; before: Session | undefined },
): Promise<BrowserSignIn> {
  const { settings } = tenant;
  const start = startOf(deps, proven, {
    lifetimeSeconds: remembered ? settings.remembered_session_lifetime : settings.session_lifetime,
    withCookie: true,
  });
  const renewing = before?.user.id === proven.user.id ? before.id : undefined;
  const session = await beginBrowserSession(executor, proven, start, renewing);
  if (!session.cookie) throw new Error("a browser session has no cookie");
  return {
    user: proven.user,
    cookie: session.cookie,
    expiresAt: session.expiresAt,
    remembered,
    device: await trustIfWanted(deps, executor, tenant, proven),
  };
}

async function trustIfWanted(
  deps: Deps,
  executor: Executor,
  tenant: Tenant,
  { user, trustDevice: wanted, context }: Proven,
): Promise<DeviceToken | undefined> {
  const { trustedDeviceDays: days } = policyOf(tenant);
  return wanted && days > 0 ? trustDevice(executor, user, days, context, deps.clock.now()) : undefined;
}

const startOf = (
  deps: Deps,
  { user, amr, context }: Proven,
  options: { lifetimeSeconds: number; withCookie: boolean },
): SessionStart => ({
  tenantId: user.tenantId,
  userId: user.id,
  amr,
  ...options,
  context,
  now: deps.clock.now(),
});

async function beginBrowserSession(
  executor: Executor,
  proven: Proven,
  start: SessionStart,
  renewing: Id<"session"> | undefined,
): Promise<StartedSession> {
  if (renewing) {
    const session = { ...newSession(start, renewing), renewed: true };
    if (await recordSignIn(executor, proven, session)) return session.started;
  }
  const session = newSession(start);
  if (!(await recordSignIn(executor, proven, session))) throw invalidCredentials();
  return session.started;
}
