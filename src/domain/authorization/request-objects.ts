import type { Deps } from "../../deps.ts";
import type { RequestParameters } from "../../protocol/oauth/parameters.ts";
import {
  readRequestObject,
  replayedRequestObject,
  verifyRequestObject,
} from "../../protocol/oauth/request-object.ts";
import { findClient } from "../clients/service.ts";
import { findForeignKey } from "../remote-documents/client-keys.ts";
import { useOnce } from "../replay/service.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";

/**
 * The parameters of the request object that a request came in (RFC 9101 §6), which it is used up by.
 * @returns undefined when it came in none
 * @throws OAuthError invalid_request or invalid_request_object
 */
export async function openRequestObject(
  deps: Deps,
  tenant: Tenant,
  parameters: RequestParameters,
): Promise<URLSearchParams | undefined> {
  const object = readRequestObject(parameters);
  if (!object) return undefined;
  const client = await findClient(deps, tenant.id, object.clientId);
  const key = client && (await findForeignKey(deps, client, object.jwt.hint));
  const verified = verifyRequestObject(object, key, {
    issuer: issuerOf(tenant, deps.config.publicUrl),
    now: deps.clock.now(),
    signingAlg: client?.requestObjectSigningAlg ?? null,
  });
  if (!(await useOnce(deps.db, tenant.id, verified.use))) throw replayedRequestObject();
  return verified.parameters;
}
