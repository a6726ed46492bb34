import type { Id } from "../../lib/ids.ts";

/** What can be told of. `<thing>.<past participle>`, as receivers filter by. */
export const webhookEventTypes = ["scimUser.provisioned", "scimUser.deprovisioned"] as const;
export type WebhookEventType = (typeof webhookEventTypes)[number];

/** A receiver, without its secrets. */
export interface Webhook {
  readonly id: Id<"webhook">;
  readonly url: string;
  readonly description: string;
  /** Empty: every type, those of later versions too. */
  readonly eventTypes: readonly string[];
  readonly enabled: boolean;
  /** Why the server disabled it; null for one that is enabled, or that an administrator disabled. */
  readonly disabledReason: string | null;
  /** Since when nothing gets through; null while things do. */
  readonly failingSince: Date | null;
  /** Until when the former secret signs too. */
  readonly formerSecretUntil: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The same with its secrets, as they are kept: sealed. */
export interface WebhookRow extends Webhook {
  readonly tenantId: Id<"tenant">;
  readonly secretKeyId: string;
  readonly secretBox: Buffer;
  readonly formerSecretKeyId: string | null;
  readonly formerSecretBox: Buffer | null;
}

/** How long after each failed attempt the next one comes; after the last of them there is none. */
export const RETRY_SECONDS: readonly number[] = [60, 300, 1800, 3600, 21_600, 43_200, 86_400];

/** For how long a secret that was replaced signs too, so that receivers change over in their own time. */
export const SECRET_OVERLAP_SECONDS = 86_400;
