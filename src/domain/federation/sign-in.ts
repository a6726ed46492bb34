/** From what a connection said of somebody to a user of ours, and to a session. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { type BrowserSignIn, continueBrowser, type SignInStep } from "../accounts/complete-sign-in.ts";
import { requireVerifiedEmail } from "../accounts/refusals.ts";
import type { Connection } from "../connections/model.ts";
import { lockFactors } from "../mfa/policy.ts";
import type { RequestContext } from "../request-context.ts";
import type { Session } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import type { UpstreamIdentity, UpstreamTokens } from "./identity.ts";
import { resolveExternal } from "./linking.ts";
import { FederationRefusal } from "./refusals.ts";
import { findAccount } from "./repo.ts";

export { linkExternally, noteRefusal, resolveExternal } from "./linking.ts";

export interface ExternalSignIn {
  readonly connection: Connection;
  readonly identity: UpstreamIdentity;
  /** Kept only where the connection keeps tokens. */
  readonly tokens?: UpstreamTokens | undefined;
  /** Uses up what the identity was proved with, in the transaction that it leads to. @throws AppError when it was used */
  readonly redeem?: ((executor: Executor) => Promise<void>) | undefined;
  readonly rememberMe: boolean;
  /** The browser's session: renewed for the same user, ended for another. */
  readonly before: Session | undefined;
  readonly deviceToken: string | undefined;
  readonly context: RequestContext;
}

/**
 * Signs in whoever a connection vouches for, as far as their second factor.
 * @throws FederationRefusal, AppError 403 `email_not_verified`
 */
export async function signInExternally(
  deps: Deps,
  tenant: Tenant,
  signIn: ExternalSignIn,
): Promise<SignInStep<BrowserSignIn>> {
  const { connection, identity, context, rememberMe, before, deviceToken } = signIn;
  const user: User = await resolveExternal(deps, tenant, connection, identity, context, signIn.tokens);
  requireVerifiedEmail(tenant, user);
  const proof = {
    user,
    first: { method: "external" as const, amr: amrOf(connection, identity) },
    async redeem(executor: Executor) {
      await signIn.redeem?.(executor);
      // It may have been taken off the account since, by its owner who resets a password that somebody else had set.
      await lockFactors(executor, user);
      const linked = await findAccount(executor, tenant.id, connection.id, identity.subject);
      if (linked?.userId !== user.id) throw new FederationRefusal("trip_lost");
    },
  };
  return continueBrowser(deps, tenant, proof, { rememberMe, deviceToken, before, context });
}

/** A second factor that was proved elsewhere counts here only where an administrator says so. */
function amrOf(connection: Connection, identity: UpstreamIdentity): string[] {
  return connection.trustUpstreamMfa && identity.amr?.includes("mfa") ? ["fed", "mfa"] : ["fed"];
}
