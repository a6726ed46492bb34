import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { isDisplayName } from "../../lib/display-name.ts";
import { notFound, validationError } from "../../lib/errors.ts";
import { type Id, isId, newId } from "../../lib/ids.ts";
import { matchesHash, newSecretToken, parseSecretToken } from "../../lib/secret-token.ts";
import * as audit from "../audit/service.ts";
import type { ScimMapping } from "../organizations/service.ts";
import type { RequestContext } from "../request-context.ts";
import * as repo from "./repo.ts";

export type { ScimTokenRow as ScimToken } from "./repo.ts";

/** Whose tokens: one organization's, or those of the tenant as a whole. */
export interface TokenOwner {
  readonly tenantId: Id<"tenant">;
  readonly organizationId: Id<"organization"> | null;
}

interface By {
  readonly actor: audit.Actor;
  readonly context: RequestContext;
}

/**
 * Issues the bearer token of a provisioning client.
 * @returns the token itself, which is shown this once
 * @throws AppError 422
 */
export async function createScimToken(
  deps: Deps,
  owner: TokenOwner,
  input: { name: string; expiresAt: Date | null },
  by: By,
): Promise<{ record: repo.ScimTokenRow; token: string }> {
  const now = deps.clock.now();
  const name = input.name.trim();
  if (!isDisplayName(name))
    throw validationError([{ field: "name", message: "Must be 1 to 128 printable characters." }]);
  if (input.expiresAt && input.expiresAt <= now)
    throw validationError([{ field: "expires_at", message: "Must be in the future." }]);
  const id = newId("scimToken");
  const { token, hash } = newSecretToken(id);
  const { expiresAt } = input;
  const record = { ...owner, id, name, hash, createdAt: now, expiresAt, lastUsedAt: null, revokedAt: null };
  await deps.db.transaction(async (tx) => {
    await repo.insertToken(tx, record);
    await audit.record(tx, {
      tenantId: owner.tenantId,
      type: "scim_token.created",
      target: { type: "scim_token", id },
      details: { name, organization_id: owner.organizationId },
      now,
      ...by,
    });
  });
  return { record, token };
}

export function listScimTokens(deps: Deps, owner: TokenOwner): Promise<repo.ScimTokenRow[]> {
  return repo.listTokens(deps.db, owner.tenantId, owner.organizationId);
}

/** Telling it twice changes nothing. @throws AppError 404, the same for a token of another's */
export async function revokeScimToken(
  deps: Deps,
  owner: TokenOwner,
  id: string,
  by: By,
): Promise<repo.ScimTokenRow> {
  const now = deps.clock.now();
  const revoked = await deps.db.transaction(async (tx) => {
    const found = isId("scimToken", id) ? await repo.revokeToken(tx, { ...owner, id }, now) : undefined;
    if (!found?.changed) return found;
    await audit.record(tx, {
      tenantId: owner.tenantId,
      type: "scim_token.revoked",
      target: { type: "scim_token", id: found.token.id },
      now,
      ...by,
    });
    return found;
  });
  if (!revoked) throw notFound("There is no such SCIM token.");
  return revoked.token;
}

export interface LiveScimToken {
  readonly id: Id<"scimToken">;
  readonly organizationId: Id<"organization"> | null;
  /** Of the organization's profiles; empty: the defaults. */
  readonly mapping: ScimMapping;
}

const TOUCH_SECONDS = 60;

/** What a bearer token opens; undefined for one that is forged, revoked, expired or another tenant's. */
export async function findLiveScimToken(
  deps: Deps,
  tenantId: Id<"tenant">,
  presented: string,
): Promise<LiveScimToken | undefined> {
  const parsed = parseSecretToken("scimToken", presented);
  const found = parsed && (await repo.findToken(deps.db, tenantId, parsed.id));
  const token = found?.token;
  if (!parsed || !token || !matchesHash(parsed.secret, token.hash)) return undefined;
  const now = deps.clock.now();
  if (token.revokedAt || (token.expiresAt && token.expiresAt <= now)) return undefined;
  const before = addSeconds(now, -TOUCH_SECONDS);
  if (!token.lastUsedAt || token.lastUsedAt < before)
    await repo.touchToken(deps.db, tenantId, token.id, { now, before });
  return { id: token.id, organizationId: token.organizationId, mapping: found.mapping ?? {} };
}
