/** The list of users: a feature of its own, as its queries are. */
import type { Database } from "../../../db/client.ts";
import type { Id } from "../../../lib/ids.ts";
import type { AdministeredUser } from "../service.ts";
import type { UserFilter } from "./model.ts";
import { findUsers } from "./repo.ts";

export type { UserFilter, UserSort } from "./model.ts";
export { listUsers } from "./repo.ts";

const PAGE = 500;

/** All that match, in the order in which they were made: a page at a time, and never more in memory. */
export async function* eachUserPage(
  db: Database,
  tenantId: Id<"tenant">,
  filter: UserFilter,
  search: string | undefined,
): AsyncGenerator<AdministeredUser[]> {
  let after: { value: string; id: string } | undefined;
  for (;;) {
    const page = { limit: PAGE - 1, sort: "created_at", order: "asc", search, after } as const;
    const found = await findUsers(db, tenantId, filter, page);
    const last = found.at(-1);
    if (!last) return;
    yield found;
    if (found.length < PAGE) return;
    after = { value: last.createdAt.toISOString(), id: last.id };
  }
}
