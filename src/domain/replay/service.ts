import type { Executor } from "../../db/client.ts";
import type { Id } from "../../lib/ids.ts";
import type { SingleUse } from "../../protocol/oauth/single-use.ts";
import * as repo from "./repo.ts";

/**
 * Uses up something that somebody else made: a client's assertion, a DPoP proof, a request object. Of two requests that
 * race with the same one, on whichever machine, one wins.
 * @returns whether it was the first time
 */
export function useOnce(executor: Executor, tenantId: Id<"tenant">, use: SingleUse): Promise<boolean> {
  return repo.insertUse(executor, recordOf(tenantId, use));
}

/** The same as the part of the statement that issues tokens for it. */
export const singleUseConsumption = (tenantId: Id<"tenant">, use: SingleUse) =>
  repo.useConsumption(recordOf(tenantId, use));

const recordOf = (tenantId: Id<"tenant">, { kind, hash, expiresAt }: SingleUse): repo.UsedToken => ({
  tenantId,
  kind,
  hash: Buffer.from(hash),
  expiresAt,
});
