/** Webhooks on their way: one attempt, what comes of it, and when the next one is due. */
import type { Executor } from "../../../db/client.ts";
import type { Deps } from "../../../deps.ts";
import { addSeconds } from "../../../lib/clock.ts";
import { type Id } from "../../../lib/ids.ts";
import { OutboundError } from "../../../outbound/client.ts";
import { enqueue } from "../../../queue/outbox.ts";
import * as audit from "../../audit/service.ts";
import { systemContext } from "../../request-context.ts";
import { RETRY_SECONDS } from "../model.ts";
import { LEASE_SECONDS } from "../publish.ts";
import { findAdministrators } from "../service.ts";
import { signedHeaders, signingSecrets } from "../secrets.ts";
import * as repo from "./repo.ts";

export type Pending = repo.Pending & { readonly id: Id<"webhookDelivery">; readonly tenantId: Id<"tenant"> };

/** @param attempt counted from 1; undefined is found when that one was made already, or is not wanted any more */
export async function findAttempt(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"webhookDelivery">,
  attempt: number,
): Promise<Pending | undefined> {
  const pending = await repo.findPending(executor, tenantId, id);
  return pending?.attempts === attempt - 1 ? { ...pending, id, tenantId } : undefined;
}

interface Result {
  readonly outcome: "delivered" | "failed" | "gone";
  readonly status: number | null;
  readonly error: string | null;
}

const TIMEOUT_MS = 15_000;

/** Outside of any transaction. Whoever receives it twice sees the same `webhook-id` (Standard Webhooks). */
export async function attemptDelivery(deps: Deps, pending: Pending): Promise<Result> {
  const { webhook, event } = pending;
  const body = JSON.stringify({ type: event.type, timestamp: event.at.toISOString(), data: event.data });
  const at = deps.clock.now();
  const headers = signedHeaders(signingSecrets(deps, webhook, at), { id: event.id, at, body });
  try {
    const { status } = await deps.outbound.request(webhook.url, {
      method: "POST",
      headers,
      body,
      timeoutMs: TIMEOUT_MS,
    });
    if (status >= 200 && status < 300) return { outcome: "delivered", status, error: null };
    const outcome = status === 410 ? "gone" : "failed";
    return { outcome, status, error: `The receiver answered ${status}.` };
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    deps.log.warn({ webhook: webhook.id, reason: error.reason }, "a webhook could not be delivered");
    // One text for all of it: which of our addresses answer is not for a tenant to find out (CWE-918).
    return { outcome: "failed", status: null, error: "The receiver could not be reached." };
  }
}

/** Records an attempt, and plans the next one or gives up. */
export async function recordAttempt(deps: Deps, pending: Pending, result: Result): Promise<void> {
  const { tenantId, id, attempts, webhook, startedAt } = pending;
  const now = deps.clock.now();
  const delay = result.outcome === "failed" ? RETRY_SECONDS[attempts] : undefined;
  await deps.db.transaction(async (tx) => {
    const recorded = await repo.recordAttempt(
      tx,
      tenantId,
      { id, attempts },
      {
        status: result.outcome === "delivered" ? "delivered" : delay === undefined ? "failed" : "pending",
        nextAttemptAt: delay === undefined ? null : addSeconds(now, delay),
        lastAttemptAt: now,
        lastStatus: result.status,
        lastError: result.error,
      },
    );
    if (!recorded) return;
    await repo.setFailing(tx, tenantId, webhook.id, result.outcome === "delivered" ? null : now);
    if (result.outcome === "gone") await giveUp(tx, pending, "It answered 410 Gone.", now);
    // All attempts of nearly two days failed, and nothing else got through meanwhile.
    const hopeless = webhook.failingSince !== null && webhook.failingSince <= addSeconds(startedAt, 3600);
    if (result.outcome === "failed" && delay === undefined && hopeless)
      await giveUp(tx, pending, "Nothing could be delivered for days.", now);
  });
}

const MOST_TOLD = 20;

async function giveUp(
  tx: Executor,
  { tenantId, webhook }: Pending,
  reason: string,
  now: Date,
): Promise<void> {
  if (!(await repo.disable(tx, tenantId, webhook.id, reason, now))) return;
  await audit.record(tx, {
    tenantId,
    type: "webhook.disabled",
    actor: { type: "system" },
    target: { type: "webhook", id: webhook.id },
    details: { reason },
    context: systemContext,
    now,
  });
  for (const userId of await findAdministrators(tx, tenantId, MOST_TOLD)) {
    const payload = { user_id: userId, webhook_id: webhook.id };
    await enqueue(tx, { tenantId, queue: "email", name: "webhook_disabled", payload, now });
  }
}

const BATCH = 500;

/** Puts due attempts on the queue. Safe to repeat, and to run twice at once. @returns how many it was */
export async function enqueueDueAttempts(deps: Deps): Promise<number> {
  const now = deps.clock.now();
  let total = 0;
  for (;;) {
    const taken = await deps.db.transaction(async (tx) => {
      const due = await repo.takeDue(tx, now, addSeconds(now, LEASE_SECONDS), BATCH);
      for (const { tenantId, id, attempts } of due)
        await enqueue(tx, {
          tenantId,
          queue: "webhooks",
          name: "deliver",
          payload: { delivery_id: id, attempt: attempts + 1 },
          now,
        });
      return due.length;
    });
    total += taken;
    if (taken < BATCH) return total;
  }
}

/** Events, with the log of their deliveries, that happened before. */
export const deleteOldWebhookEvents = (
  executor: Executor,
  before: Date,
  _now: Date,
  limit: number,
): Promise<number> => repo.deleteOldEvents(executor, before, limit);
