import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { isId } from "../../lib/ids.ts";
import type { UserFilter } from "../user-administration/service.ts";

export const formats = ["ndjson", "csv"] as const;
export type Format = (typeof formats)[number];

export const contentTypes: Readonly<Record<Format, string>> = {
  ndjson: "application/x-ndjson",
  csv: "text/csv; charset=utf-8",
};

/** Which users, in the words of the list of users. */
const Filter = Type.Object({
  enabled: Type.Optional(Type.Boolean()),
  role: Type.Optional(Type.String()),
  organization_id: Type.Optional(Type.String()),
  created_after: Type.Optional(Type.String()),
  created_before: Type.Optional(Type.String()),
  search: Type.Optional(Type.String()),
});
export type Filter = Static<typeof Filter>;

/** @throws Error when the database holds what nobody could have asked for */
export function filterOf(stored: unknown): { filter: UserFilter; search: string | undefined } {
  if (!Value.Check(Filter, stored)) throw new Error("an export's filter is none");
  const { enabled, role, organization_id: organization, created_after, created_before, search } = stored;
  if (organization !== undefined && !isId("organization", organization))
    throw new Error("an export's filter is none");
  return {
    filter: {
      enabled,
      role,
      organizationId: organization,
      createdAfter: created_after === undefined ? undefined : new Date(created_after),
      createdBefore: created_before === undefined ? undefined : new Date(created_before),
    },
    search,
  };
}
