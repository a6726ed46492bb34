/** Administrators who sign in as a user: where the tenant allows it, for a reason, for a while, and seen by everybody. */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import {
  AppError,
  conflict,
  type FieldError,
  forbidden,
  notFound,
  validationError,
} from "../../lib/errors.ts";
import { type Id, isId, newId } from "../../lib/ids.ts";
import { matchesHash, newSecretToken, parseSecretToken } from "../../lib/secret-token.ts";
import { enqueue } from "../../queue/outbox.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import { type Session, type StartedSession, startSession } from "../sessions/service.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";
import { findUserById, type User } from "../users/service.ts";
import * as repo from "./repo.ts";
import { mayImpersonate, stands } from "./standing.ts";

/** As long as it takes to follow a link. */
const LINK_SECONDS = 60;
const MOST_MINUTES = 60;
const MOST_REASON = 500;

/** An administrator, in a session of their own. */
export interface Impersonator {
  readonly user: User;
  readonly sessionId: Id<"session">;
  readonly context: RequestContext;
}

/**
 * Makes the one-time link that signs an administrator in as a user of their own tenant.
 * @throws AppError 403 where the tenant does not allow it, in another tenant, and for whoever is of equal or higher rank;
 *   404; 409 for who is disabled; 422 that names each wrong field
 */
export async function requestImpersonation(
  deps: Deps,
  tenant: Tenant,
  input: { userId: string; reason: string; minutes: number },
  by: Impersonator,
): Promise<{ url: string; expiresAt: Date }> {
  const tenantId = tenant.id;
  const user = isId("user", input.userId) ? await findUserById(deps, tenantId, input.userId) : undefined;
  if (!user) throw notFound("There is no such user.");
  if (!tenant.settings.impersonation_enabled)
    throw new AppError(403, "impersonation_disabled", "This tenant lets nobody sign in as somebody else.");
  if (by.user.tenantId !== tenantId) throw forbidden("Only users of one's own tenant can be signed in as.");
  if (!mayImpersonate(by.user.roles, user.roles))
    throw forbidden("Nobody signs in as who administers as much as they do, or more.");
  if (!user.enabled) throw conflict("This user is disabled.");
  const reason = requireSound(input);
  const now = deps.clock.now();
  const id = newId("impersonation");
  const { token, hash } = newSecretToken(id);
  const expiresAt = addSeconds(now, LINK_SECONDS);
  await deps.db.transaction(async (tx) => {
    await repo.insertImpersonation(tx, {
      tenantId,
      id,
      userId: user.id,
      impersonatorId: by.user.id,
      impersonatorSessionId: by.sessionId,
      reason,
      lifetimeSeconds: input.minutes * 60,
      hash,
      createdAt: now,
      expiresAt,
      openedAt: null,
    });
    await audit.record(tx, {
      tenantId,
      type: "impersonation.requested",
      actor: { type: "user", id: by.user.id },
      target: { type: "user", id: user.id },
      details: { impersonation: id, reason, minutes: input.minutes },
      context: by.context,
      now,
    });
  });
  return { url: `${issuerOf(tenant, deps.config.publicUrl)}/impersonate?token=${token}`, expiresAt };
}

/** @returns the reason @throws AppError 422 */
function requireSound({ reason, minutes }: { reason: string; minutes: number }): string {
  const problems: FieldError[] = [];
  const given = reason.trim();
  if (given === "" || given.length > MOST_REASON)
    problems.push({ field: "reason", message: `Must be between 1 and ${MOST_REASON} characters.` });
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > MOST_MINUTES)
    problems.push({ field: "minutes", message: `Must be between 1 and ${MOST_MINUTES}.` });
  if (problems.length > 0) throw validationError(problems);
  return given;
}

/** Whom a link signs in as whom, while it is good for that. Changes nothing. */
export function findImpersonated(
  deps: Deps,
  tenant: Tenant,
  token: string,
  session: Session | undefined,
): Promise<{ user: User; impersonator: User } | undefined> {
  return findOpenable(deps, tenant, token, session);
}

