import type { Executor } from "../../db/client.ts";
import { sha256 } from "../../lib/crypto.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { newSecretToken } from "../../lib/secret-token.ts";
import type { ClientMetadata } from "../../protocol/oauth/client-metadata.ts";
import * as repo from "./repo.ts";

/** Makes a secret for a client in the caller's transaction. @returns the secret, which nobody can read afterwards */
export async function createSecret(
  executor: Executor,
  tenantId: Id<"tenant">,
  clientId: Id<"client">,
  now: Date,
): Promise<string> {
  const id = newId("clientSecret");
  const { token } = newSecretToken(id);
  // The digest covers the whole token, prefix and id included: that is what the client presents.
  await repo.insertSecret(executor, { tenantId, id, clientId, hash: sha256(token), createdAt: now });
  return token;
}

export const usesSecret = ({ tokenEndpointAuthMethod }: ClientMetadata) =>
  tokenEndpointAuthMethod === "client_secret_basic" || tokenEndpointAuthMethod === "client_secret_post";

/** Whether a secret is good at this moment. */
export const isLiveSecret = (now: Date) => (secret: { readonly expiresAt: Date | null }) =>
  !secret.expiresAt || secret.expiresAt > now;
