/** The upstream tokens of somebody's external account, as they can be used now. */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { notFound } from "../../lib/errors.ts";
import { type Id, isId } from "../../lib/ids.ts";
import { findConnection } from "../connections/service.ts";
import type { User } from "../users/service.ts";
import type { UpstreamTokens } from "./identity.ts";
import { FederationRefusal } from "./refusals.ts";
import * as repo from "./repo.ts";
import { openTokens, sealTokens } from "./tokens.ts";
import { refreshUpstream } from "./upstream/refresh.ts";

/** One that is about to expire would be expired where it is used. */
const MARGIN_SECONDS = 60;

const underWay = new Map<Id<"externalAccount">, Promise<UpstreamTokens>>();

/**
 * The access token that a connection gave for a user, refreshed when it has expired. Requests that come together refresh once:
 * providers take a refresh token that is used twice for a stolen one.
 * @throws AppError 404 for an account that is not the user's, or of which no tokens are kept; FederationRefusal 502
 */
export async function freshUpstreamTokens(
  deps: Deps,
  user: Pick<User, "tenantId" | "id">,
  id: string,
): Promise<UpstreamTokens> {
  const account = isId("externalAccount", id)
    ? await repo.findAccountOfUser(deps.db, user.tenantId, user.id, id)
    : undefined;
  if (!account?.sealedTokens) throw notFound("There is no such external account, or it keeps no tokens.");
  const tokens = usable(deps, account);
  if (tokens) return tokens;
  const renewing =
    underWay.get(account.id) ?? renew(deps, account).finally(() => underWay.delete(account.id));
  underWay.set(account.id, renewing);
  return renewing;
}

async function renew(deps: Deps, { tenantId, userId, id }: repo.ExternalAccount): Promise<UpstreamTokens> {
  const reread = () => repo.findAccountOfUser(deps.db, tenantId, userId, id);
  const account = await reread();
  // Another request was about to renew them when this one looked, and has done so.
  const renewed = account && usable(deps, account);
  if (renewed) return renewed;
  const connection = account && (await findConnection(deps, tenantId, account.connectionId));
  const refreshToken = account && open(deps, account)?.refreshToken;
  if (!account || !connection?.enabled || refreshToken === undefined)
    throw new FederationRefusal("upstream_failed");
  const tokens = await refreshUpstream(deps, connection, refreshToken);
  const sealed = sealTokens(deps, connection, id, tokens);
  if (await repo.replaceTokens(deps.db, account, sealed, deps.clock.now())) return tokens;
  // The person signed in meanwhile, or another process was quicker: what is stored is the newer.
  const current = await reread();
  return (current && open(deps, current)) ?? tokens;
}

/** What can be used for a while yet; what never says when it expires is taken to last. */
function usable(deps: Deps, account: repo.ExternalAccount): UpstreamTokens | undefined {
  const tokens = open(deps, account);
  const until = addSeconds(deps.clock.now(), MARGIN_SECONDS);
  return tokens && (!tokens.expiresAt || tokens.expiresAt > until) ? tokens : undefined;
}

function open(deps: Deps, account: repo.ExternalAccount): UpstreamTokens | undefined {
  const { id, sealedTokens: box, masterKeyId: keyId } = account;
  return box && keyId ? openTokens(deps, id, { box, keyId }) : undefined;
}
