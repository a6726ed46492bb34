/** Receivers of webhooks, as administrators look after them. */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { conflict, type FieldError, notFound, validationError } from "../../lib/errors.ts";
import { type Id, isId, newId } from "../../lib/ids.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import { SECRET_OVERLAP_SECONDS, type Webhook, webhookEventTypes, type WebhookRow } from "./model.ts";
import { send } from "./publish.ts";
import * as repo from "./repo.ts";
import { newSecret, resealed, sealSecret } from "./secrets.ts";

export { type Webhook, type WebhookEventType, webhookEventTypes } from "./model.ts";
export { publish } from "./publish.ts";
export { type DeliveryRecord, findAdministrators } from "./repo.ts";

interface By {
  readonly actor: audit.Actor;
  readonly context: RequestContext;
}

export interface WebhookInput {
  readonly url: string;
  readonly description: string;
  readonly eventTypes: readonly string[];
  readonly enabled: boolean;
}

const MOST_WEBHOOKS = 50;

/** @returns the receiver and its secret, which is shown this once @throws AppError 422; 409 for too many */
export async function createWebhook(
  deps: Deps,
  tenantId: Id<"tenant">,
  input: WebhookInput,
  by: By,
): Promise<{ webhook: Webhook; secret: string }> {
  requireSound(input);
  const now = deps.clock.now();
  const id = newId("webhook");
  const secret = newSecret();
  const sealed = sealSecret(deps, id, secret);
  const row = await deps.db.transaction(async (tx) => {
    if ((await repo.countWebhooks(tx, tenantId)) >= MOST_WEBHOOKS)
      throw conflict(`A tenant has at most ${MOST_WEBHOOKS} webhooks.`);
    const made = await repo.insertWebhook(tx, {
      tenantId,
      id,
      ...input,
      eventTypes: [...input.eventTypes],
      secretKeyId: sealed.keyId,
      secretBox: sealed.box,
      createdAt: now,
      updatedAt: now,
    });
    const details = { url: hostOf(input.url), event_types: input.eventTypes };
    await audit.record(tx, { tenantId, type: "webhook.created", target: targetOf(id), details, now, ...by });
    return made;
  });
  return { webhook: toWebhook(row), secret };
}

export async function listWebhooks(deps: Deps, tenantId: Id<"tenant">): Promise<Webhook[]> {
  return (await repo.listWebhooks(deps.db, tenantId)).map(toWebhook);
}

/** @throws AppError 404 */
export async function requireWebhook(deps: Deps, tenantId: Id<"tenant">, id: string): Promise<Webhook> {
  const row = isId("webhook", id) ? await repo.findWebhook(deps.db, tenantId, id) : undefined;
  if (!row) throw noWebhook();
  return toWebhook(row);
}

/** What is not given stays. One that is enabled again begins without its former failures. @throws AppError 404, 422 */
export async function updateWebhook(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
  changes: Partial<WebhookInput>,
  by: By,
): Promise<Webhook> {
  const now = deps.clock.now();
  return deps.db.transaction(async (tx) => {
    const before = isId("webhook", id) ? await repo.findWebhook(tx, tenantId, id, { lock: true }) : undefined;
    if (!before) throw noWebhook();
    const after = { ...toWebhook(before), ...changes };
    requireSound(after);
    const { url, description, eventTypes, enabled } = after;
    const fresh = changes.enabled ? { failingSince: null, disabledReason: null } : {};
    const row = await repo.updateWebhook(tx, tenantId, before.id, {
      url,
      description,
      eventTypes: [...eventTypes],
      enabled,
      ...fresh,
      updatedAt: now,
    });
    const details = { changed: Object.keys(changes) };
    await audit.record(tx, {
      tenantId,
      type: "webhook.updated",
      target: targetOf(before.id),
      details,
      now,
      ...by,
    });
    return toWebhook(row ?? before);
  });
}

/** @throws AppError 404 */
export async function deleteWebhook(deps: Deps, tenantId: Id<"tenant">, id: string, by: By): Promise<void> {
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    if (!isId("webhook", id) || !(await repo.deleteWebhook(tx, tenantId, id))) throw noWebhook();
    await audit.record(tx, { tenantId, type: "webhook.deleted", target: targetOf(id), now, ...by });
  });
}

/**
 * Makes a new secret; the one before signs too for another day. Of two rotations within it, the first one's is gone.
 * @returns the new secret, which is shown this once
 * @throws AppError 404
 */
