/** Making, changing and ending clients. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { conflict, type FieldError, forbidden, notFound, validationError } from "../../lib/errors.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { memberProblem, scopesMember } from "../../protocol/oauth/client-metadata-members.ts";
import { type ClientMetadata, readClientMetadata } from "../../protocol/oauth/client-metadata.ts";
import { administeredMembers } from "../../protocol/oauth/registration.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import { clientCache } from "./cache.ts";
import { type Client, DEFAULT_SCOPES } from "./model.ts";
import * as repo from "./repo.ts";
import { differences, looksLikeAnother } from "./differences.ts";
import { createSecret, isLiveSecret, usesSecret } from "./secrets.ts";
import { checkSectorIdentifier } from "./sector-identifier.ts";

export interface ChangedBy {
  readonly actor: audit.Actor;
  readonly context: RequestContext;
}

export interface NewClient extends Partial<ClientMetadata> {
  name: string;
  redirectUris: readonly string[];
  /** Empty: authorization_code and refresh_token. */
  grantTypes: readonly string[];
  /** Without any credentials, whatever `tokenEndpointAuthMethod` says. */
  public: boolean;
  firstParty: boolean;
}

export interface MadeClient {
  readonly client: Client;
  /** Shown this once. Undefined when none was made. */
  readonly clientSecret: string | undefined;
}

/**
 * Registers a client.
 * @throws AppError 422 that names each wrong field
 */
export function createClient(
  deps: Deps,
  tenantId: Id<"tenant">,
  input: NewClient,
  by: ChangedBy,
): Promise<MadeClient> {
  const { grantTypes, public: isPublic, ...metadata } = input;
  const {
    client_name,
    scope: _scope,
    ...members
  } = administeredMembers({
    ...metadata,
    ...(grantTypes.length > 0 ? { grantTypes } : {}),
    ...(isPublic ? { tokenEndpointAuthMethod: "none" } : {}),
  });
  return createClientFrom(deps, tenantId, { ...members, name: client_name, scopes: input.scopes }, by);
}

/**
 * A client as an administrator describes it: the members of `protocol/oauth/client-metadata-members.ts`, with `name`
 * instead of client_name and a list of `scopes` instead of scope. What is null or undefined is left out.
 */
export type Description = Readonly<Record<string, unknown>>;

/** A client as it is now, to be shown, or to be changed in part and given to `updateClient`. */
export function describeClient(client: ClientMetadata): Description {
  const { client_name: name, scope: _scope, ...members } = administeredMembers(client);
  return { ...members, name, scopes: client.scopes };
}

/**
 * The same, from a description.
 * @throws AppError 422 that names each wrong field
 */
export async function createClientFrom(
  deps: Deps,
  tenantId: Id<"tenant">,
  description: Description,
  by: ChangedBy,
): Promise<MadeClient> {
  const insert = await prepareClient(deps, description);
  const { id, clientSecret } = await deps.db.transaction((tx) => insert(tx, tenantId, by));
  return { client: await requireClient(deps, tenantId, id), clientSecret };
}

/**
 * The part of `createClientFrom` that takes long and may refuse, for a client that is made in another's transaction.
 * @returns what inserts it, perhaps under a client_id that it had elsewhere
 * @throws AppError 422 that names each wrong field
 */
export async function prepareClient(deps: Deps, description: Description) {
  const metadata = await readDescription(deps, description);
  const now = deps.clock.now();
  return async (
    tx: Executor,
    tenantId: Id<"tenant">,
    by: ChangedBy,
    clientId?: Id<"client">,
  ): Promise<{ id: Id<"client">; clientSecret: string | undefined }> => {
    requireMayBeOwn(metadata, by);
    const id = newId("client");
    const origin = "administrator";
    const row = { tenantId, id, clientId: clientId ?? id, origin, createdAt: now, updatedAt: now } as const;
    if (!(await repo.insertClient(tx, { ...metadata, ...row })))
      throw conflict("Another client has this client_id already.");
    const clientSecret = usesSecret(metadata) ? await createSecret(tx, tenantId, id, now) : undefined;
    await audit.record(tx, {
      tenantId,
      type: "client.created",
      target: { type: "client", id },
      details: { after: administeredMembers(metadata) },
      now,
      actor: by.actor,
      context: by.context,
    });
    return { id, clientSecret };
  };
}

/**
 * Replaces all that is said of a client. Who becomes a client with a secret gets one, whose secrets end that needs none.
 * @throws AppError 404, 403 for the built-in client, 409 for what describes itself, 422 that names each wrong field
 */
export async function updateClient(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: Id<"client">,
  description: Description,
  by: ChangedBy,
): Promise<MadeClient> {
  const found = await requireChangeable(deps, tenantId, id);
  requireMayBeOwn(found, by);
  const read = await readDescription(deps, description);
  requireMayBeOwn(read, by);
  const metadata = found.origin === "administrator" ? read : selfRegistered(found, read);
  const clientSecret = await replaceMetadata(deps, found, () => metadata, by);
  return { client: await requireClient(deps, tenantId, id), clientSecret };
}

/**
 * To an application of one's own everybody is signed in without being asked, administrators too, and administers by it. Where
 * their codes go is not said by a key, which may be a thief's. @throws AppError 403
 */
function requireMayBeOwn({ firstParty }: Pick<ClientMetadata, "firstParty">, { context }: ChangedBy): void {
  if (firstParty && context.apiKeyId !== undefined)
    throw forbidden("An API key neither makes nor changes first-party clients.");
}

