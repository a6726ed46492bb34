import type { Executor } from "../../db/client.ts";
import type { Id } from "../../lib/ids.ts";
import type { ClientMetadata } from "../../protocol/oauth/client-metadata.ts";
import { administeredMembers } from "../../protocol/oauth/registration.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import * as repo from "./repo.ts";
import { createSecret, usesSecret } from "./secrets.ts";

/** Writes a client that registered itself, in the caller's transaction. @returns its secret, if it is to have one */
export async function insertRegisteredClient(
  executor: Executor,
  input: {
    tenantId: Id<"tenant">;
    id: Id<"client">;
    metadata: ClientMetadata;
    registrationTokenHash: Buffer;
    /** The initial access token that let it. */
    invitation: Id<"initialAccessToken"> | undefined;
    context: RequestContext;
    now: Date;
  },
): Promise<string | undefined> {
  const { tenantId, id, metadata, registrationTokenHash, invitation, context, now } = input;
  await repo.insertClient(executor, {
    ...metadata,
    tenantId,
    id,
    clientId: id,
    origin: "dynamic",
    registrationTokenHash,
    createdAt: now,
    updatedAt: now,
  });
  const secret = usesSecret(metadata) ? await createSecret(executor, tenantId, id, now) : undefined;
  await audit.record(executor, {
    tenantId,
    type: "client.created",
    actor: { type: "anonymous" },
    target: { type: "client", id },
    details: { after: administeredMembers(metadata), initial_access_token: invitation ?? null },
    context,
    now,
  });
  return secret;
}
