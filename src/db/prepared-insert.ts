import { getTableColumns, getTableName } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import type { Database } from "./client.ts";

/**
 * An insert of one row that stands on its own, for tables that are written to all the time: its text is made once, where a
 * query builder would make it for each row (measured: a fifth of the time). Every column is written, those that the row
 * does not name as null, whatever their default; so no column of the table may have one that is relied on.
 */
export function preparedInsert<Table extends PgTable>(
  table: Table,
): (db: Database, row: Table["$inferInsert"]) => Promise<void> {
  const columns = Object.entries(getTableColumns(table));
  const names = columns.map(([, { name }]) => `"${name}"`).join(", ");
  const places = columns.map((_, index) => `$${index + 1}`).join(", ");
  const text = `insert into "${getTableName(table)}" (${names}) values (${places})`;
  return async (db, row) => {
    const values: Readonly<Record<string, unknown>> = row;
    const parameters = columns.map(([name, column]) => {
      const value = values[name] ?? null;
      return asParameter(value === null ? null : column.mapToDriverValue(value));
    });
    await db.$client.unsafe(text, parameters, { prepare: true });
  };
}

function asParameter(value: unknown): string | number | boolean | Uint8Array | null {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value;
  if (value instanceof Uint8Array) return value;
  throw new TypeError("a value that the database's driver is not given as it is");
}
