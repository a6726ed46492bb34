import type { Deps } from "../../deps.ts";
import { verifyJwt } from "../../protocol/jose/verify-jwt.ts";
import { AuthorizationError } from "../../protocol/oauth/authorization-error.ts";
import type { AuthorizationRequest } from "../../protocol/oauth/authorization-request.ts";
import type { Client } from "../clients/service.ts";
import { keyRingOf } from "../keys/service.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";

/**
 * The subject of an id_token_hint: an ID token that we gave this client, however old (OpenID Connect Core §3.1.2.1).
 * It is what the client knows the person as, a pairwise one (§8.1) too.
 * @throws AuthorizationError invalid_request, for the client
 */
export async function findHintedSubject(
  deps: Deps,
  tenant: Tenant,
  { request, client }: { request: AuthorizationRequest; client: Client },
): Promise<string | undefined> {
  if (request.idTokenHint === undefined) return undefined;
  const ring = await keyRingOf(deps, tenant.id);
  const verified = verifyJwt(request.idTokenHint, {
    keyOf: (kid) => ring.hintVerificationKey(kid),
    issuer: issuerOf(tenant, deps.config.publicUrl),
    audience: client.clientId,
    typ: "JWT",
    now: deps.clock.now(),
    acceptExpired: true,
  });
  const subject = verified.ok ? verified.claims["sub"] : undefined;
  if (typeof subject === "string") return subject;
  throw new AuthorizationError(
    "invalid_request",
    "The id_token_hint is not an ID token of this client.",
    request,
  );
}
