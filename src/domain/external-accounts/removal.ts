import type { Executor } from "../../db/client.ts";
import type { Id } from "../../lib/ids.ts";
import { enqueue } from "../../queue/outbox.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import * as repo from "./repo.ts";

interface Removal {
  readonly actor: audit.Actor;
  readonly context: RequestContext;
  readonly now: Date;
}

/** Takes an external account off a user, in the caller's transaction. @returns false when it is not theirs */
export async function removeExternalAccount(
  tx: Executor,
  owner: repo.Owner,
  id: Id<"externalAccount">,
  { actor, context, now }: Removal,
): Promise<boolean> {
  const { tenantId, userId } = owner;
  const gone = await repo.deleteOfUser(tx, owner, id);
  if (!gone) return false;
  const { connectionId, tokens } = gone;
  if (tokens) {
    const sealed = { sealedTokens: tokens.box, masterKeyId: tokens.keyId };
    await repo.insertFormerTokens(tx, { tenantId, id, connectionId, ...sealed, createdAt: now });
    const payload = { external_account_id: id };
    await enqueue(tx, { tenantId, queue: "accounts", name: "revoke_external_tokens", payload, now });
  }
  await audit.record(tx, {
    tenantId,
    type: "social_account_unlinked",
    actor,
    target: { type: "user", id: userId },
    details: { connection: connectionId, external_account: id },
    context,
    now,
  });
  return true;
}

/** Takes every one of them off a user, in the caller's transaction. */
export async function removeAllExternalAccounts(tx: Executor, owner: repo.Owner, by: Removal): Promise<void> {
  for (const { id } of await repo.listOfUser(tx, owner)) await removeExternalAccount(tx, owner, id, by);
}
