/** One page of a list that is read by keyset: what comes after the last record seen, never "skip the first n". */
export interface PageRequest<Sort extends string> {
  readonly limit: number;
  readonly sort: Sort;
  readonly order: "asc" | "desc";
  /** Case-insensitive substring. */
  readonly search: string | undefined;
  /** The last record of the page before: its value of `sort`, and its id. */
  readonly after: { readonly value: string; readonly id: string } | undefined;
}

export interface PageResult<Item> {
  readonly items: readonly Item[];
  readonly hasMore: boolean;
  /** All that match, counted up to `COUNTED_AT_MOST`. */
  readonly total: number;
}

/** Counting takes as long as there are records: beyond this, nobody reads the number anyway. */
export const COUNTED_AT_MOST = 10_000;

/** @param rows one more than the page holds, which tells whether there are more */
export function pageOf<Item>(rows: readonly Item[], limit: number, total: number): PageResult<Item> {
  return { items: rows.slice(0, limit), hasMore: rows.length > limit, total };
}
