/** What a list of users can be asked for. */
import type { Id } from "../../../lib/ids.ts";

export type UserSort = "created_at" | "updated_at" | "username" | "email" | "last_login_at";

export interface UserFilter {
  readonly enabled?: boolean | undefined;
  /** By name; those who have it through a group, too. */
  readonly role?: string | undefined;
  /** A customer company that the users are members of. */
  readonly organizationId?: Id<"organization"> | undefined;
  readonly createdAfter?: Date | undefined;
  readonly createdBefore?: Date | undefined;
}

/** Whether no index alone says who matches: of a search, and of several filters at once. */
export function isCombined(filter: UserFilter, search: string | undefined): boolean {
  const { enabled, role, organizationId, createdAfter, createdBefore } = filter;
  const given = [enabled, role, organizationId, createdAfter ?? createdBefore];
  return search !== undefined || given.filter((one) => one !== undefined).length > 1;
}

/**
 * Of a search or several filters so many are counted: whoever reads that there are as many changes the words. Each that a search
 * finds costs more than one of a set.
 */
export const foundAtMost = (search: string | undefined): number => (search === undefined ? 2000 : 1000);
