import type { Deps } from "../../deps.ts";
import { signJwt } from "../../protocol/jose/sign-jwt.ts";
import { AuthorizationError } from "../../protocol/oauth/authorization-error.ts";
import { authorizationClientId } from "../../protocol/oauth/authorization-request.ts";
import {
  type AuthorizationAnswer,
  type AuthorizationResponse,
  deliver,
  errorAnswer,
  isJwtMode,
} from "../../protocol/oauth/authorization-response.ts";
import { JARM_TYP, jarmClaims } from "../../protocol/oauth/jarm.ts";
import { readParameters } from "../../protocol/oauth/parameters.ts";
import { requireAlgorithm } from "../access-tokens/mint.ts";
import { type Client, findClient } from "../clients/service.ts";
import { signingKeyOf } from "../keys/service.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";

/** The request is answered, by a code or an error. */
export interface Answered {
  readonly kind: "respond";
  readonly response: AuthorizationResponse;
}

/** An answer on its way to the client, signed where the client asked for that (JARM §2). */
export async function sendAnswer(
  deps: Deps,
  tenant: Tenant,
  client: Client,
  answer: AuthorizationAnswer,
): Promise<Answered> {
  if (!isJwtMode(answer.target.responseMode)) return { kind: "respond", response: deliver(answer) };
  const alg = requireAlgorithm(client.authorizationSignedResponseAlg ?? client.idTokenSignedResponseAlg);
  const claims = jarmClaims(answer, {
    issuer: issuerOf(tenant, deps.config.publicUrl),
    clientId: client.clientId,
    now: deps.clock.now(),
  });
  const key = await signingKeyOf(deps, tenant.id, alg);
  return { kind: "respond", response: deliver(answer, await signJwt(claims, { typ: JARM_TYP, key })) };
}

/**
 * Goes through with a step of a request, and tells its client of an error.
 * @param search the request's parameters, as far as they are known
 * @throws AuthorizationError only when it must be shown instead of sent to the client
 */
export async function answeringErrors<T>(
  deps: Deps,
  { tenant, search }: { tenant: Tenant; search: string },
  step: () => Promise<T>,
): Promise<T | Answered> {
  try {
    return await step();
  } catch (error) {
    const issuer = issuerOf(tenant, deps.config.publicUrl);
    const answer = error instanceof AuthorizationError ? errorAnswer(error, issuer) : undefined;
    if (!answer) throw error;
    const clientId = authorizationClientId(readParameters(new URLSearchParams(search)));
    const client = await findClient(deps, tenant.id, clientId);
    if (!client) throw error;
    return sendAnswer(deps, tenant, client, answer);
  }
}
