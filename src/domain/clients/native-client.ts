import type { Executor } from "../../db/client.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { readClientMetadata } from "../../protocol/oauth/client-metadata.ts";
import { NATIVE_CLIENT_ID } from "./model.ts";
import * as repo from "./repo.ts";

/** The client that the native API issues tokens to; part of every tenant. It uses no OAuth grant. */
export async function createNativeClient(
  executor: Executor,
  tenantId: Id<"tenant">,
  now: Date,
): Promise<void> {
  const described = readClientMetadata(
    {
      client_name: "Native API",
      application_type: "native",
      token_endpoint_auth_method: "none",
      grant_types: [],
      response_types: [],
      scope: "openid profile email",
      first_party: true,
    },
    { origin: "administrator", defaultScopes: [] },
  );
  if (!described.ok) throw new Error("the native client breaks the rules for clients");
  await repo.insertClient(executor, {
    ...described.metadata,
    tenantId,
    id: newId("client"),
    clientId: NATIVE_CLIENT_ID,
    origin: "built_in",
    createdAt: now,
    updatedAt: now,
  });
}
