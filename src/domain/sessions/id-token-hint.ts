import type { Deps } from "../../deps.ts";
import { ANY_AUDIENCE, verifyJwt } from "../../protocol/jose/verify-jwt.ts";
import type { LogoutHint } from "../../protocol/oidc/rp-initiated-logout.ts";
import { keyRingOf } from "../keys/service.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";

/**
 * Reads an ID token that this tenant issued, to whichever client, however long ago it expired (OpenID Connect Core
 * §3.1.2.1). Its key may be retired, but not revoked.
 * @returns undefined for anything else
 */
export async function readIdTokenHint(
  deps: Deps,
  tenant: Tenant,
  hint: string,
): Promise<LogoutHint | undefined> {
  const ring = await keyRingOf(deps, tenant.id);
  const verified = verifyJwt(hint, {
    keyOf: (kid) => ring.hintVerificationKey(kid),
    issuer: issuerOf(tenant, deps.config.publicUrl),
    audience: ANY_AUDIENCE,
    typ: "JWT",
    now: deps.clock.now(),
    acceptExpired: true,
  });
  if (!verified.ok) return undefined;
  const { sub, aud, sid } = verified.claims;
  // Each of our ID tokens is for one client.
  if (typeof sub !== "string" || typeof aud !== "string") return undefined;
  return { subject: sub, clientId: aud, sessionId: typeof sid === "string" ? sid : undefined };
}
