import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { type FieldError, validationError } from "../../lib/errors.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { newSecretToken } from "../../lib/secret-token.ts";
import { isDisplayName } from "../../lib/display-name.ts";
import { sha256 } from "../../lib/crypto.ts";
import { redirectUriProblem } from "../../protocol/oauth/redirect-uri.ts";
import { isScopeToken } from "../../protocol/oauth/scope.ts";
import { grantTypes, isGrantType } from "../../protocol/oauth/token-request.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import { type Client, DEFAULT_SCOPES, NATIVE_CLIENT_ID } from "./model.ts";
import * as repo from "./repo.ts";

export { type Client, DEFAULT_SCOPES, NATIVE_CLIENT_ID } from "./model.ts";

/** A client by what it calls itself, from the cache where possible; undefined when unknown or disabled. */
export async function findClient(
  deps: Deps,
  tenantId: Id<"tenant">,
  clientId: string,
): Promise<Client | undefined> {
  // Longer ones cannot be ours, and would only fill the cache's keys.
  if (clientId.length > 512) return undefined;
  const client = await deps.caches
    .named<Client>("clients", ["clients", "client_secrets"])
    .get(tenantId, clientId, () => repo.findByClientId(deps.db, tenantId, clientId));
  return client?.enabled ? client : undefined;
}

/** SHA-256 of each secret of the client that is valid at `now`. */
export function validSecretHashes(client: Client, now: Date): Buffer[] {
  return client.secrets.filter(({ expiresAt }) => !expiresAt || expiresAt > now).map(({ hash }) => hash);
}

export interface NewClient {
  name: string;
  redirectUris: readonly string[];
  /** Empty: authorization_code and refresh_token. */
  grantTypes: readonly string[];
  scopes?: readonly string[];
  public: boolean;
  firstParty: boolean;
  applicationType?: "web" | "native";
  postLogoutRedirectUris?: readonly string[];
}

/**
 * Registers a client.
 * @returns its secret, which is shown this once; undefined for a public client.
 * @throws AppError 422 that names each wrong field
 */
export async function createClient(
  deps: Deps,
  tenantId: Id<"tenant">,
  input: NewClient,
  by: { actor: audit.Actor; context: RequestContext },
): Promise<{ client: Client; clientSecret: string | undefined }> {
  const grants = input.grantTypes.length > 0 ? input.grantTypes : ["authorization_code", "refresh_token"];
  const applicationType = input.applicationType ?? "web";
  const problems = clientProblems({ ...input, grantTypes: grants, applicationType });
  if (problems.length > 0) throw validationError(problems);

  const now = deps.clock.now();
  const id = newId("client");
  const secretId = newId("clientSecret");
  const secret = input.public ? undefined : newSecretToken(secretId);
  await deps.db.transaction(async (tx) => {
    await repo.insertClient(tx, {
      tenantId,
      id,
      clientId: id,
      name: input.name.trim(),
      applicationType,
      tokenEndpointAuthMethod: input.public ? "none" : "client_secret_basic",
      grantTypes: [...grants],
      redirectUris: [...input.redirectUris],
      postLogoutRedirectUris: [...(input.postLogoutRedirectUris ?? [])],
      scopes: [...(input.scopes ?? DEFAULT_SCOPES)],
      firstParty: input.firstParty,
      // OpenID Connect Core §15.1: RS256 is what every client understands.
      idTokenSignedResponseAlg: "RS256",
      accessTokenSigningAlg: "ES256",
      createdAt: now,
      updatedAt: now,
    });
    // The digest covers the whole token, prefix and id included: that is what the client presents.
    if (secret)
      await repo.insertSecret(tx, {
        tenantId,
        id: secretId,
        clientId: id,
        hash: sha256(secret.token),
        createdAt: now,
      });
    await audit.record(tx, {
      tenantId,
      type: "client.created",
      target: { type: "client", id },
      details: { name: input.name, grant_types: grants, public: input.public },
      now,
      ...by,
    });
  });
  const client = await repo.findByClientId(deps.db, tenantId, id);
  if (!client) throw new Error("a client vanished while it was made");
  return { client, clientSecret: secret?.token };
}

function clientProblems(input: NewClient & { applicationType: "web" | "native" }): FieldError[] {
  const problems: FieldError[] = [];
  const name = input.name.trim();
  if (!isDisplayName(name))
    problems.push({ field: "name", message: "Must be 1 to 128 printable characters." });
  for (const grant of input.grantTypes) {
    if (!isGrantType(grant)) {
      problems.push({ field: "grant_types", message: `Must be among ${grantTypes.join(", ")}.` });
    }
  }
  if (input.public && input.grantTypes.includes("client_credentials")) {
    problems.push({
      field: "grant_types",
      message: "A public client has no credentials to use client_credentials with.",
    });
  }
  if (input.grantTypes.includes("authorization_code") && input.redirectUris.length === 0) {
    problems.push({
      field: "redirect_uris",
      message: "The authorization_code grant needs at least one redirect URI.",
    });
  }
  for (const uri of input.redirectUris) {
    const problem = redirectUriProblem(uri, input.applicationType);
    if (problem) problems.push({ field: "redirect_uris", message: `Each one ${problem}.` });
  }
  if (input.scopes?.some((scope) => !isScopeToken(scope))) {
    problems.push({ field: "scopes", message: "Each one must be a scope token (RFC 6749 §3.3)." });
  }
  return problems;
}

/** The client that the native API issues tokens to; part of every tenant. */
export async function createNativeClient(
  executor: Executor,
  tenantId: Id<"tenant">,
  now: Date,
): Promise<void> {
  await repo.insertClient(executor, {
    tenantId,
    id: newId("client"),
    clientId: NATIVE_CLIENT_ID,
    name: "Native API",
    applicationType: "native",
    tokenEndpointAuthMethod: "none",
    grantTypes: [],
    redirectUris: [],
    postLogoutRedirectUris: [],
    scopes: ["openid", "profile", "email"],
    firstParty: true,
    idTokenSignedResponseAlg: "RS256",
    accessTokenSigningAlg: "ES256",
    createdAt: now,
    updatedAt: now,
  });
}
