/** Lists of the native surface: their query, their envelope and their opaque cursors. */
import type { TSchema } from "@sinclair/typebox";
import { t } from "elysia";
import { badRequest } from "../lib/errors.ts";
import { type IdKind, isId } from "../lib/ids.ts";
import type { PageRequest, PageResult } from "../lib/page.ts";

/** @param sorts what the list can be sorted by, the default first */
export const listQuery = (sorts: readonly string[]) =>
  t.Object({
    limit: t.Optional(t.Integer({ minimum: 1, maximum: 100, default: 20, description: "Items per page" })),
    cursor: t.Optional(
      t.String({ minLength: 1, maxLength: 2048, description: "next_cursor of the page before" }),
    ),
    sort: t.Optional(t.String({ enum: [...sorts], default: sorts[0] })),
    order: t.Optional(t.String({ enum: ["asc", "desc"], default: "desc" })),
    search: t.Optional(t.String({ maxLength: 256, description: "Case-insensitive substring" })),
  });

export const listOf = <Item extends TSchema>(item: Item) =>
  t.Object({
    data: t.Array(item),
    pagination: t.Object({
      total: t.Integer({ description: "How many match; at most 10000 are counted" }),
      limit: t.Integer(),
      has_more: t.Boolean(),
      next_cursor: t.Optional(t.String({ description: "Absent on the last page" })),
    }),
  });

/**
 * @param kind of the list's records
 * @throws AppError 400 for a value that is none of the list's, or a cursor of another list or order
 */
export function readPage<Sort extends string>(
  query: ReturnType<typeof listQuery>["static"],
  sorts: readonly [Sort, ...Sort[]],
  kind: IdKind,
): PageRequest<Sort> {
  const sort = query.sort === undefined ? sorts[0] : sorts.find((one) => one === query.sort);
  if (!sort) throw badRequest(`sort must be one of ${sorts.join(", ")}.`);
  if (query.order !== undefined && query.order !== "asc" && query.order !== "desc")
    throw badRequest("order must be asc or desc.");
  const order = query.order ?? "desc";
  const search = query.search?.trim();
  return {
    limit: query.limit ?? 20,
    sort,
    order,
    search: search === "" ? undefined : search,
    after:
      query.cursor === undefined ? undefined : readCursor(query.cursor, `${kind} ${sort} ${order}`, kind),
  };
}

/** @param keyOf a record's value of the page's `sort`, and its id */
export function listResponse<Item, Wire, Sort extends string>(
  { items, hasMore, total }: PageResult<Item>,
  page: PageRequest<Sort>,
  kind: IdKind,
  { show, keyOf }: { show: (item: Item) => Wire; keyOf: (item: Item) => { value: string; id: string } },
) {
  const last = items.at(-1);
  return {
    data: items.map(show),
    pagination: {
      total,
      limit: page.limit,
      has_more: hasMore,
      ...(hasMore && last !== undefined
        ? { next_cursor: writeCursor(`${kind} ${page.sort} ${page.order}`, keyOf(last)) }
        : {}),
    },
  };
}

function writeCursor(of: string, { value, id }: { value: string; id: string }): string {
  return Buffer.from(JSON.stringify([of, value, id])).toString("base64url");
}

/** It only says where to go on, within what the caller may see anyway: so it is checked for form, and not signed. */
function readCursor(cursor: string, of: string, kind: IdKind): { value: string; id: string } {
  try {
    const [madeFor, value, id]: unknown[] = JSON.parse(Buffer.from(cursor, "base64url").toString());
    const isMoment = typeof value === "string" && !Number.isNaN(Date.parse(value));
    if (madeFor === of && typeof value === "string" && isId(kind, id) && (isMoment || !/_at /.test(of)))
      return { value, id };
  } catch {
    // Not one of ours.
  }
  throw badRequest("cursor is not one that this list gave for this order.");
}
