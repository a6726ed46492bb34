/** Pushed authorization requests (RFC 9126). */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { OAuthError } from "../../lib/errors.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { matchesHash, newSecretToken, parseSecretToken } from "../../lib/secret-token.ts";
import { validateAuthorizationRequest } from "../../protocol/oauth/authorization-request.ts";
import { readParameters } from "../../protocol/oauth/parameters.ts";
import {
  invalidRequestUri,
  PUSHED_REQUEST_LIFETIME_SECONDS,
  type PushedAuthorizationResponse,
  pushedAuthorizationResponse,
  readPushedRequest,
  requireUsablePushedRequest,
} from "../../protocol/oauth/pushed-authorization-request.ts";
import type { Client } from "../clients/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { authorizationClient } from "./client.ts";
import { requireBounded } from "./interaction.ts";
import * as repo from "./repo.ts";
import { openRequestObject } from "./request-objects.ts";

/**
 * Checks a request in full, as the authorization endpoint would, and keeps it for the browser (RFC 9126 §2.1).
 * @param form what the client sent, which has authenticated itself
 * @param provenJkt thumbprint of the DPoP proof's key: the code is bound to it (RFC 9449 §10.1)
 * @throws OAuthError as the authorization endpoint would answer
 */
export async function pushAuthorizationRequest(
  deps: Deps,
  input: { tenant: Tenant; client: Client; form: URLSearchParams; provenJkt: string | undefined },
): Promise<PushedAuthorizationResponse> {
  const { tenant, client, form, provenJkt } = input;
  const pushed = readPushedRequest(form, client.clientId);
  const signed = await openRequestObject(deps, tenant, readParameters(pushed));
  const search = bindToKey(signed ?? pushed, provenJkt);
  validateAuthorizationRequest(readParameters(search), authorizationClient(deps, tenant, client), {
    pushed: true,
    signed: signed !== undefined,
  });
  const now = deps.clock.now();
  const id = newId("pushedRequest");
  const { token, hash } = newSecretToken(id);
  await repo.insertPushedRequest(deps.db, {
    tenantId: tenant.id,
    id,
    hash,
    clientId: client.id,
    search: requireBounded(search.toString()),
    dpopJkt: provenJkt ?? null,
    createdAt: now,
    expiresAt: addSeconds(now, PUSHED_REQUEST_LIFETIME_SECONDS),
  });
  return pushedAuthorizationResponse(token);
}

/** @throws OAuthError invalid_dpop_proof when the request names another key than was proven (RFC 9449 §10.1) */
function bindToKey(search: URLSearchParams, provenJkt: string | undefined): URLSearchParams {
  if (provenJkt === undefined) return search;
  const named = search.getAll("dpop_jkt");
  if (named.some((jkt) => jkt !== provenJkt))
    throw new OAuthError("invalid_dpop_proof", "dpop_jkt names another key than the DPoP proof.");
  const bound = new URLSearchParams(search);
  bound.set("dpop_jkt", provenJkt);
  return bound;
}

/**
 * The parameters of a pushed request that a browser brings (RFC 9126 §4). It is not used up by that, but by its answer
 * (`usePushedRequest`): software that opens addresses ahead of people must not spoil it (FAPI 2.0 Security Profile §5.3.2.2).
 * @param clientId what stands beside the reference
 * @throws OAuthError invalid_request_uri for one that is unknown, expired, used up or another client's, all alike
 */
export async function openPushedRequest(
  deps: Deps,
  tenant: Tenant,
  { clientId, reference }: { clientId: string; reference: string },
): Promise<{ id: Id<"pushedRequest">; search: string }> {
  const now = deps.clock.now();
  const token = parseSecretToken("pushedRequest", reference);
  const found = token && (await repo.findPushedRequest(deps.db, tenant.id, token.id));
  if (!found || !matchesHash(token.secret, found.hash)) throw invalidRequestUri();
  const { id, search } = requireUsablePushedRequest(found, { clientId, now });
  return { id, search };
}

/**
 * Uses a pushed request up: it is answered once (RFC 9126 §7.3), in however many pages it was opened.
 * @throws OAuthError invalid_request_uri when it was answered before
 */
export async function usePushedRequest(deps: Deps, tenant: Tenant, id: Id<"pushedRequest">): Promise<void> {
  if (!(await repo.consumePushedRequest(deps.db, tenant.id, id, deps.clock.now()))) throw invalidRequestUri();
}
