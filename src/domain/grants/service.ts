import type { Deps } from "../../deps.ts";
import * as audit from "../audit/service.ts";
import type { Client } from "../clients/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { User } from "../users/service.ts";
import * as repo from "./repo.ts";

/** What the user granted the client before, and when they last agreed. */
export async function findConsent(
  deps: Deps,
  user: User,
  client: Client,
): Promise<{ scopes: readonly string[]; grantedAt: Date } | undefined> {
  const grant = await repo.findGrant(deps.db, user.tenantId, user.id, client.id);
  return grant && { scopes: grant.scopes, grantedAt: grant.updatedAt };
}

/** Remembers that the user agreed, so that the same scopes are not asked for again. */
export async function grantConsent(
  deps: Deps,
  input: { user: User; client: Client; scopes: readonly string[]; context: RequestContext },
): Promise<void> {
  const { user, client, scopes, context } = input;
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    await repo.upsertGrant(tx, {
      tenantId: user.tenantId,
      userId: user.id,
      clientId: client.id,
      scopes,
      now,
    });
    await audit.record(tx, {
      tenantId: user.tenantId,
      type: "grant.created",
      actor: { type: "user", id: user.id },
      target: { type: "client", id: client.id },
      details: { scopes },
      context,
      now,
    });
  });
}

export async function denyConsent(
  deps: Deps,
  input: { user: User; client: Client; scopes: readonly string[]; context: RequestContext },
): Promise<void> {
  const { user, client, scopes, context } = input;
  await audit.record(deps.db, {
    tenantId: user.tenantId,
    type: "grant.denied",
    actor: { type: "user", id: user.id },
    target: { type: "client", id: client.id },
    details: { scopes },
    context,
    now: deps.clock.now(),
  });
}
