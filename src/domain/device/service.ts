/** Sign-in on devices without a browser or a keyboard (RFC 8628): asked for by a device, answered on a phone. */
import { violatesUnique } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { newSecretToken } from "../../lib/secret-token.ts";
import * as audit from "../audit/service.ts";
import { type Client, findClient } from "../clients/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Session } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import * as repo from "./repo.ts";
import { formatUserCode, newUserCode, normalizeUserCode } from "./user-code.ts";

/** Long enough to find a phone and sign in; short enough that few codes are open to be guessed at once. */
export const DEVICE_CODE_LIFETIME_SECONDS = 600;
/** RFC 8628 §3.2: what a client keeps to that is told nothing. */
export const POLLING_INTERVAL_SECONDS = 5;

/** Two of the few open codes are the same once in many million; a third try would mean a defect. */
const ATTEMPTS = 3;

export interface StartedDeviceAuthorization {
  readonly deviceCode: string;
  /** With its dash, as it is shown. */
  readonly userCode: string;
  readonly expiresInSeconds: number;
  readonly intervalSeconds: number;
}

/** Begins a device's authorization (RFC 8628 §3.1, §3.2). Scope and resources are those the client may have. */
export async function startDeviceAuthorization(
  deps: Deps,
  input: {
    tenant: Tenant;
    client: Client;
    scope: readonly string[];
    resources: readonly string[];
    /** The key that polls have to prove from now on (RFC 9449 §5). */
    dpopJkt: string | undefined;
    context: RequestContext;
  },
): Promise<StartedDeviceAuthorization> {
  const { tenant, client, context } = input;
  const now = deps.clock.now();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const id = newId("deviceAuthorization");
    const { token, hash } = newSecretToken(id);
    const userCode = newUserCode();
    try {
      await repo.insertDeviceAuthorization(deps.db, {
        tenantId: tenant.id,
        id,
        hash,
        userCode,
        clientId: client.id,
        scope: [...input.scope],
        resources: [...input.resources],
        dpopJkt: input.dpopJkt ?? null,
        status: "pending",
        intervalSeconds: POLLING_INTERVAL_SECONDS,
        ip: context.ip ?? null,
        userAgent: context.userAgent ?? null,
        createdAt: now,
        expiresAt: addSeconds(now, DEVICE_CODE_LIFETIME_SECONDS),
      });
    } catch (error) {
      if (violatesUnique(error, "device_authorizations_user_code")) continue;
      throw error;
    }
    return {
      deviceCode: token,
      userCode: formatUserCode(userCode),
      expiresInSeconds: DEVICE_CODE_LIFETIME_SECONDS,
      intervalSeconds: POLLING_INTERVAL_SECONDS,
    };
  }
  throw new Error("no user code was free");
}

/** What a device asked for, as the person who is to answer needs to see it (RFC 8628 §5.4). */
export interface PendingDevice {
  readonly id: Id<"deviceAuthorization">;
  readonly userCode: string;
  readonly client: Client;
  readonly scope: readonly string[];
  readonly resources: readonly string[];
  /** Where the device is: a person who does not hold it may notice. */
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly createdAt: Date;
}

/**
 * The authorization that a user code stands for, while it waits for its answer.
 * @param userCode as somebody typed it
 * @returns undefined for a code that is unknown, has expired or was answered; whoever asks counts the attempts
 */
export async function findDeviceAuthorization(
  deps: Deps,
  tenant: Tenant,
  userCode: string,
): Promise<PendingDevice | undefined> {
  const normalized = normalizeUserCode(userCode);
  const found = normalized && (await repo.findPending(deps.db, tenant.id, normalized, deps.clock.now()));
  const client = found && (await findClient(deps, tenant.id, found.clientId));
  if (!client) return undefined;
  const { id, scope, resources, ip, userAgent, createdAt } = found.device;
  return {
    id,
    userCode: formatUserCode(found.device.userCode),
    client,
    scope,
    resources,
    ip,
    userAgent,
    createdAt,
  };
}

interface DeviceAnswer {
  readonly tenant: Tenant;
  readonly device: PendingDevice;
  /** Whose answer it is. What the device gets hangs on this session, unless it asked for offline access. */
  readonly session: Session;
  readonly context: RequestContext;
}

/** @returns false when it was answered meanwhile, or has expired */
export function approveDevice(deps: Deps, answer: DeviceAnswer): Promise<boolean> {
  return answerDevice(deps, answer, "approved");
}

/** @returns false when it was answered meanwhile, or has expired */
export function denyDevice(deps: Deps, answer: DeviceAnswer): Promise<boolean> {
  return answerDevice(deps, answer, "denied");
}

async function answerDevice(
  deps: Deps,
  { tenant, device, session, context }: DeviceAnswer,
  status: "approved" | "denied",
): Promise<boolean> {
  const now = deps.clock.now();
  return deps.db.transaction(async (tx) => {
    const by = { status, userId: session.user.id, sessionId: session.id };
    if (!(await repo.answer(tx, { tenantId: tenant.id, id: device.id }, by, now))) return false;
    await audit.record(tx, {
      tenantId: tenant.id,
      type: status === "approved" ? "device.approved" : "device.denied",
      actor: { type: "user", id: session.user.id },
      target: { type: "client", id: device.client.id },
      details: { device_authorization: device.id, scope: device.scope },
      context,
      now,
    });
    return true;
  });
}