export async function rotateWebhookSecret(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
  by: By,
): Promise<{ webhook: Webhook; secret: string }> {
  const now = deps.clock.now();
  const secret = newSecret();
  const row = await deps.db.transaction(async (tx) => {
    const before = isId("webhook", id) ? await repo.findWebhook(tx, tenantId, id, { lock: true }) : undefined;
    if (!before) throw noWebhook();
    const sealed = sealSecret(deps, before.id, secret);
    const rotated = await repo.updateWebhook(tx, tenantId, before.id, {
      secretKeyId: sealed.keyId,
      secretBox: sealed.box,
      formerSecretKeyId: before.secretKeyId,
      formerSecretBox: before.secretBox,
      formerSecretUntil: addSeconds(now, SECRET_OVERLAP_SECONDS),
      updatedAt: now,
    });
    const target = targetOf(before.id);
    await audit.record(tx, { tenantId, type: "webhook.secret_rotated", target, now, ...by });
    return rotated ?? before;
  });
  return { webhook: toWebhook(row), secret };
}

const MOST_SHOWN = 100;

/** The newest hundred. @throws AppError 404 */
export async function listDeliveries(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
): Promise<repo.DeliveryRecord[]> {
  const webhook = await requireWebhook(deps, tenantId, id);
  return repo.listDeliveries(deps.db, tenantId, webhook.id, MOST_SHOWN);
}

/** Sends the event of a delivery once more, as itself: with the `webhook-id` that it had. @throws AppError 404 */
export async function replayDelivery(
  deps: Deps,
  tenantId: Id<"tenant">,
  of: { webhookId: string; deliveryId: string },
  by: By,
): Promise<Id<"webhookDelivery">> {
  const now = deps.clock.now();
  const { id: webhookId } = await requireWebhook(deps, tenantId, of.webhookId);
  return deps.db.transaction(async (tx) => {
    const eventId = isId("webhookDelivery", of.deliveryId)
      ? await repo.findEventOfDelivery(tx, tenantId, webhookId, of.deliveryId)
      : undefined;
    if (!eventId) throw notFound("There is no such delivery.");
    const [made] = await send(tx, { tenantId, eventId, receivers: [webhookId], now });
    if (!made) throw new Error("nothing was sent");
    const details = { event_id: eventId, delivery_id: made };
    await audit.record(tx, {
      tenantId,
      type: "webhook.replayed",
      target: targetOf(webhookId),
      details,
      now,
      ...by,
    });
    return made;
  });
}

const RESEAL_BATCH = 200;

/**
 * Seals all tenants' receivers' secrets under the first master key. Safe to repeat.
 * @returns how many receivers it was
 * @throws MasterKeyError when one is sealed under a master key that is not configured
 */
export async function resealAllWebhookSecrets(deps: Deps): Promise<number> {
  let count = 0;
  for (;;) {
    const rows = await repo.findSealedOtherwise(deps.db, deps.config.masterKeys[0].id, RESEAL_BATCH);
    for (const row of rows) await repo.replaceSeals(deps.db, row, resealed(deps, row));
    count += rows.length;
    if (rows.length < RESEAL_BATCH) return count;
  }
}

function requireSound({ url, description, eventTypes }: Omit<WebhookInput, "enabled">): void {
  const problems: FieldError[] = [];
  const parsed = url.length <= 2048 && /^[\x21-\x7e]+$/.test(url) ? URL.parse(url) : null;
  if (!parsed || !["https:", "http:"].includes(parsed.protocol) || parsed.username || parsed.password)
    problems.push({ field: "url", message: "Must be an https URL without a user name or password." });
  if (description.length > 256)
    problems.push({ field: "description", message: "Has at most 256 characters." });
  const unknown = eventTypes.filter((type) => !webhookEventTypes.some((known) => known === type));
  if (unknown.length > 0)
    problems.push({ field: "event_types", message: `Must be of ${webhookEventTypes.join(", ")}.` });
  if (problems.length > 0) throw validationError(problems);
}

/** Paths and queries of receivers' addresses often hold secrets, which the audit trail would keep for ever. */
const hostOf = (url: string) => URL.parse(url)?.origin;
const targetOf = (id: Id<"webhook">) => ({ type: "webhook", id }) as const;
const noWebhook = () => notFound("There is no such webhook.");

function toWebhook(row: WebhookRow): Webhook {
  const { id, url, description, eventTypes, enabled, disabledReason, failingSince } = row;
  const { formerSecretUntil, createdAt, updatedAt } = row;
  return {
    id,
    url,
    description,
    eventTypes,
    enabled,
    disabledReason,
    failingSince,
    formerSecretUntil,
    createdAt,
    updatedAt,
  };
}
