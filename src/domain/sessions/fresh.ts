import type { Deps } from "../../deps.ts";
import { insufficientUserAuthentication } from "../../protocol/oauth/step-up.ts";
import { type AuthenticationNeed, satisfiesNeed } from "../../protocol/oidc/acr.ts";
import type { Id } from "../../lib/ids.ts";
import { findSessionProof, type SessionProof } from "./service.ts";

/** How long ago a person may have proved who they are, for what could shut them out of their account, in seconds. */
export const FRESH_SECONDS = 15 * 60;

/**
 * Holds a sensitive action to a recent proof of who acts (RFC 9470). The session is read anew: whoever steps up need not
 * exchange their access token first.
 * @param access of a token, presented by its `scheme`, or of a page's session; one without a session can prove nothing
 * @throws OAuthError 401 `insufficient_user_authentication`, with what would do
 */
export async function requireFreshAuthentication(
  deps: Deps,
  tenantId: Id<"tenant">,
  access: { readonly sessionId: Id<"session"> | null; readonly scheme?: "Bearer" | "DPoP" },
  need: AuthenticationNeed,
): Promise<SessionProof> {
  const session = access.sessionId && (await findSessionProof(deps, tenantId, access.sessionId));
  if (!session || !satisfiesNeed(session, need, deps.clock.now()))
    throw insufficientUserAuthentication(need, access.scheme);
  return session;
}
