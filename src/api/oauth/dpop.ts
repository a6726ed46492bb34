import type { Deps } from "../../deps.ts";
import type { Tenant } from "../../domain/tenants/service.ts";
import { consumeProof, dpopRequest, type ResponseHeaders } from "../../http/dpop.ts";
import { verifyDpopProof } from "../../protocol/oauth/dpop.ts";

/** A key that the request proved, with its proof not yet used up. */
export interface ProvenKey {
  /**
   * To be called once the client is known: whoever is not a client writes nothing to our database.
   * @returns the key's thumbprint
   * @throws OAuthError invalid_dpop_proof for a proof that was used before
   */
  useOnce(): Promise<string>;
}

/**
 * Checks the DPoP proof of a request to an endpoint that clients call themselves (RFC 9449 §5). It comes before client
 * authentication: a client that is sent for a nonce must not have used up its assertion by then.
 * @returns undefined when the request has none
 * @throws OAuthError invalid_dpop_proof or use_dpop_nonce
 */
export function proveKey(
  deps: Deps,
  { tenant, request, set }: { tenant: Tenant; request: Request; set: ResponseHeaders },
): ProvenKey | undefined {
  const proof = verifyDpopProof(request.headers.get("dpop"), dpopRequest(deps, tenant, request));
  return proof && { useOnce: () => consumeProof(deps, tenant, proof, set) };
}