/**
 * Signs the administrator in as the user, once.
 * @param before the session of the browser, which is the administrator's own, if they have one in a browser
 * @throws AppError 400 `invalid_token` for a link that is forged, used, too old or somebody else's, and where it is no
 *   longer allowed
 */
export async function startImpersonation(
  deps: Deps,
  tenant: Tenant,
  token: string,
  before: Session | undefined,
  context: RequestContext,
): Promise<StartedSession> {
  const found = await findOpenable(deps, tenant, token, before);
  if (!found) throw invalidLink();
  const { impersonation, session, user } = found;
  const now = deps.clock.now();
  // Never beyond the administrator's own session, with which it ends anyway.
  const left = Math.floor((session.expiresAt.getTime() - now.getTime()) / 1000);
  return deps.db.transaction(async (tx) => {
    if (!(await repo.open(tx, impersonation, now))) throw invalidLink();
    const started = await startSession(tx, {
      tenantId: tenant.id,
      userId: user.id,
      // Nobody proved to be this user.
      amr: [],
      lifetimeSeconds: Math.min(impersonation.lifetimeSeconds, left),
      withCookie: true,
      impersonationId: impersonation.id,
      context,
      now,
    });
    await audit.record(tx, {
      tenantId: tenant.id,
      type: "impersonation.started",
      actor: { type: "user", id: impersonation.impersonatorId },
      target: { type: "user", id: user.id },
      details: {
        impersonation: impersonation.id,
        reason: impersonation.reason,
        session: started.id,
        on_behalf_of: user.id,
      },
      context,
      now,
    });
    if (tenant.settings.impersonation_mail) {
      const payload = { user_id: user.id, impersonation_id: impersonation.id };
      await enqueue(tx, { tenantId: tenant.id, queue: "email", name: "impersonated", payload, now });
    }
    return started;
  });
}

/** All that a link needs to be good for anything, whoever opens it. */
async function findOpenable(
  deps: Deps,
  tenant: Tenant,
  token: string,
  before: Session | undefined,
): Promise<(repo.FoundImpersonation & { user: User }) | undefined> {
  const presented = parseSecretToken("impersonation", token);
  if (!presented || !tenant.settings.impersonation_enabled) return undefined;
  const found = await repo.findImpersonation(deps.db, tenant.id, presented.id);
  if (!found || !matchesHash(presented.secret, found.impersonation.hash)) return undefined;
  const now = deps.clock.now();
  const { impersonation } = found;
  if (impersonation.openedAt || impersonation.expiresAt <= now || !isTheirs(found, before)) return undefined;
  const user = await findUserById(deps, tenant.id, impersonation.userId);
  return user?.enabled && stands(found, user, now) ? { ...found, user } : undefined;
}

/**
 * Whether the browser is the administrator's: the one that their session lives in. One that they began without a browser
 * binds the link to no other, but nobody else's.
 */
function isTheirs({ impersonation, session }: repo.FoundImpersonation, before: Session | undefined): boolean {
  if (before?.impersonation) return false;
  if (session.secretHash !== null) return before?.id === impersonation.impersonatorSessionId;
  return before === undefined || before.user.id === impersonation.impersonatorId;
}

const invalidLink = () => new AppError(400, "invalid_token", "The link is invalid or has expired.");

/** What the user is told of it; undefined when it is gone. */
export async function describeImpersonation(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: Id<"impersonation">,
): Promise<{ reason: string; openedAt: Date; minutes: number } | undefined> {
  const { openedAt, reason, lifetimeSeconds } =
    (await repo.findImpersonation(deps.db, tenantId, id))?.impersonation ?? {};
  return openedAt && reason !== undefined && lifetimeSeconds !== undefined
    ? { reason, openedAt, minutes: lifetimeSeconds / 60 }
    : undefined;
}
