import type { Deps } from "../../deps.ts";
import { type Client, findClient, validSecretHashes } from "../../domain/clients/service.ts";
import { findForeignKey } from "../../domain/remote-documents/client-keys.ts";
import { useOnce } from "../../domain/replay/service.ts";
import { issuerOf, type Tenant } from "../../domain/tenants/service.ts";
import {
  type ClientAssertion,
  replayedClientAssertion,
  verifyClientAssertion,
} from "../../protocol/oauth/client-assertion.ts";
import { authenticateClient, readClientCredentials } from "../../protocol/oauth/client-authentication.ts";
import type { RequestParameters } from "../../protocol/oauth/parameters.ts";

/**
 * The client of a request to an endpoint that no browser opens (token, introspection, revocation, pushed authorization
 * requests, device authorization), by the one method it is registered for. With a secret and a warm cache, no database
 * is asked.
 * @throws OAuthError invalid_client, the same for a client that does not exist (RFC 6749 §5.2)
 */
export async function requireClient(
  deps: Deps,
  { tenant, request, parameters }: { tenant: Tenant; request: Request; parameters: RequestParameters },
): Promise<Client> {
  const credentials = readClientCredentials(request.headers.get("authorization"), parameters);
  const client = await findClient(deps, tenant.id, credentials.clientId);
  const known = client && {
    clientId: client.clientId,
    tokenEndpointAuthMethod: client.tokenEndpointAuthMethod,
    secretHashes: validSecretHashes(client, deps.clock.now()),
    client,
  };
  if (credentials.method !== "private_key_jwt") return authenticateClient(credentials, known).client;
  const verified = await isVerified(deps, tenant, client, credentials.assertion);
  return authenticateClient(credentials, known, undefined, verified).client;
}

/** Only a client that is registered for assertions is asked for its keys: others have them for other purposes. */
async function isVerified(
  deps: Deps,
  tenant: Tenant,
  client: Client | undefined,
  assertion: ClientAssertion,
): Promise<boolean> {
  if (client?.tokenEndpointAuthMethod !== "private_key_jwt") return false;
  const key = await findForeignKey(deps, client, assertion.jwt.hint);
  const use = verifyClientAssertion(assertion, key, {
    issuer: issuerOf(tenant, deps.config.publicUrl),
    now: deps.clock.now(),
    signingAlg: client.tokenEndpointAuthSigningAlg,
  });
  if (!(await useOnce(deps.db, tenant.id, use))) throw replayedClientAssertion();
  return true;
}

/** What a client may ask tokens for: this server itself, and what it is registered for (RFC 8707). */
export function requestableResources(deps: Deps, tenant: Tenant, client: Client): string[] {
  return [issuerOf(tenant, deps.config.publicUrl), ...client.resources];
}
