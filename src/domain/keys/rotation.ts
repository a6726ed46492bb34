/**
 * How signing keys come and go. A key is published a day before it signs, so that whoever keeps a copy of the JWK set
 * has seen it by then; it stays published until the last token that it signed has expired.
 */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { conflict, notFound } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import { isSigningAlgorithm, type SigningAlgorithm } from "../../protocol/jose/algorithms.ts";
import * as audit from "../audit/service.ts";
import { systemContext } from "../request-context.ts";
import { findTenantById, type Tenant } from "../tenants/service.ts";
import { TenantSettings } from "../tenants/settings.ts";
import { newKeyRow, resealed } from "./material.ts";
import * as repo from "./repo.ts";
import { forgetKeyRing, insertKeys, keyRingOf } from "./service.ts";

export {
  isSigningAlgorithm,
  type SigningAlgorithm,
  signingAlgorithms,
} from "../../protocol/jose/algorithms.ts";

/** Far more than any cache of a JWK set that keeps to our `max-age`, and than most that do not. */
export const LEAD_SECONDS = 86_400;

/**
 * The least that a key stays published after its last signature. Lifetimes may have been longer when it signed than
 * they are when its retirement is set; no tenant can set one that is longer than this.
 */
const LEAST_AFTERLIFE_SECONDS = 86_400;
/** For clocks that differ, and processes that heard late of the next key. */
const MARGIN_SECONDS = 3600;

/**
 * Publishes the next key wherever the current one has signed for long enough, and sets when keys that sign no more are
 * retired. Safe to repeat and to run twice at once: of two that publish a tenant's next key, one does.
 */
export async function rotateDueKeys(
  deps: Deps,
): Promise<{ published: number; retiring: number; failed: number }> {
  const now = deps.clock.now();
  const defaultDays = TenantSettings.properties.key_rotation_days.default;
  let [published, retiring, failed] = [0, 0, 0];
  for (const due of await repo.findDue(deps.db, { now, leadSeconds: LEAD_SECONDS, defaultDays })) {
    try {
      if (await publishNext(deps, due, now)) published++;
    } catch (err) {
      // One tenant whose keys cannot be made is no reason to keep the others waiting.
      failed++;
      deps.log.error({ err, tenant: due.tenantId, alg: due.alg }, "a signing key could not be rotated");
    }
  }
  for (const key of await repo.findSuperseded(deps.db, now)) {
    if (await setRetirement(deps, key, now)) retiring++;
  }
  return { published, retiring, failed };
}

async function publishNext(deps: Deps, { tenantId, alg, newest }: repo.DueKey, now: Date): Promise<boolean> {
  if (!isSigningAlgorithm(alg)) return false;
  const row = await newKeyRow(deps, tenantId, alg, { now, activeFrom: addSeconds(now, LEAD_SECONDS) });
  const done = await deps.db.transaction(async (tx) => {
    await repo.lockKeys(tx, tenantId);
    const latest = (await repo.findKeys(tx, tenantId, alg, now)).at(-1);
    if (latest && latest.activeFrom > newest) return false;
    await insertKeys(tx, [row], "scheduled");
    return true;
  });
  forgetKeyRing(deps, tenantId);
  return done;
}

async function setRetirement(deps: Deps, key: repo.SupersededKey, now: Date): Promise<boolean> {
  const tenant = await findTenantById(deps, key.tenantId);
  if (!tenant) return false;
  const afterlife = Math.max(
    LEAST_AFTERLIFE_SECONDS,
    tenant.settings.access_token_lifetime,
    tenant.settings.id_token_lifetime,
    await repo.longestClientLifetime(deps.db, key.tenantId),
  );
  const retiredAt = addSeconds(key.supersededAt, afterlife + MARGIN_SECONDS);
  const done = await deps.db.transaction(async (tx) => {
    if (!(await repo.setRetirement(tx, { ...key, retiredAt }))) return false;
    await audit.record(tx, keyEvent("key.retired", key, { retired_at: retiredAt.toISOString() }, now));
    return true;
  });
  forgetKeyRing(deps, key.tenantId);
  return done;
}

function keyEvent(
  type: "key.activated" | "key.retired" | "key.revoked",
  key: { tenantId: Id<"tenant">; id: Id<"signingKey"> },
  details: Record<string, unknown>,
  now: Date,
): audit.AuditEvent {
  return {
    tenantId: key.tenantId,
    type,
    actor: { type: "system" },
    target: { type: "signing_key", id: key.id },
    details,
    context: systemContext,
    now,
  };
}

/**
 * Rotates because somebody says so.
 * @param atOnce lets the next key sign now, instead of a day from now: who keeps a copy of the JWK set has to look again
 * @returns the key that is next
 * @throws AppError 409 when the next key is published already and only waits for its day
 */
