import type { Deps } from "../../deps.ts";
import { notFound } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import * as audit from "../audit/service.ts";
import type { Client } from "../clients/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { User } from "../users/service.ts";
import * as repo from "./repo.ts";

/** What the user granted the client. */
export function findConsent(
  deps: Deps,
  user: User,
  client: Client,
): Promise<{ scopes: readonly string[]; resources: readonly string[] } | undefined> {
  return repo.findGrant(deps.db, user.tenantId, user.id, client.id);
}

/** What a user says yes or no to. */
export interface ConsentDecision {
  readonly user: User;
  readonly client: Client;
  readonly scopes: readonly string[];
  /** RFC 8707. */
  readonly resources: readonly string[];
  readonly context: RequestContext;
}

/** Remembers that the user agreed, so that the same scopes and resources are not asked for again. */
export async function grantConsent(deps: Deps, decision: ConsentDecision): Promise<void> {
  const { user, client, scopes, resources, context } = decision;
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    await repo.upsertGrant(tx, {
      tenantId: user.tenantId,
      userId: user.id,
      clientId: client.id,
      scopes,
      resources,
      now,
    });
    await audit.record(tx, {
      tenantId: user.tenantId,
      type: "grant.created",
      actor: { type: "user", id: user.id },
      target: { type: "client", id: client.id },
      details: { scopes, resources },
      context,
      now,
    });
  });
}

export async function denyConsent(deps: Deps, decision: ConsentDecision): Promise<void> {
  const { user, client, scopes, resources, context } = decision;
  await audit.record(deps.db, {
    tenantId: user.tenantId,
    type: "grant.denied",
    actor: { type: "user", id: user.id },
    target: { type: "client", id: client.id },
    details: { scopes, resources },
    context,
    now: deps.clock.now(),
  });
}

export type { GrantRow } from "./repo.ts";

/** More than anybody has; what lies beyond is not shown. */
const MOST_SHOWN = 200;

/** The applications that the user let in, the latest first. */
export function listGrants(
  deps: Deps,
  user: { tenantId: Id<"tenant">; id: Id<"user"> },
): Promise<repo.GrantRow[]> {
  return repo.findGrants(deps.db, user, MOST_SHOWN);
}

/**
 * Takes back what the user granted: the consent, every token that the client has of them, and whatever it could still
 * get one for. The client has to ask again.
 * @throws AppError 404 for a grant that is not theirs
 */
export async function revokeGrant(
  deps: Deps,
  input: { user: { tenantId: Id<"tenant">; id: Id<"user"> }; grantId: Id<"grant">; context: RequestContext },
): Promise<void> {
  const { user, grantId, context } = input;
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    const key = { tenantId: user.tenantId, userId: user.id };
    const clientId = await repo.deleteGrant(tx, { ...key, id: grantId });
    if (!clientId) throw notFound("You have granted no such access.");
    await repo.withdrawPending(tx, { ...key, clientId });
    const families = await repo.revokeFamilies(tx, { ...key, clientId }, now);
    await audit.record(tx, {
      tenantId: user.tenantId,
      type: "grant.revoked",
      actor: { type: "user", id: user.id },
      target: { type: "client", id: clientId },
      details: { families },
      context,
      now,
    });
  });
}
