/**
 * Requests that are executed once, however often they are sent (draft-ietf-httpapi-idempotency-key-header-07): the first
 * one's answer is kept, and given again.
 */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { hmacSha256 } from "../../lib/crypto.ts";
import type { Id } from "../../lib/ids.ts";
import { sealWith, unsealWith } from "../../lib/master-keys.ts";
import * as repo from "./repo.ts";

/** For so long an answer is given again. */
export const KEPT_SECONDS = 24 * 3600;
/** Longer than any request takes. After it, the process that executed one without an answer is taken for dead. */
export const LEASE_SECONDS = 60;

/** One request that says by which key it can be recognised. */
export interface KeyedRequest {
  /** The tenant that it is about. */
  readonly tenantId: Id<"tenant">;
  /** Who asks: nobody else is ever given the answer. */
  readonly principal: string;
  readonly method: string;
  readonly path: string;
  readonly key: string;
  /** What a repetition has to have in common with the first. */
  readonly content: string;
}

export interface StoredAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** The right to execute a request, and to say what came of it. */
export interface Attempt {
  readonly tenantId: Id<"tenant">;
  readonly hash: Buffer;
  readonly lease: string;
}

export type Begun =
  | { readonly kind: "execute"; readonly attempt: Attempt }
  | { readonly kind: "replay"; readonly answer: StoredAnswer }
  | { readonly kind: "reused" }
  | { readonly kind: "in_progress"; readonly retryAfterSeconds: number };

/** A key may be asked for again before it is found taken; twice is a row that came and went. */
const ATTEMPTS = 3;

/** Says what becomes of a request; one that is to be executed has to be given to `finish` or `abandon`. */
export async function begin(deps: Deps, request: KeyedRequest): Promise<Begun> {
  const now = deps.clock.now();
  const { tenantId } = request;
  const attempt: Attempt = { tenantId, hash: hashOf(deps, request), lease: Bun.randomUUIDv7() };
  const fingerprint = hmacSha256(deps.secrets.idempotency, `content\0${request.content}`);
  for (let time = 0; time < ATTEMPTS; time++) {
    const taken = await repo.take(deps.db, {
      ...attempt,
      fingerprint,
      leasedUntil: addSeconds(now, LEASE_SECONDS),
      createdAt: now,
      expiresAt: addSeconds(now, KEPT_SECONDS),
    });
    if (taken) return { kind: "execute", attempt };
    const found = await repo.find(deps.db, attempt);
    // It was given up between the two statements.
    if (!found) continue;
    if (!found.fingerprint.equals(fingerprint)) return { kind: "reused" };
    if (found.status === null || !found.sealedAnswer || found.masterKeyId === null)
      return { kind: "in_progress", retryAfterSeconds: 1 };
    return {
      kind: "replay",
      answer: open(deps, attempt, found.status, found.masterKeyId, found.sealedAnswer),
    };
  }
  return { kind: "in_progress", retryAfterSeconds: 1 };
}

/** No part of it can be made to look like another: none holds a NUL. */
function hashOf(deps: Deps, { principal, method, path, key }: KeyedRequest): Buffer {
  return hmacSha256(deps.secrets.idempotency, ["key", principal, method, path, key].join("\0"));
}

const contextOf = ({ tenantId, hash }: Attempt) => `idempotency/${tenantId}/${hash.toString("base64url")}`;

/** Keeps the answer, sealed: it may hold a secret that is shown once. */
export async function finish(deps: Deps, attempt: Attempt, answer: StoredAnswer): Promise<void> {
  const { status, headers, body } = answer;
  const sealed = sealWith(deps.config.masterKeys, JSON.stringify({ headers, body }), contextOf(attempt));
  await repo.complete(deps.db, attempt, {
    status,
    sealedAnswer: sealed.box,
    masterKeyId: sealed.keyId,
  });
}

/** For a request of which nothing came that is worth repeating: the next attempt is executed. */
export function abandon(deps: Deps, attempt: Attempt): Promise<void> {
  return repo.release(deps.db, attempt);
}

function open(deps: Deps, attempt: Attempt, status: number, keyId: string, box: Buffer): StoredAnswer {
  const text = unsealWith(deps.config.masterKeys, { keyId, box }, contextOf(attempt)).toString();
  const { headers, body }: Pick<StoredAnswer, "headers" | "body"> = JSON.parse(text);
  return { status, headers, body };
}

/** Removes up to `limit` keys whose answer is given again no more. @returns how many went */
export function removeExpiredIdempotencyKeys(
  executor: Executor,
  before: Date,
  _now: Date,
  limit: number,
): Promise<number> {
  return repo.removeExpired(executor, before, limit);
}