export async function rotateKey(
  deps: Deps,
  tenant: Tenant,
  alg: SigningAlgorithm,
  { atOnce }: { atOnce: boolean },
): Promise<{ id: Id<"signingKey">; activeFrom: Date }> {
  const now = deps.clock.now();
  const activeFrom = atOnce ? now : addSeconds(now, LEAD_SECONDS);
  const row = await newKeyRow(deps, tenant.id, alg, { now, activeFrom });
  const id = await deps.db.transaction(async (tx) => {
    await repo.lockKeys(tx, tenant.id);
    const waiting = (await repo.findKeys(tx, tenant.id, alg, now)).at(-1);
    if (!waiting || waiting.activeFrom <= now) {
      await insertKeys(tx, [row], "requested");
      return row.id;
    }
    if (!atOnce) {
      const day = waiting.activeFrom.toISOString();
      throw conflict(`The next ${alg} key is published already and signs from ${day}.`);
    }
    await repo.setActiveFrom(tx, waiting, now);
    await audit.record(tx, keyEvent("key.activated", waiting, { alg, reason: "requested" }, now));
    return waiting.id;
  });
  forgetKeyRing(deps, tenant.id);
  return { id, activeFrom };
}

/**
 * Takes a key out that somebody else may hold: from this moment nothing that it signed is believed, and it is in no JWK
 * set. If it was the one that signs, the next one takes over at once.
 * @returns the key that took over, if one had to
 * @throws AppError 404 for a key that the tenant does not have, 409 for one that was revoked before
 */
export async function revokeKey(
  deps: Deps,
  tenant: Tenant,
  kid: Id<"signingKey">,
): Promise<{ replacedBy: Id<"signingKey"> | undefined }> {
  const now = deps.clock.now();
  const known = (await repo.findAll(deps.db, tenant.id)).find(({ id }) => id === kid);
  if (!known || !isSigningAlgorithm(known.alg)) throw notFound("This tenant has no such key.");
  const { alg } = known;
  const replacement = await newKeyRow(deps, tenant.id, alg, { now });
  const replacedBy = await deps.db.transaction(async (tx) => {
    await repo.lockKeys(tx, tenant.id);
    const published = await repo.findKeys(tx, tenant.id, alg, now);
    const current = published.findLast(({ activeFrom }) => activeFrom <= now);
    if (!(await repo.markRevoked(tx, known, now))) throw conflict("This key was revoked before.");
    await audit.record(tx, keyEvent("key.revoked", known, { alg }, now));
    if (current?.id !== kid) return undefined;
    // Never an older one: its retirement may be set, and what it signed now would outlive it.
    const waiting = published.find(({ activeFrom }) => activeFrom > now);
    if (waiting) {
      await repo.setActiveFrom(tx, waiting, now);
      await audit.record(tx, keyEvent("key.activated", waiting, { alg, reason: "replacement" }, now));
      return waiting.id;
    }
    await insertKeys(tx, [replacement], "replacement");
    return replacement.id;
  });
  forgetKeyRing(deps, tenant.id);
  return { replacedBy };
}

export type KeyState = "next" | "signing" | "verifying" | "retired" | "revoked";

export interface KeySummary {
  readonly id: Id<"signingKey">;
  readonly alg: string;
  readonly state: KeyState;
  readonly createdAt: Date;
  readonly activeFrom: Date;
  /** Null while no end is set. */
  readonly retiredAt: Date | null;
}

/** The tenant's keys, newest first. */
export async function listKeys(deps: Deps, tenant: Tenant): Promise<KeySummary[]> {
  const now = deps.clock.now();
  const ring = await keyRingOf(deps, tenant.id);
  const signing = new Set(ring.algorithms.map((alg): string => ring.signingKey(alg, now).kid));
  return (await repo.findAll(deps.db, tenant.id)).map((row) => ({
    id: row.id,
    alg: row.alg,
    state: stateOf(row, signing.has(row.id), now),
    createdAt: row.createdAt,
    activeFrom: row.activeFrom,
    retiredAt: row.retiredAt,
  }));
}

function stateOf(row: repo.SigningKeyRow, signs: boolean, now: Date): KeyState {
  if (row.revokedAt) return "revoked";
  if (row.retiredAt && row.retiredAt <= now) return "retired";
  if (signs) return "signing";
  return row.activeFrom > now ? "next" : "verifying";
}

const RESEAL_BATCH = 200;

/**
 * Seals every published key of every tenant under the first master key, after which the others can be taken out of the
 * configuration as far as signing keys go. Safe to repeat.
 * @returns how many were sealed anew
 * @throws MasterKeyError when one is sealed under a master key that is not configured
 */
export async function resealKeys(deps: Deps): Promise<number> {
  const masterKeyId = deps.config.masterKeys[0].id;
  let count = 0;
  for (;;) {
    const rows = await repo.findSealedOtherwise(deps.db, masterKeyId, deps.clock.now(), RESEAL_BATCH);
    for (const row of rows) await repo.replaceSeal(deps.db, row, resealed(deps, row));
    count += rows.length;
    if (rows.length < RESEAL_BATCH) return count;
  }
}