/** A client that registered itself stays one: an administrator can change it, but not make it one of their own. */
function selfRegistered(found: Client, read: ClientMetadata): ClientMetadata {
  if (found.origin === "metadata_document") {
    const before = JSON.stringify(administeredMembers({ ...found, enabled: read.enabled }));
    if (JSON.stringify(administeredMembers(read)) !== before)
      throw conflict("This client describes itself by its metadata document: only enabled can be changed.");
    return read;
  }
  if (read.firstParty)
    throw fieldErrors([{ field: "first_party", message: "A client that registered itself is never that." }]);
  return read;
}

/**
 * Writes new metadata, and what follows from it for the client's secrets.
 * @param metadataOf is told the client as it is now, which nobody else changes until this is done
 * @returns a new secret, if one was made
 */
export async function replaceMetadata(
  deps: Deps,
  { tenantId, id }: Pick<Client, "tenantId" | "id">,
  metadataOf: (before: Client) => ClientMetadata,
  by: ChangedBy,
): Promise<string | undefined> {
  const now = deps.clock.now();
  const secret = await deps.db.transaction(async (tx) => {
    const before = (await repo.lockClient(tx, tenantId, id)) && (await repo.findById(tx, tenantId, id));
    if (!before) throw notFound();
    const metadata = metadataOf(before);
    await repo.updateClient(tx, tenantId, id, { ...metadata, updatedAt: now });
    if (!usesSecret(metadata)) await repo.endSecrets(tx, tenantId, id, { at: now, now });
    const needsOne = usesSecret(metadata) && !before.secrets.some(isLiveSecret(now));
    const made = needsOne ? await createSecret(tx, tenantId, id, now) : undefined;
    const changes = differences(before, metadata);
    if (before.origin === "dynamic" && looksLikeAnother(changes)) await repo.forgetConsents(tx, tenantId, id);
    await audit.record(tx, {
      tenantId,
      type: "client.updated",
      target: { type: "client", id },
      details: changes,
      now,
      ...by,
    });
    return made;
  });
  clientCache(deps).forget(tenantId);
  return secret;
}

/**
 * Ends a client, with every code, token and consent that it was given.
 * @throws AppError 404, 403 for the built-in client
 */
export async function deleteClient(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: Id<"client">,
  by: ChangedBy,
): Promise<void> {
  await requireChangeable(deps, tenantId, id);
  await deps.db.transaction(async (tx) => {
    const before = (await repo.lockClient(tx, tenantId, id)) && (await repo.findById(tx, tenantId, id));
    if (!before) throw notFound();
    await repo.deleteClient(tx, tenantId, id);
    await audit.record(tx, {
      tenantId,
      type: "client.deleted",
      target: { type: "client", id },
      details: { before: administeredMembers(before) },
      now: deps.clock.now(),
      ...by,
    });
  });
  clientCache(deps).forget(tenantId);
}

/**
 * Makes a new secret. The old ones end after the overlap, so that a client can be changed over without an outage.
 * @param overlapSeconds 0: they end at once, as they must when one of them leaked
 * @throws AppError 404, 403 for the built-in client, 409 for a client that uses no secret
 */
export async function rotateSecret(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: Id<"client">,
  overlapSeconds: number,
  by: ChangedBy,
): Promise<MadeClient> {
  const found = await requireChangeable(deps, tenantId, id);
  if (!usesSecret(found)) throw conflict("This client authenticates without a secret.");
  const now = deps.clock.now();
  const at = addSeconds(now, overlapSeconds);
  const clientSecret = await deps.db.transaction(async (tx) => {
    if (!(await repo.lockClient(tx, tenantId, id))) throw notFound();
    await repo.endSecrets(tx, tenantId, id, { at, now });
    const made = await createSecret(tx, tenantId, id, now);
    await audit.record(tx, {
      tenantId,
      type: "client.secret_rotated",
      target: { type: "client", id },
      details: { overlap_seconds: overlapSeconds },
      now,
      ...by,
    });
    return made;
  });
  clientCache(deps).forget(tenantId);
  return { client: await requireClient(deps, tenantId, id), clientSecret };
}

async function readDescription(deps: Deps, description: Description): Promise<ClientMetadata> {
  const { name, scopes, ...members } = description;
  const wrong = scopes === null || scopes === undefined ? undefined : memberProblem(scopesMember, scopes);
  if (wrong) throw validationError([{ field: "scopes", message: wrong }]);
  const read = readClientMetadata(
    { ...members, client_name: name, scope: Array.isArray(scopes) ? scopes.join(" ") : undefined },
    { origin: "administrator", defaultScopes: DEFAULT_SCOPES },
  );
  if (!read.ok) throw fieldErrors(read.problems);
  const problems = await checkSectorIdentifier(deps, read.metadata);
  if (problems.length > 0) throw fieldErrors(problems);
  return read.metadata;
}

const fieldErrors = (problems: readonly FieldError[]) =>
  validationError(
    problems.map(({ field, message }) => ({ field: field === "client_name" ? "name" : field, message })),
  );

async function requireClient(deps: Deps, tenantId: Id<"tenant">, id: Id<"client">): Promise<Client> {
  const client = await repo.findById(deps.db, tenantId, id);
  if (!client) throw notFound();
  return client;
}

async function requireChangeable(deps: Deps, tenantId: Id<"tenant">, id: Id<"client">): Promise<Client> {
  const client = await requireClient(deps, tenantId, id);
  if (client.origin === "built_in") throw forbidden("This client is part of the tenant and stays as it is.");
  return client;
}
