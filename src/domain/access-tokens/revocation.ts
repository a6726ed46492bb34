import type { Executor } from "../../db/client.ts";
import type { Id } from "../../lib/ids.ts";
import { parseSecretToken } from "../../lib/secret-token.ts";
import type { LiveAccessToken } from "./access.ts";
import * as repo from "./repo.ts";

/**
 * Ends one access token before its time, in the caller's transaction: an opaque one is gone, a JWT is remembered by its
 * `jti` for as long as it would have been accepted. The others of its family live on.
 * @param token as it was presented
 * @returns whether it was live until now
 */
export function endAccessToken(
  executor: Executor,
  input: { tenantId: Id<"tenant">; token: string; live: LiveAccessToken; now: Date },
): Promise<boolean> {
  const { tenantId, token, live, now } = input;
  const opaque = parseSecretToken("accessToken", token);
  if (opaque) return repo.deleteOpaque(executor, tenantId, opaque.id);
  return repo.insertRevocation(executor, {
    tenantId,
    jti: live.jwtId,
    revokedAt: now,
    expiresAt: live.expiresAt,
  });
}
