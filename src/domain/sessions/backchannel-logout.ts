/** Back-channel logout: the request that tells an application of the end of a session (Back-Channel Logout 1.0 §2.5). */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import { OutboundError, type OutboundRefusal } from "../../outbound/client.ts";
import { isSigningAlgorithm } from "../../protocol/jose/algorithms.ts";
import { signJwt } from "../../protocol/jose/sign-jwt.ts";
import {
  LOGOUT_TOKEN_TYP,
  type LogoutDelivery,
  logoutDelivery,
  logoutTokenClaims,
} from "../../protocol/oidc/backchannel-logout.ts";
import { sessionIdOf, subjectOf } from "../access-tokens/subject.ts";
import * as audit from "../audit/service.ts";
import { signingKeyOf } from "../keys/service.ts";
import { systemContext } from "../request-context.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";
import * as repo from "./repo.ts";

/** An application that is to be told. */
export interface LogoutNotice {
  readonly uri: string;
  /** Signs a fresh token: each lives for two minutes, and attempts may be many minutes apart. */
  token(): Promise<string>;
}

/** @returns undefined when the application is gone, or does not want to know any more */
export async function findLogoutNotice(
  deps: Deps,
  executor: Executor,
  tenant: Tenant,
  about: { clientId: Id<"client">; sessionId: Id<"session">; userId: Id<"user"> },
): Promise<LogoutNotice | undefined> {
  const client = await repo.findLogoutRecipient(executor, tenant.id, about.clientId);
  if (!client?.backchannelLogoutUri) return undefined;
  const alg = client.idTokenSignedResponseAlg;
  if (!isSigningAlgorithm(alg)) throw new Error(`a client is registered for the unknown algorithm ${alg}`);
  return {
    uri: client.backchannelLogoutUri,
    async token() {
      const key = await signingKeyOf(deps, tenant.id, alg);
      const claims = logoutTokenClaims({
        issuer: issuerOf(tenant, deps.config.publicUrl),
        clientId: client.clientId,
        subject: subjectOf(tenant, client, about.userId),
        sessionId: sessionIdOf(tenant, client, about.sessionId),
        issuedAt: deps.clock.now(),
        jwtId: Bun.randomUUIDv7(),
      });
      return signJwt(claims, { typ: LOGOUT_TOKEN_TYP, key });
    },
  };
}

export interface Delivery {
  readonly outcome: LogoutDelivery;
  /** For the audit trail and the log. */
  readonly reason: string;
}

/** Refusals of our own, which trying again does not change: such a URI should never have been registered. */
const PERMANENT: ReadonlySet<OutboundRefusal> = new Set(["url", "address"]);

/** Makes the logout request (§2.5). Of the answer nothing but the status is looked at, and no redirect is followed. */
export async function deliver(deps: Deps, notice: LogoutNotice): Promise<Delivery> {
  try {
    const { status } = await deps.outbound.request(notice.uri, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", "cache-control": "no-store" },
      body: new URLSearchParams({ logout_token: await notice.token() }).toString(),
    });
    return { outcome: logoutDelivery(status), reason: `status ${status}` };
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    return { outcome: PERMANENT.has(error.reason) ? "refused" : "try_again", reason: error.reason };
  }
}

/** Notes what became of a logout request. */
export async function recordDelivery(
  deps: Deps,
  tenantId: Id<"tenant">,
  about: { clientId: Id<"client">; sessionId: Id<"session"> },
  outcome: { delivered: boolean; reason: string },
): Promise<void> {
  await audit.record(deps.db, {
    tenantId,
    type: outcome.delivered ? "logout.delivered" : "logout.failed",
    actor: { type: "system" },
    target: { type: "client", id: about.clientId },
    details: { session: about.sessionId, reason: outcome.reason },
    context: systemContext,
    now: deps.clock.now(),
  });
}
