import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { AppError, conflict } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import type { TenantSettings } from "../tenants/settings.ts";
import { isBreached } from "./breaches.ts";
import { passwordProblem } from "./policy.ts";
import * as repo from "./repo.ts";
import { passwordStrength } from "./strength.ts";

export { PASSWORD_MAX_LENGTH, passwordProblem } from "./policy.ts";
export {
  findPasswordHash,
  holdingHash,
  isCurrentHash,
  isSetByMail,
  lockPasswordVersion,
  noteSetByMail,
  replaceHash,
} from "./repo.ts";

/** Why a password cannot be taken. Pages say it in their own words. */
export type PasswordRefusal = "policy" | "guessable" | "breached" | "reused";

export class PasswordRefused extends AppError {
  constructor(
    readonly reason: PasswordRefusal,
    field: string,
    message: string,
  ) {
    super(422, "validation_error", "Request body failed validation.", { details: [{ field, message }] });
  }
}

const messages = {
  guessable:
    "Is too easy to guess. Try a longer one, or several words that have nothing to do with each other.",
  breached: "Has become known in a data breach elsewhere. Please choose another one.",
  reused: "Was used for this account before. Please choose another one.",
} as const;

export interface PasswordOwner {
  tenantId: Id<"tenant">;
  userId: Id<"user">;
}

/**
 * All that a tenant asks of a new password, the cheap questions first: its characters, its strength, whether a breach
 * made it known, and, of a user who has one already, whether it is a former one (a hash for each of those).
 * @throws PasswordRefused 422 that names `field`
 */
export async function requireGoodPassword(
  deps: Deps,
  settings: TenantSettings,
  password: string,
  options: {
    field?: string | undefined;
    /** What the password should have nothing to do with: the person's name, address and the like. */
    about?: readonly (string | null | undefined)[];
    owner?: PasswordOwner;
  } = {},
): Promise<void> {
  const { field = "password", about = [], owner } = options;
  const problem = passwordProblem(password, settings);
  if (problem) throw new PasswordRefused("policy", field, problem);
  const refuse = (reason: keyof typeof messages) => new PasswordRefused(reason, field, messages[reason]);
  if (settings.password_min_strength > 0) {
    const strength = await passwordStrength(
      password,
      about.filter((text) => typeof text === "string"),
    );
    if (strength < settings.password_min_strength) throw refuse("guessable");
  }
  if (settings.password_breach_check && (await isBreached(deps, password))) throw refuse("breached");
  if (owner && (await wasUsed(deps, owner, password, settings.password_history))) throw refuse("reused");
}

/** Whether the password is one of the user's last `count`, the current one among them. */
async function wasUsed(deps: Deps, owner: PasswordOwner, password: string, count: number): Promise<boolean> {
  if (count === 0) return false;
  const hashes = await repo.findLastHashes(deps.db, owner.tenantId, owner.userId, count);
  for (const hash of hashes) {
    if (await deps.passwords.verify(password, hash)) return true;
  }
  return false;
}

/**
 * Sets a user's password, in the caller's transaction; the one before is kept as a hash for as long as the tenant asks
 * about former ones.
 * @param expected the hash (or none) against which the change was decided
 * @throws AppError 409 when it is another one by now
 */
export async function setPassword(
  executor: Executor,
  owner: PasswordOwner,
  hash: string,
  settings: Pick<TenantSettings, "password_history">,
  now: Date,
  expected?: { hash: string | undefined },
): Promise<void> {
  const { tenantId, userId } = owner;
  const before = await repo.archivePassword(executor, tenantId, userId, settings.password_history - 1, now);
  if (expected && before !== expected.hash) {
    throw conflict("The password was changed meanwhile. Please sign in again.");
  }
  await repo.upsertPassword(executor, tenantId, userId, hash, now);
}

/** The first password of a user who is being made, in the caller's transaction. */
export const setFirstPassword = repo.upsertPassword;
