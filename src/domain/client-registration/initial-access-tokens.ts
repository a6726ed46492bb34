/** Initial access tokens (RFC 7591 §3): what an administrator hands to somebody who may register clients. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { notFound, validationError } from "../../lib/errors.ts";
import { type Id, newId } from "../../lib/ids.ts";
import type { PageRequest, PageResult } from "../../lib/page.ts";
import { matchesHash, newSecretToken, parseSecretToken } from "../../lib/secret-token.ts";
import { invalidToken } from "../../protocol/oauth/bearer.ts";
import * as audit from "../audit/service.ts";
import type { ChangedBy } from "../clients/service.ts";
import * as repo from "./repo.ts";

export type InitialAccessToken = Omit<repo.StoredInitialAccessToken, "hash" | "tenantId">;

/** What a token can be made for: registrations, and seconds. */
export const INITIAL_ACCESS_TOKEN_LIMITS = {
  uses: { default: 1, minimum: 1, maximum: 1000 },
  lifetimeSeconds: { default: 86_400, minimum: 60, maximum: 365 * 86_400 },
} as const;

/**
 * @returns the token, which is shown this once
 * @throws AppError 422
 */
export async function createInitialAccessToken(
  deps: Deps,
  tenantId: Id<"tenant">,
  { uses, lifetimeSeconds }: { uses: number; lifetimeSeconds: number },
  by: ChangedBy,
): Promise<InitialAccessToken & { readonly token: string }> {
  const problems = [
    ...outOf("uses", uses, INITIAL_ACCESS_TOKEN_LIMITS.uses),
    ...outOf("lifetime", lifetimeSeconds, INITIAL_ACCESS_TOKEN_LIMITS.lifetimeSeconds),
  ];
  if (problems.length > 0) throw validationError(problems);
  const now = deps.clock.now();
  const id = newId("initialAccessToken");
  const { token, hash } = newSecretToken(id);
  const record = { id, usesLeft: uses, createdAt: now, expiresAt: addSeconds(now, lifetimeSeconds) };
  await deps.db.transaction(async (tx) => {
    await repo.insertToken(tx, { ...record, tenantId, hash });
    await audit.record(tx, {
      tenantId,
      type: "initial_access_token.created",
      target: { type: "initial_access_token", id },
      details: { uses, expires_at: record.expiresAt.toISOString() },
      now,
      ...by,
    });
  });
  return { ...record, token };
}

function outOf(field: string, value: number, { minimum, maximum }: { minimum: number; maximum: number }) {
  return Number.isInteger(value) && value >= minimum && value <= maximum
    ? []
    : [{ field, message: `Must be an integer from ${minimum} to ${maximum}.` }];
}

/** @throws AppError 404 */
export async function deleteInitialAccessToken(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: Id<"initialAccessToken">,
  by: ChangedBy,
): Promise<void> {
  await deps.db.transaction(async (tx) => {
    if (!(await repo.deleteToken(tx, tenantId, id))) throw notFound();
    await audit.record(tx, {
      tenantId,
      type: "initial_access_token.deleted",
      target: { type: "initial_access_token", id },
      now: deps.clock.now(),
      ...by,
    });
  });
}

export function listInitialAccessTokens(
  deps: Deps,
  tenantId: Id<"tenant">,
  page: PageRequest<"created_at">,
): Promise<PageResult<InitialAccessToken>> {
  return repo.listTokens(deps.db, tenantId, page);
}

/**
 * Whether a presented token opens registration now. Nothing is taken off it: `consumeInitialAccessToken` does that, with
 * the registration itself.
 * @throws OAuthError invalid_token, the same for every reason
 */
export async function requireInitialAccessToken(
  deps: Deps,
  tenantId: Id<"tenant">,
  token: string,
): Promise<Id<"initialAccessToken">> {
  const presented = parseSecretToken("initialAccessToken", token);
  const found = presented && (await repo.findToken(deps.db, tenantId, presented.id));
  const opens =
    found &&
    matchesHash(presented.secret, found.hash) &&
    found.usesLeft > 0 &&
    found.expiresAt > deps.clock.now();
  if (!opens) throw invalidToken();
  return found.id;
}

/** @throws OAuthError invalid_token when another registration got the last use */
export async function consumeInitialAccessToken(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"initialAccessToken">,
  now: Date,
): Promise<void> {
  if (!(await repo.consumeToken(executor, tenantId, id, now))) throw invalidToken();
}
