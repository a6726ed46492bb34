import type { Deps } from "../../deps.ts";
import { OAuthError } from "../../lib/errors.ts";
import { AuthorizationError } from "../../protocol/oauth/authorization-error.ts";
import { authorizationClientId, findResponseTarget } from "../../protocol/oauth/authorization-request.ts";
import { readParameters, type RequestParameters } from "../../protocol/oauth/parameters.ts";
import { pushedRequestReference } from "../../protocol/oauth/pushed-authorization-request.ts";
import { findClient } from "../clients/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { authorizationClient } from "./client.ts";
import { type Interaction, requireBounded } from "./interaction.ts";
import { openPushedRequest } from "./pushed-requests.ts";
import { openRequestObject } from "./request-objects.ts";
import { type Answered, answeringErrors } from "./respond.ts";

/** A request that has arrived, and waits for its person. */
export interface Begun {
  readonly kind: "begun";
  readonly interaction: Interaction;
}

/**
 * What a browser brought to the authorization endpoint, unpacked once. A request object is used up by it, pushed parameters
 * by their answer (RFC 9126 §4, §7.3); nothing counts that stood beside either (§4; RFC 9101 §6.3). The pages then go on
 * with what was in it.
 * @throws OAuthError that is to be shown, since it does not say where to answer
 */
export async function beginAuthorization(
  deps: Deps,
  tenant: Tenant,
  search: string,
): Promise<Begun | Answered> {
  const requestedAt = deps.clock.now();
  const parameters = readParameters(new URLSearchParams(requireBounded(search)));
  return answeringErrors(deps, { tenant, search }, async () => {
    const unpacked = await unpack(deps, tenant, parameters).catch((error: unknown) =>
      refuse(deps, tenant, parameters, error),
    );
    return { kind: "begun", interaction: { search, ...unpacked, requestedAt } };
  });
}

async function unpack(
  deps: Deps,
  tenant: Tenant,
  parameters: RequestParameters,
): Promise<Pick<Interaction, "delivery" | "pushedRequest"> & { search?: string }> {
  const signed = await openRequestObject(deps, tenant, parameters);
  // Written as a query it is longer than it was in the object.
  if (signed) {
    return { search: requireBounded(signed.toString()), delivery: { pushed: false, signed: true } };
  }
  const reference = pushedRequestReference(parameters);
  if (reference === undefined) return { delivery: { pushed: false, signed: false } };
  const clientId = authorizationClientId(parameters);
  const { id, search } = await openPushedRequest(deps, tenant, { clientId, reference });
  // What its client has to sign was checked when it was pushed.
  return { search, delivery: { pushed: true, signed: true }, pushedRequest: id };
}

/** The client is told where the parameters beside what cannot be read name a redirect_uri of its own (RFC 9101 §7). */
async function refuse(
  deps: Deps,
  tenant: Tenant,
  parameters: RequestParameters,
  error: unknown,
): Promise<never> {
  if (!(error instanceof OAuthError)) throw error;
  const client = await findClient(deps, tenant.id, authorizationClientId(parameters));
  const target = client && findResponseTarget(parameters, authorizationClient(deps, tenant, client));
  throw new AuthorizationError(error.code, error.message, target);
}
