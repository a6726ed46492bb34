/** Reads a tenant's whole trail again and says whether it is what was sealed. */
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import type { VerificationKey } from "../../protocol/jose/keys.ts";
import { eventsBetween, type WrittenEvent } from "../audit/reading.ts";
import { trustedKeys } from "./keys.ts";
import * as repo from "./repo.ts";
import { type BatchSeal, digestOf, monthOf, openSeal, rootOf, type Seal } from "./seal.ts";
import { MOST_EVENTS } from "./service.ts";

export type Fault =
  /** A seal between two others is gone, or the first one. */
  | "seal_missing"
  /** Not signed with a key of the tenant's that the master key vouches for, or changed since. */
  | "signature_invalid"
  /** It is signed, but it does not follow the seal before it. */
  | "chain_broken"
  | "events_missing"
  | "events_added"
  /** As many as there were, but not the same ones, or in another order. */
  | "events_changed"
  /** It was shipped off the host and is not the one of this number any more. */
  | "differs_from_copy";

export interface BadBatch {
  readonly number: number;
  readonly fault: Fault;
  /** What the seal says of itself, where it can be believed or there is nothing better. */
  readonly through: number | null;
  readonly sealedAt: string | null;
  readonly expectedEvents: number | null;
  readonly foundEvents: number | null;
}

export interface Verification {
  readonly seals: number;
  /** Events that were read again and are as they were sealed. */
  readonly events: number;
  /** Months that were dropped by a signed tombstone. */
  readonly droppedMonths: readonly string[];
  readonly bad: BadBatch | undefined;
  /** Not sealed yet: the newest. More than a few minutes old, nobody seals them. */
  readonly unsealed: { readonly events: number; readonly oldest: Date | undefined };
}

const PAGE = 200;

/**
 * Stops at the first bad batch: what follows hangs on it.
 * @param copies digests of seals that were shipped off the host, by number
 */
export async function verifyAuditTrail(
  deps: Deps,
  tenantId: Id<"tenant">,
  copies: ReadonlyMap<number, string> = new Map(),
): Promise<Verification> {
  const keys = await trustedKeys(deps, tenantId);
  const dropped = await droppedMonths(deps, tenantId, keys);
  const droppedNames = [...dropped.keys()];
  let before: { seal: Seal; jws: string } | undefined;
  let events = 0;
  const ended = async (bad?: BadBatch): Promise<Verification> => ({
    seals: before?.seal.number ?? 0,
    events,
    droppedMonths: droppedNames,
    bad,
    unsealed: await repo.countUnsealed(deps.db, tenantId, before?.seal.through ?? 0),
  });
  for await (const row of sealsOf(deps, tenantId)) {
    const expected = (before?.seal.number ?? 0) + 1;
    if (row.number !== expected) return ended(missing(expected));
    const seal = openSeal(row.jws, (kid) => keys.get(kid));
    if (!seal) return ended(badSeal(row, "signature_invalid"));
    if (!follows(seal, tenantId, before)) return ended(badSeal(row, "chain_broken"));
    const copy = copies.get(row.number);
    if (copy !== undefined && copy !== digestOf(row.jws)) return ended(badSeal(row, "differs_from_copy"));
    if (seal.kind === "batch") {
      const gone = (dropped.get(seal.month) ?? 0) > seal.number;
      const bad = await deps.pace.part(() => checkBatch(deps, tenantId, seal, gone));
      if (bad) return ended(bad);
      if (!gone) events += seal.events;
    }
    before = { seal, jws: row.jws };
  }
  const lost = [...copies.keys()].filter((number) => number > (before?.seal.number ?? 0));
  return ended(lost.length > 0 ? missing(Math.min(...lost)) : undefined);
}

/** The seals as they are kept, one after the other, a page in memory. */
export async function* sealsOf(
  deps: Deps,
  tenantId: Id<"tenant">,
  afterNumber = 0,
): AsyncGenerator<repo.SealRow> {
  let seen = afterNumber;
  for (;;) {
    const page = await repo.findSeals(deps.db, tenantId, { afterNumber: seen, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    seen = last.number;
  }
}

/** Months that a signed tombstone says were dropped, with its number: it accounts for the batches before it alone. */
async function droppedMonths(
  deps: Deps,
  tenantId: Id<"tenant">,
  keys: ReadonlyMap<string, VerificationKey>,
): Promise<ReadonlyMap<string, number>> {
  const rows = await repo.findTombstones(deps.db, tenantId);
  return new Map(
    rows.flatMap((row): [string, number][] => {
      const seal = openSeal(row.jws, (kid) => keys.get(kid));
      return seal?.kind === "retention" && seal.tenant === tenantId ? [[seal.month, seal.number]] : [];
    }),
  );
}

function follows(
  seal: Seal,
  tenantId: Id<"tenant">,
  before: { seal: Seal; jws: string } | undefined,
): boolean {
  return (
    seal.tenant === tenantId &&
    seal.number === (before?.seal.number ?? 0) + 1 &&
    seal.previous === (before ? digestOf(before.jws) : null) &&
    seal.after === (before?.seal.through ?? 0) &&
    seal.through >= seal.after
  );
}

async function checkBatch(
  deps: Deps,
  tenantId: Id<"tenant">,
  seal: BatchSeal,
  dropped: boolean,
): Promise<BadBatch | undefined> {
  const { after, through, number } = seal;
  const expected = dropped ? 0 : seal.events;
  const found = await eventsBetween(deps.db, tenantId, { after, through }, MOST_EVENTS + 1);
  const fault =
    found.length < expected
      ? "events_missing"
      : found.length > expected
        ? "events_added"
        : dropped || isUnchanged(tenantId, seal, found)
          ? undefined
          : "events_changed";
  return (
    fault && {
      number,
      fault,
      through,
      sealedAt: seal.created_at,
      expectedEvents: expected,
      foundEvents: found.length,
    }
  );
}

/** The month too: it is by the month that a tombstone accounts for a batch. */
const isUnchanged = (tenantId: Id<"tenant">, seal: BatchSeal, found: readonly WrittenEvent[]) =>
  rootOf(tenantId, found) === seal.root && found.every((event) => monthOf(event) === seal.month);

const missing = (number: number): BadBatch => ({
  number,
  fault: "seal_missing",
  through: null,
  sealedAt: null,
  expectedEvents: null,
  foundEvents: null,
});

const badSeal = ({ number, through, createdAt, events }: repo.SealRow, fault: Fault): BadBatch => ({
  number,
  fault,
  through,
  sealedAt: createdAt.toISOString(),
  expectedEvents: events,
  foundEvents: null,
});
