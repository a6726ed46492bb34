/** Clients that register themselves (RFC 7591) and look after their registration (RFC 7592). */
import type { Deps } from "../../deps.ts";
import { notFound, unauthorized } from "../../lib/errors.ts";
import { isId, newId } from "../../lib/ids.ts";
import { matchesHash, newSecretToken, parseSecretToken } from "../../lib/secret-token.ts";
import { invalidToken } from "../../protocol/oauth/bearer.ts";
import { type ClientMetadata, readClientMetadata } from "../../protocol/oauth/client-metadata.ts";
import {
  INVITED_REGISTRATION_GRANTS,
  OPEN_REGISTRATION_GRANTS,
  readRegistrationRequest,
  readRegistrationUpdate,
  registrationError,
} from "../../protocol/oauth/registration.ts";
import {
  checkSectorIdentifier,
  type Client,
  deleteClient,
  findClientById,
  insertRegisteredClient,
  replaceMetadata,
  validSecretHashes,
} from "../clients/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import { consumeInitialAccessToken, requireInitialAccessToken } from "./initial-access-tokens.ts";

export interface Registration {
  readonly client: Client;
  /** Shown this once. Undefined when none was made. */
  readonly clientSecret: string | undefined;
  readonly registrationAccessToken: string;
}

/**
 * Registers a client for whoever sends its metadata. Such a client is never first-party, and may ask for what the tenant
 * lets those ask for who registered themselves.
 * @param token the initial access token, if one was sent: then it is checked and used up, whether it was needed or not
 * @param body reads the request's: whoever may not register is told that first
 * @throws AppError 404 where the tenant has no registration, 401 without a token that it needs; OAuthError of RFC 7591
 *   §3.2.2, or invalid_token
 */
export async function registerClient(
  deps: Deps,
  tenant: Tenant,
  { token, body, context }: { token: string | undefined; body: () => unknown; context: RequestContext },
): Promise<Registration> {
  const { dynamic_registration: mode } = tenant.settings;
  if (mode === "off") throw notFound("There is nothing at this path.");
  if (mode === "token" && token === undefined) throw unauthorized("An initial access token is required.");
  const invitation =
    token === undefined ? undefined : await requireInitialAccessToken(deps, tenant.id, token);
  const grantTypes = invitation ? INVITED_REGISTRATION_GRANTS : OPEN_REGISTRATION_GRANTS;
  const metadata = await readMetadata(deps, tenant, readRegistrationRequest(body()), grantTypes);
  const now = deps.clock.now();
  const id = newId("client");
  const registration = newSecretToken(newId("registrationAccessToken"));
  const clientSecret = await deps.db.transaction(async (tx) => {
    if (invitation) await consumeInitialAccessToken(tx, tenant.id, invitation, now);
    return insertRegisteredClient(tx, {
      tenantId: tenant.id,
      id,
      // RFC 7591 §2: who gives no name is shown by the client_id.
      metadata: { ...metadata, name: metadata.name || id },
      registrationTokenHash: registration.hash,
      invitation,
      context,
      now,
    });
  });
  const client = await findClientById(deps, tenant.id, id);
  if (!client) throw new Error("a client vanished while it registered");
  return { client, clientSecret, registrationAccessToken: registration.token };
}

/**
 * The client whose registration access token this is. It is neither rotated nor ever expires: RFC 7592 leaves both to
 * the server, and an answer that got lost with the only copy of a new token would lock the client out for good.
 * @throws AppError 401 without a token; OAuthError invalid_token, the same for a client that is not there
 */
export async function requireRegistration(
  deps: Deps,
  tenant: Tenant,
  { clientId, token }: { clientId: string; token: string | undefined },
): Promise<Registration> {
  if (token === undefined) throw unauthorized("The registration access token is required.");
  const presented = parseSecretToken("registrationAccessToken", token);
  const client = presented && (await findRegistered(deps, tenant, clientId));
  const hash = client?.registrationTokenHash;
  if (!client || !hash || !matchesHash(presented.secret, hash)) throw invalidToken();
  return { client, clientSecret: undefined, registrationAccessToken: token };
}

/**
 * Replaces the client's metadata (RFC 7592 §2.2).
 * @throws OAuthError invalid_client_metadata, invalid_redirect_uri, unapproved_software_statement
 */
export async function updateRegistration(
  deps: Deps,
  tenant: Tenant,
  { registration, body, context }: { registration: Registration; body: unknown; context: RequestContext },
): Promise<Registration> {
  const { client } = registration;
  const hashes = validSecretHashes(client, deps.clock.now());
  const members = readRegistrationUpdate(body, {
    clientId: client.clientId,
    isSecret: (secret) => hashes.some((hash) => matchesHash(secret, hash)),
  });
  const metadata = await readMetadata(deps, tenant, members, grantTypesOf(client));
  const clientSecret = await replaceMetadata(
    deps,
    client,
    (before) => ({
      ...metadata,
      ...administrators(before, metadata),
      name: metadata.name || client.clientId,
    }),
    { actor: { type: "client", id: client.id }, context },
  );
  const changed = await findClientById(deps, tenant.id, client.id);
  if (!changed) throw invalidToken();
  return { ...registration, client: changed, clientSecret };
}

/** What it was once let have it may keep, and no more than everybody may have. */
const grantTypesOf = (client: Client) => [...new Set([...OPEN_REGISTRATION_GRANTS, ...client.grantTypes])];

/**
 * What only an administrator says of a client: an update does not reach it. The client can take its time over an update
 * (its sector_identifier_uri is asked for it), and an administrator may have changed or disabled it since it was read.
 * @param client as it is now
 * @throws OAuthError invalid_token for one that was disabled meanwhile
 */
function administrators(client: Client, asked: ClientMetadata): Partial<ClientMetadata> {
  if (!client.enabled) throw invalidToken();
  const grantTypes = asked.grantTypes.filter((grant) => grantTypesOf(client).includes(grant));
  const { enabled, resources, tokenExchangeModes, accessTokenFormat, accessTokenSigningAlg } = client;
  const { accessTokenLifetimeSeconds, refreshTokenLifetimeSeconds, idTokenLifetimeSeconds } = client;
  return {
    ...{ enabled, grantTypes, resources, tokenExchangeModes, accessTokenFormat, accessTokenSigningAlg },
    ...{ accessTokenLifetimeSeconds, refreshTokenLifetimeSeconds, idTokenLifetimeSeconds },
  };
}

/** Ends the client, with all that it was given (RFC 7592 §2.3). */
export function deleteRegistration(
  deps: Deps,
  tenant: Tenant,
  { client }: Registration,
  context: RequestContext,
): Promise<void> {
  return deleteClient(deps, tenant.id, client.id, { actor: { type: "client", id: client.id }, context });
}

async function findRegistered(deps: Deps, tenant: Tenant, clientId: string): Promise<Client | undefined> {
  if (tenant.settings.dynamic_registration === "off" || !isId("client", clientId)) return undefined;
  const client = await findClientById(deps, tenant.id, clientId);
  return client?.origin === "dynamic" && client.enabled ? client : undefined;
}

async function readMetadata(
  deps: Deps,
  tenant: Tenant,
  members: Readonly<Record<string, unknown>>,
  grantTypes: readonly string[],
): Promise<ClientMetadata> {
  const scopes = tenant.settings.self_registered_scopes;
  const read = readClientMetadata(members, { origin: "dynamic", grantTypes, scopes });
  if (!read.ok) throw registrationError(read.problems);
  const problems = await checkSectorIdentifier(deps, read.metadata);
  if (problems.length > 0) throw registrationError(problems);
  return read.metadata;
}
