/** What a seal says, how it is signed, and how one is read that somebody may have changed. Pure. */
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { sha256 } from "../../lib/crypto.ts";
import { type Id, idFromUuid } from "../../lib/ids.ts";
import { leafHash, merkleRoot, sortedMembers } from "../../lib/merkle.ts";
import { claimsOf, hasValidSignature, isTyp, parseCompact } from "../../protocol/jose/compact.ts";
import type { VerificationKey } from "../../protocol/jose/keys.ts";
import type { WrittenEvent } from "../audit/reading.ts";

/** Nothing else of ours has this type, so that no token is ever taken for a seal (RFC 8725 §3.11). */
export const SEAL_TYP = "gatewright-audit-seal+jwt";

const Place = Type.Integer({ minimum: 0 });
const Digest = Type.String({ pattern: "^[A-Za-z0-9_-]{43}$" });

const shared = {
  tenant: Type.String(),
  number: Type.Integer({ minimum: 1 }),
  /** Digest of the seal before; null for the first. */
  previous: Type.Union([Digest, Type.Null()]),
  /** The seal covers what lies after this place … */
  after: Place,
  /** … up to and with this one. */
  through: Place,
  /** UTC. */
  month: Type.String({ pattern: "^\\d{4}-\\d{2}$" }),
  /** How many events are sealed, or were dropped. */
  events: Place,
  created_at: Type.String(),
};

/** A batch of events, all of one month. */
const Batch = Type.Object(
  {
    ...shared,
    kind: Type.Literal("batch"),
    root: Digest,
    first: Type.String(),
    last: Type.String(),
  },
  { additionalProperties: false },
);

/** A tombstone: the month was dropped when it had been kept for as long as the tenants want. It seals no events itself. */
const Retention = Type.Object(
  { ...shared, kind: Type.Literal("retention"), kept_days: Type.Integer() },
  { additionalProperties: false },
);

export const Seal = Type.Union([Batch, Retention]);
export type Seal = Static<typeof Seal>;
export type BatchSeal = Static<typeof Batch>;

/** What the next seal keeps of this one. */
export const digestOf = (jws: string): string => sha256(jws).toString("base64url");

/**
 * The Merkle root of events in the order of their places. A leaf is everything that the row says.
 * @returns base64url
 */
export function rootOf(tenantId: Id<"tenant">, events: readonly WrittenEvent[]): string {
  return merkleRoot(events.map((event) => leafHash(leafOf(tenantId, event)))).toString("base64url");
}

/** `canonicalJson` of the row: its members are written in the order of their names. */
function leafOf(tenantId: Id<"tenant">, event: WrittenEvent): string {
  return JSON.stringify({
    actorId: event.actor_id,
    actorType: event.actor_type,
    createdAt: new Date(Number(event.at)),
    details: sortedMembers(JSON.parse(event.details)),
    id: idFromUuid("auditEvent", event.id),
    ip: event.ip,
    requestId: event.request_id,
    seq: Number(event.seq),
    targetId: event.target_id,
    targetType: event.target_type,
    tenantId,
    type: event.type,
    userAgent: event.user_agent,
  });
}

/** In UTC. */
export const monthOf = ({ at }: Pick<WrittenEvent, "at">): string =>
  new Date(Number(at)).toISOString().slice(0, 7);

/**
 * @param keyOf a key that is known to be the tenant's
 * @returns undefined unless one of them signed it and it has the shape of a seal
 */
export function openSeal(
  jws: string,
  keyOf: (kid: Id<"signingKey"> | string) => VerificationKey | undefined,
): Seal | undefined {
  const parsed = parseCompact(jws);
  if (!parsed || !isTyp(parsed.header["typ"], SEAL_TYP)) return undefined;
  const { kid, alg } = parsed.header;
  const key = typeof kid === "string" ? keyOf(kid) : undefined;
  if (!key || alg !== key.alg || !hasValidSignature(parsed, key.alg, key.publicKey)) return undefined;
  const claims: unknown = claimsOf(parsed);
  return Value.Check(Seal, claims) ? claims : undefined;
}
