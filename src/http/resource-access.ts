/** How a protected resource of ours reads its access token: as Bearer (RFC 6750), or bound to a key (RFC 9449 §7). */
import type { Deps } from "../deps.ts";
import { type Access, requireUserAccess } from "../domain/access-tokens/access.ts";
import type { Tenant } from "../domain/tenants/service.ts";
import { OAuthError, unauthorized } from "../lib/errors.ts";
import { bearerChallenge } from "../protocol/oauth/bearer.ts";
import { dpopChallenge, dpopResourceError, readPresentedToken } from "../protocol/oauth/dpop-resource.ts";
import type { RequestParameters } from "../protocol/oauth/parameters.ts";
import { consumeProof, dpopRequest, type ResponseHeaders } from "./dpop.ts";

/** Both schemes are named (RFC 9449 §7.2). */
const CHALLENGES = `${bearerChallenge()}, ${dpopChallenge()}`;

/**
 * The access that a request's token gives. A bound token is good with a proof of its key alone, and each proof once.
 * @param form where the endpoint takes forms (RFC 6750 §2.2)
 * @throws AppError 401 without a token; OAuthError invalid_token, invalid_dpop_proof or use_dpop_nonce
 */
export async function requireAccess(
  deps: Deps,
  {
    tenant,
    request,
    set,
    form,
  }: { tenant: Tenant; request: Request; set: ResponseHeaders; form?: RequestParameters | undefined },
): Promise<Access> {
  const { headers } = request;
  const presented = readPresentedToken(
    { authorization: headers.get("authorization"), dpop: headers.get("dpop") },
    dpopRequest(deps, tenant, request),
    form,
  );
  if (!presented) throw unauthorized(undefined, { headers: { "www-authenticate": CHALLENGES } });
  const access = await requireUserAccess(deps, tenant, presented);
  if (presented.proof) await asResource(consumeProof(deps, tenant, presented.proof, set));
  return access;
}

async function asResource<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof OAuthError ? dpopResourceError(error) : error;
  }
}
