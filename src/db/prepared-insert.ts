import { getTableColumns, getTableName } from "drizzle-orm";
import type { PgColumn, PgTable } from "drizzle-orm/pg-core";
import { together } from "./batched.ts";
import type { Database } from "./client.ts";

/**
 * An insert that stands on its own, for tables that are written to all the time: rows that arrive together are written by one
 * statement, the same for any number of them, so that it is prepared once and never built. Each insert is over when its row is
 * committed. Every column is written, those that the row does not name as null, whatever their default; so no column of the
 * table may have one that is relied on.
 */
export function preparedInsert<Table extends PgTable>(
  table: Table,
): (db: Database, row: Table["$inferInsert"]) => Promise<void> {
  const columns = Object.entries<PgColumn>(getTableColumns(table));
  const names = columns.map(([, { name }]) => `"${name}"`).join(", ");
  const types = columns.map(([, column]) => `"${column.name}" ${column.getSQLType()}`).join(", ");
  const text = `insert into "${getTableName(table)}" (${names})
    select ${names} from json_to_recordset($1::text::json) as written(${types})`;
  return together(async (db, rows: readonly Table["$inferInsert"][]) => {
    const records = rows.map((row) => {
      const record: Record<string, unknown> = {};
      for (const [key, column] of columns) record[column.name] = asJson(column, Reflect.get(row, key));
      return record;
    });
    await db.$client.unsafe(text, [JSON.stringify(records)], { prepare: true });
    return rows.map(() => undefined);
  });
}

/** A value as a member of a JSON record that PostgreSQL reads the column's type from. */
function asJson(column: PgColumn, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (column.dataType === "json") return value;
  const written = column.mapToDriverValue(value);
  return written instanceof Uint8Array ? `\\x${Buffer.from(written).toString("hex")}` : written;
}
