/** Long-lived keys by which programs act for a user, or as a service account. */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { isDisplayName } from "../../lib/display-name.ts";
import { conflict, type FieldError, notFound, validationError } from "../../lib/errors.ts";
import { type Id, isId, newId } from "../../lib/ids.ts";
import { matchesHash, newSecretToken, parseSecretToken } from "../../lib/secret-token.ts";
import { administers } from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import * as repo from "./repo.ts";
import { ACCOUNT_SCOPE, allApiKeyScopes, type ApiKeyScope, isApiKeyScope } from "./scopes.ts";

export type { ApiKey, KeyOwner } from "./repo.ts";

interface By {
  readonly actor: audit.Actor;
  readonly context: RequestContext;
}

export interface NewApiKey {
  readonly name: string;
  /** By name, as they were given. */
  readonly scopes: readonly string[];
  /** Days until it ends; null: no end. */
  readonly expiresInDays: number | null;
}

/** More live keys than anybody keeps apart. */
const MOST_LIVE_KEYS = 50;
/** Revoked ones among them. */
const MOST_SHOWN = 200;
const DAY_SECONDS = 86_400;
const TOUCH_SECONDS = 60;

/**
 * Makes a key.
 * @param owner with the roles that they have now: a key's scopes are of what its owner may do
 * @returns the key itself, which is shown this once
 * @throws AppError 422 that names each wrong field; 409 for one key too many
 */
export async function createApiKey(
  deps: Deps,
  tenant: Tenant,
  owner: repo.KeyOwner & { readonly roles: readonly string[] },
  input: NewApiKey,
  by: By,
): Promise<{ record: repo.ApiKey; token: string }> {
  const name = input.name.trim();
  const scopes = requireSound(tenant, owner, { ...input, name });
  const now = deps.clock.now();
  const id = newId("apiKey");
  const { token, hash } = newSecretToken(id);
  const { expiresInDays } = input;
  const record: repo.ApiKey = {
    tenantId: tenant.id,
    id,
    userId: "userId" in owner ? owner.userId : null,
    serviceAccountId: "serviceAccountId" in owner ? owner.serviceAccountId : null,
    name,
    hash,
    scopes,
    createdAt: now,
    expiresAt: expiresInDays === null ? null : addSeconds(now, expiresInDays * DAY_SECONDS),
    lastUsedAt: null,
    revokedAt: null,
  };
  await deps.db.transaction(async (tx) => {
    if ((await repo.countLiveKeys(tx, owner, now)) >= MOST_LIVE_KEYS)
      throw conflict(`There are ${MOST_LIVE_KEYS} API keys already. Revoke one of them first.`);
    await repo.insertKey(tx, record);
    await audit.record(tx, {
      tenantId: tenant.id,
      type: "api_key.created",
      target: { type: "api_key", id },
      details: { name, scopes, owner: ownerId(owner), expires_at: record.expiresAt?.toISOString() ?? null },
      now,
      ...by,
    });
  });
  return { record, token };
}

const ownerId = (owner: repo.KeyOwner) => ("userId" in owner ? owner.userId : owner.serviceAccountId);

/** @returns the scopes, each once @throws AppError 422 */
function requireSound(
  tenant: Tenant,
  owner: repo.KeyOwner & { readonly roles: readonly string[] },
  { name, scopes, expiresInDays }: NewApiKey,
): ApiKeyScope[] {
  const problems: FieldError[] = [];
  if (!isDisplayName(name))
    problems.push({ field: "name", message: "Must be 1 to 128 printable characters." });
  const allowed = offeredScopes(owner);
  if (scopes.length === 0 || !scopes.every((scope) => isApiKeyScope(scope) && allowed.includes(scope)))
    problems.push({ field: "scopes", message: `Must be some of ${allowed.join(", ")}.` });
  const mostDays = tenant.settings.api_key_max_days;
  const endless = "serviceAccountId" in owner && tenant.settings.api_keys_without_expiry;
  const sound =
    expiresInDays === null
      ? endless
      : Number.isInteger(expiresInDays) && expiresInDays >= 1 && expiresInDays <= mostDays;
  if (!sound)
    problems.push({
      field: "expires_in_days",
      message: `Must be between 1 and ${mostDays}${endless ? ", or null" : ""}.`,
    });
  if (problems.length > 0) throw validationError(problems);
  return [...new Set(scopes)].filter(isApiKeyScope);
}

/** What this owner may be given: who administers nothing has their own profile, and a service account has none. */
export function offeredScopes(owner: {
  readonly roles: readonly string[];
  readonly serviceAccountId?: Id<"serviceAccount">;
}): readonly ApiKeyScope[] {
  if (owner.serviceAccountId) return allApiKeyScopes.filter((scope) => scope !== ACCOUNT_SCOPE);
  return administers(owner.roles) ? allApiKeyScopes : [ACCOUNT_SCOPE];
}

/** Revoked and expired ones too, the newest first. */
export function listApiKeys(deps: Deps, owner: repo.KeyOwner): Promise<repo.ApiKey[]> {
  return repo.listKeys(deps.db, owner, MOST_SHOWN);
}

/** Whether a key is neither revoked nor over. */
export const isLive = ({ revokedAt, expiresAt }: Pick<repo.ApiKey, "revokedAt" | "expiresAt">, now: Date) =>
  !revokedAt && (!expiresAt || expiresAt > now);

/** At once, everywhere. Telling it twice changes nothing. @throws AppError 404, the same for a key of another's */
export async function revokeApiKey(deps: Deps, owner: repo.KeyOwner, id: string, by: By): Promise<void> {
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    const found = isId("apiKey", id) ? await repo.revokeKey(tx, owner, id, now) : undefined;
    if (!found) throw notFound("There is no such API key.");
    if (!found.changed) return;
    await audit.record(tx, {
      tenantId: owner.tenantId,
      type: "api_key.revoked",
      target: { type: "api_key", id },
      details: { owner: ownerId(owner) },
      now,
      ...by,
    });
  });
}

/** What a key opens at this moment: its owner's roles are those of now. */
export interface LiveApiKey {
  readonly id: Id<"apiKey">;
  readonly scopes: readonly string[];
  readonly owner:
    | {
        readonly type: "user";
        readonly id: Id<"user">;
        readonly roles: readonly string[];
        readonly user: User;
      }
    | {
        readonly type: "service_account";
        readonly id: Id<"serviceAccount">;
        readonly roles: readonly string[];
      };
}

/** @returns undefined for one that is forged, revoked, expired, another tenant's, or of an owner who is disabled or leaves */
export async function findLiveApiKey(
  deps: Deps,
  tenantId: Id<"tenant">,
  presented: string,
): Promise<LiveApiKey | undefined> {
  const parsed = parseSecretToken("apiKey", presented);
  const found = parsed && (await repo.findKey(deps.db, { tenantId, id: parsed.id }));
  if (!parsed || !found || !matchesHash(parsed.secret, found.key.hash)) return undefined;
  const { key, user, account, leaving } = found;
  const now = deps.clock.now();
  if (!isLive(key, now) || leaving) return undefined;
  if (!(user?.enabled || account?.enabled)) return undefined;
  const before = addSeconds(now, -TOUCH_SECONDS);
  if (!key.lastUsedAt || key.lastUsedAt < before) await repo.touchKey(deps.db, key, { now, before });
  const known = { id: key.id, scopes: key.scopes };
  if (user) return { ...known, owner: { type: "user", id: user.id, roles: user.roles, user } };
  if (account) return { ...known, owner: { type: "service_account", id: account.id, roles: account.roles } };
  return undefined;
}
