import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import type { Administrator } from "../administrators/service.ts";
import { findSamlClients, prepareSamlClient, type SamlClientRequest } from "../saml-idp/service.ts";
import type { ImportResult } from "./document.ts";

/** One that can be inserted, with the name that it goes by everywhere. */
export interface PreparedSamlClient {
  readonly name: string;
  readonly entityId: string;
  readonly insert: ReturnType<typeof prepareSamlClient>;
}

/** @throws AppError 422 that names each wrong field */
export const prepareOne = (deps: Deps, described: SamlClientRequest): PreparedSamlClient => ({
  name: described.name,
  entityId: described.entity_id,
  insert: prepareSamlClient(deps, described),
});

/** Those that are not there yet, by their entityID. */
export async function importSamlClients(
  tx: Executor,
  tenantId: Id<"tenant">,
  wanted: readonly PreparedSamlClient[],
  by: Administrator,
): Promise<ImportResult["samlClients"]> {
  const result: ImportResult["samlClients"] = { created: [], skipped: [] };
  const known = new Set((await findSamlClients(tx, tenantId)).map(({ entityId }) => entityId));
  for (const { name, entityId, insert } of wanted) {
    if (known.has(entityId)) {
      result.skipped.push(entityId);
      continue;
    }
    const { id } = await insert(tx, tenantId, by);
    known.add(entityId);
    result.created.push({ name, entityId, id });
  }
  return result;
}
