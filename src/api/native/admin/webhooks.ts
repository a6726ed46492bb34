/** Who is told what happens in the tenant, and how that went. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import {
  createWebhook,
  deleteWebhook,
  type DeliveryRecord,
  listDeliveries,
  listWebhooks,
  replayDelivery,
  requireWebhook,
  rotateWebhookSecret,
  updateWebhook,
  type Webhook,
  webhookEventTypes,
} from "../../../domain/webhooks/service.ts";
import { jsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { adminScope } from "../../../http/scope.ts";
import { adminErrors, Nothing, noStore } from "./models.ts";

const Moment = t.String({ format: "date-time" });
const optionalMoment = t.Union([Moment, t.Null()]);

const fields = {
  url: t.String({
    minLength: 1,
    maxLength: 2048,
    description: "Where to; https, and never inside our own network",
  }),
  description: t.String({ maxLength: 256 }),
  event_types: t.Array(t.String({ maxLength: 64 }), {
    maxItems: 100,
    description: `Empty: all of them. Else of ${webhookEventTypes.join(", ")}`,
  }),
  enabled: t.Boolean(),
};

const WebhookRequest = t.Object({
  url: fields.url,
  description: t.Optional(fields.description),
  event_types: t.Optional(fields.event_types),
  enabled: t.Optional(fields.enabled),
});
const WebhookChanges = t.Partial(t.Object(fields));

const WebhookResponse = t.Object(
  {
    id: t.String(),
    url: t.String(),
    description: t.String(),
    event_types: t.Array(t.String()),
    enabled: t.Boolean(),
    disabled_reason: t.Union([t.String(), t.Null()], { description: "Why the server disabled it" }),
    failing_since: optionalMoment,
    former_secret_until: optionalMoment,
    created_at: Moment,
    updated_at: Moment,
  },
  { description: "A receiver of webhooks" },
);

const WebhookWithSecretResponse = t.Composite([
  WebhookResponse,
  t.Object({ secret: t.String({ description: "What signs (Standard Webhooks). Shown this once" }) }),
]);

const DeliveryResponse = t.Object({
  id: t.String(),
  event_id: t.String({ description: "The webhook-id" }),
  type: t.String(),
  status: t.String({ description: "pending, delivered or failed" }),
  attempts: t.Integer(),
  next_attempt_at: optionalMoment,
  last_attempt_at: optionalMoment,
  last_status: t.Union([t.Integer(), t.Null()]),
  last_error: t.Union([t.String(), t.Null()]),
  created_at: Moment,
});

export const adminWebhookRoutes = (deps: Deps) =>
  new Elysia({ name: "native-admin-webhooks", detail: { tags: ["Webhooks"], security: bearerAuth } })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/webhooks",
      async ({ tenant }) => ({ data: (await listWebhooks(deps, tenant.id)).map(response) }),
      {
        response: { 200: t.Object({ data: t.Array(WebhookResponse) }), ...adminErrors },
        detail: { summary: "List webhooks" },
      },
    )
    .post(
      "/api/v1/admin/webhooks",
      async ({ tenant, body, by, status, set }) => {
        const { url, description = "", event_types: eventTypes = [], enabled = true } = body;
        const made = await createWebhook(deps, tenant.id, { url, description, eventTypes, enabled }, by);
        Object.assign(set.headers, noStore);
        return status(201, { ...response(made.webhook), secret: made.secret });
      },
      {
        parse: jsonBody,
        body: WebhookRequest,
        response: { 201: WebhookWithSecretResponse, 409: ErrorResponse, 422: ErrorResponse, ...adminErrors },
        detail: { summary: "Add a webhook", description: "Its secret is shown this once." },
      },
    )
    .get(
      "/api/v1/admin/webhooks/:id",
      async ({ tenant, params }) => response(await requireWebhook(deps, tenant.id, params.id)),
      {
        response: { 200: WebhookResponse, ...adminErrors },
        detail: { summary: "One webhook" },
      },
    )
    .patch(
      "/api/v1/admin/webhooks/:id",
      async ({ tenant, params, body, by }) => {
        const { event_types: eventTypes, ...others } = body;
        const changes = eventTypes === undefined ? others : { ...others, eventTypes };
        return response(await updateWebhook(deps, tenant.id, params.id, changes, by));
      },
      {
        parse: jsonBody,
        body: WebhookChanges,
        response: { 200: WebhookResponse, 422: ErrorResponse, ...adminErrors },
        detail: { summary: "Change a webhook", description: "Enabling it forgets its former failures." },
      },
    )
    .delete(
      "/api/v1/admin/webhooks/:id",
      async ({ tenant, params, by, status }) => {
        await deleteWebhook(deps, tenant.id, params.id, by);
        return status(204, undefined);
      },
      { response: { 204: Nothing, ...adminErrors }, detail: { summary: "Remove a webhook" } },
    )
    .post(
      "/api/v1/admin/webhooks/:id/rotate-secret",
      async ({ tenant, params, by, set }) => {
        const { webhook, secret } = await rotateWebhookSecret(deps, tenant.id, params.id, by);
        Object.assign(set.headers, noStore);
        return { ...response(webhook), secret };
      },
      {
        response: { 200: WebhookWithSecretResponse, ...adminErrors },
        detail: {
          summary: "Make a new secret",
          description: "It is shown this once. The former one signs too for another 24 hours.",
        },
      },
    )
    .get(
      "/api/v1/admin/webhooks/:id/deliveries",
      async ({ tenant, params }) => ({
        data: (await listDeliveries(deps, tenant.id, params.id)).map(deliveryResponse),
      }),
      {
        response: { 200: t.Object({ data: t.Array(DeliveryResponse) }), ...adminErrors },
        detail: {
          summary: "What was delivered",
          description: "The newest hundred; they are kept for 30 days.",
        },
      },
    )
    .post(
      "/api/v1/admin/webhooks/:id/deliveries/:delivery_id/replay",
      async ({ tenant, params, by, status }) => {
        const of = { webhookId: params.id, deliveryId: params.delivery_id };
        return status(202, { id: await replayDelivery(deps, tenant.id, of, by) });
      },
      {
        response: { 202: t.Object({ id: t.String() }), ...adminErrors },
        detail: {
          summary: "Deliver once more",
          description: "The same event, with the webhook-id that it had.",
        },
      },
    );

function response(webhook: Webhook): typeof WebhookResponse.static {
  return {
    id: webhook.id,
    url: webhook.url,
    description: webhook.description,
    event_types: [...webhook.eventTypes],
    enabled: webhook.enabled,
    disabled_reason: webhook.disabledReason,
    failing_since: webhook.failingSince?.toISOString() ?? null,
    former_secret_until: webhook.formerSecretUntil?.toISOString() ?? null,
    created_at: webhook.createdAt.toISOString(),
    updated_at: webhook.updatedAt.toISOString(),
  };
}

function deliveryResponse(delivery: DeliveryRecord): typeof DeliveryResponse.static {
  return {
    id: delivery.id,
    event_id: delivery.eventId,
    type: delivery.type,
    status: delivery.status,
    attempts: delivery.attempts,
    next_attempt_at: delivery.nextAttemptAt?.toISOString() ?? null,
    last_attempt_at: delivery.lastAttemptAt?.toISOString() ?? null,
    last_status: delivery.lastStatus,
    last_error: delivery.lastError,
    created_at: delivery.createdAt.toISOString(),
  };
}
