import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import * as repo from "./repo.ts";

/** Every tenant whose trail can be verified. */
export async function listTenantSlugs(deps: Deps): Promise<{ id: Id<"tenant">; slug: string }[]> {
  return (await repo.findTenants(deps.db)).map(({ id, slug }) => ({ id, slug }));
}
