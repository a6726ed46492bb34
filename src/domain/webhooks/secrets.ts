/** What signs webhooks (Standard Webhooks), sealed at rest. */
import { randomBytes } from "node:crypto";
import { Webhook as Signer } from "standardwebhooks";
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import { type SealedBox, sealWith, unsealWith } from "../../lib/master-keys.ts";
import type { WebhookRow } from "./model.ts";

const SECRET_BYTES = 32;
const contextOf = (id: Id<"webhook">) => `webhook-secret/${id}`;

/** `whsec_` and the base64 of 256 random bits. */
export const newSecret = (): string => `whsec_${randomBytes(SECRET_BYTES).toString("base64")}`;

export const sealSecret = (deps: Deps, id: Id<"webhook">, secret: string): SealedBox =>
  sealWith(deps.config.masterKeys, secret, contextOf(id));

const open = (deps: Deps, id: Id<"webhook">, sealed: SealedBox): string =>
  unsealWith(deps.config.masterKeys, sealed, contextOf(id)).toString("utf8");

/** The secrets that sign at this moment, the current one first. */
export function signingSecrets(deps: Deps, row: WebhookRow, now: Date): string[] {
  const current = open(deps, row.id, { keyId: row.secretKeyId, box: row.secretBox });
  const { formerSecretKeyId: keyId, formerSecretBox: box, formerSecretUntil: until } = row;
  return keyId && box && until && until > now ? [current, open(deps, row.id, { keyId, box })] : [current];
}

/** The headers of one attempt. Of several secrets each signs: a receiver that knows one of them is content. */
export function signedHeaders(
  secrets: readonly string[],
  message: { id: string; at: Date; body: string },
): Record<string, string> {
  const { id, at, body } = message;
  return {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": secrets.map((secret) => new Signer(secret).sign(id, at, body)).join(" "),
  };
}

/** The same secrets, sealed under the first master key. */
export function resealed(deps: Deps, row: WebhookRow): { current: SealedBox; former: SealedBox | undefined } {
  const { formerSecretKeyId: keyId, formerSecretBox: box } = row;
  const current = open(deps, row.id, { keyId: row.secretKeyId, box: row.secretBox });
  return {
    current: sealSecret(deps, row.id, current),
    former: keyId && box ? sealSecret(deps, row.id, open(deps, row.id, { keyId, box })) : undefined,
  };
}
