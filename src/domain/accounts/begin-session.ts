/** The moment in which a sign-in becomes a session, with all that belongs to that moment in one transaction. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import { enqueue } from "../../queue/outbox.ts";
import * as audit from "../audit/service.ts";
import { policyOf } from "../mfa/policy.ts";
import { type DeviceToken, trustDevice } from "../mfa/trusted-devices/service.ts";
import { forgetFailures } from "../protection/service.ts";
import type { RequestContext } from "../request-context.ts";
import { hasSignedInFrom, renewSession, type Session, startSession } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { touchLastLogin, type User } from "../users/service.ts";
import { cancelDeletionOnSignIn } from "./deletion.ts";
import { issueNativeTokens, nativeLifetimeSeconds, type NativeTokens } from "./native-tokens.ts";

/** Somebody who proved all that they had to. */
export interface Proven {
  readonly user: User;
  /** RFC 8176 values. */
  readonly amr: readonly string[];
  /** For the audit trail: by which methods, in their order. */
  readonly methods: readonly string[];
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

/** Begins a session of the native API, in the caller's transaction. */
export async function beginNative(
  deps: Deps,
  executor: Executor,
  tenant: Tenant,
  proven: Proven,
): Promise<NativeSignIn> {
  const lifetimeSeconds = await nativeLifetimeSeconds(deps, tenant);
  const session = await beginSession(deps, executor, proven, { lifetimeSeconds, withCookie: false });
  return {
    user: proven.user,
    tokens: await issueNativeTokens(deps, executor, tenant, proven.user, session),
    device: await trustIfWanted(deps, executor, tenant, proven),
  };
}

/**
 * Begins a session of the hosted pages, in the caller's transaction.
 * @param before the browser's session: the same user's is renewed
 */
export async function beginBrowser(
  deps: Deps,
  executor: Executor,
  tenant: Tenant,
  proven: Proven,
  { remembered, before }: { remembered: boolean; before: Session | undefined },
): Promise<BrowserSignIn> {
  const { settings } = tenant;
  const session = await beginSession(deps, executor, proven, {
    lifetimeSeconds: remembered ? settings.remembered_session_lifetime : settings.session_lifetime,
    withCookie: true,
    renewing: before?.user.id === proven.user.id ? before.id : undefined,
  });
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

/** Session, audit row, last sign-in, the notice of a new device. */
async function beginSession(
  deps: Deps,
  executor: Executor,
  { user, amr, methods, context }: Proven,
  options: { lifetimeSeconds: number; withCookie: boolean; renewing?: Id<"session"> | undefined },
) {
  const now = deps.clock.now();
  const { tenantId, id: userId } = user;
  const known = await hasSignedInFrom(executor, user, context.userAgent);
  const start = { tenantId, userId, amr, ...options, context, now };
  const renewed = options.renewing && (await renewSession(executor, options.renewing, start));
  const session = renewed || (await startSession(executor, start));
  await touchLastLogin(executor, tenantId, userId, now);
  await forgetFailures(executor, tenantId, userId);
  await cancelDeletionOnSignIn(executor, user, context, now);
  await audit.record(executor, {
    tenantId,
    type: "user.login",
    actor: { type: "user", id: userId },
    target: { type: "session", id: session.id },
    details: { method: methods.join("+"), acr: session.acr },
    context,
    now,
  });
  if (!known) {
    await enqueue(executor, {
      tenantId,
      queue: "email",
      name: "new_sign_in",
      payload: { user_id: userId, session_id: session.id },
      now,
    });
  }
  return session;
}
