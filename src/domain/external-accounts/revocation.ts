/** Telling a connection that the tokens of an account that was unlinked are of no more use (RFC 7009): best effort. */
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import { findConnection } from "../connections/service.ts";
import { oauth2Configuration, oidcConfiguration } from "../federation/upstream/configuration.ts";
import { openTokens } from "../federation/tokens.ts";
import * as repo from "./repo.ts";

/**
 * Revokes and forgets them. Safe to repeat.
 * @param last whether nobody tries again: then they are forgotten whatever the connection answers
 * @throws whatever the connection's endpoint came to, unless it is the last time
 */
export async function revokeFormerTokens(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: Id<"externalAccount">,
  { last }: { last: boolean },
): Promise<void> {
  const former = await repo.findFormerTokens(deps.db, tenantId, id);
  if (!former) return;
  try {
    await revoke(deps, former);
  } catch (err) {
    if (!last) throw err;
    deps.log.warn({ err, connectionId: former.connectionId }, "tokens could not be revoked at a connection");
  }
  await repo.deleteFormerTokens(deps.db, tenantId, id);
}

async function revoke(
  deps: Deps,
  { tenantId, id, connectionId, sealedTokens, masterKeyId }: repo.FormerTokens,
): Promise<void> {
  const connection = await findConnection(deps, tenantId, connectionId);
  if (connection?.kind !== "oidc" && connection?.kind !== "oauth2") return;
  const configuration =
    connection.kind === "oidc"
      ? await oidcConfiguration(deps, connection)
      : await oauth2Configuration(deps, connection);
  if (configuration.serverMetadata().revocation_endpoint === undefined) return;
  const { refreshToken, accessToken } = openTokens(deps, id, { box: sealedTokens, keyId: masterKeyId });
  const { tokenRevocation } = await import("openid-client");
  // With the refresh token go the access tokens that came of it (RFC 7009 §2.1).
  if (refreshToken === undefined)
    await tokenRevocation(configuration, accessToken, { token_type_hint: "access_token" });
  else await tokenRevocation(configuration, refreshToken, { token_type_hint: "refresh_token" });
}
