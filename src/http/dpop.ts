/** DPoP proofs (RFC 9449) of any endpoint: what the pure rules need to know of the request and of the tenant. */
import type { Deps } from "../deps.ts";
import { currentNonce, isFreshNonce } from "../domain/replay/nonces.ts";
import { useOnce } from "../domain/replay/service.ts";
import { issuerOf, type Tenant } from "../domain/tenants/service.ts";
import { type DpopProof, type DpopRequest, replayedDpopProof } from "../protocol/oauth/dpop.ts";

/** The response's headers, to which the next nonce is added (RFC 9449 §8.2). */
export interface ResponseHeaders {
  readonly headers: Record<string, string | number>;
}

/** The URL is put together from the tenant's configured issuer, never from what the request calls its host. */
export function dpopRequest(deps: Deps, tenant: Tenant, request: Request): DpopRequest {
  return {
    method: request.method,
    // Only a proof has it compared.
    get url() {
      return issuerOf(tenant, deps.config.publicUrl) + new URL(request.url).pathname;
    },
    now: deps.clock.now(),
    nonce: {
      required: tenant.settings.dpop_nonce_required,
      isFresh: (nonce) => isFreshNonce(deps, tenant, nonce),
      current: () => currentNonce(deps, tenant),
    },
  };
}

/**
 * Uses a checked proof up (RFC 9449 §11.1), and tells the client the nonce for its next one.
 * @returns the thumbprint of its key
 * @throws OAuthError invalid_dpop_proof (400) for one that was used before
 */
export async function consumeProof(
  deps: Deps,
  tenant: Tenant,
  proof: DpopProof,
  response: ResponseHeaders,
): Promise<string> {
  response.headers["dpop-nonce"] = currentNonce(deps, tenant);
  if (!(await useOnce(deps.db, tenant.id, proof.use))) throw replayedDpopProof();
  return proof.jkt;
}
