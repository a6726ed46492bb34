/**
 * Statements of one kind that arrive together travel together: under load a server and its driver spend most of a small
 * statement's time on everything but the statement (measured: a lookup among others costs a sixth of one alone).
 */
import { type SQL, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import { type Database, isDatabaseUnavailable } from "./client.ts";

/** The requests of many turns of the event loop are never in one statement, nor more of one turn than this. */
const MOST_TOGETHER = 256;
/** So many statements of one kind are on their way. What arrives meanwhile goes with the next one, sent when one is back. */
const MOST_UNDER_WAY = 2;

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

type Run<Item, Result> = (db: Database, items: readonly Item[]) => Promise<readonly Result[]>;

/**
 * Makes one statement for many out of what is asked for one by one. Each is answered when its statement is, which was sent
 * after it was asked: it sees all that had been committed by then, and what it wrote is committed. One that is alone is sent in
 * the same turn of the event loop. When a statement for many fails, each is tried alone, so that none fails for another.
 * @param run answers each item, in their order; all or nothing of what it writes
 */
export function together<Item, Result>(
  run: Run<Item, Result>,
): (db: Database, item: Item) => Promise<Result> {
  const queues = new WeakMap<Database, (item: Item) => Promise<Result>>();
  return (db, item) => {
    let add = queues.get(db);
    if (!add) {
      add = createQueue((items) => run(db, items));
      queues.set(db, add);
    }
    return add(item);
  };
}

function createQueue<Item, Result>(run: (items: readonly Item[]) => Promise<readonly Result[]>) {
  const waiting: Waiting<Item, Result>[] = [];
  let underWay = 0;
  let scheduled = false;

  async function settle(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await run(batch.map(({ item }) => item));
      if (results.length !== batch.length) throw new Error("a statement for many did not answer each");
      for (const [index, result] of results.entries()) batch[index]?.resolve(result);
    } catch (error) {
      if (batch.length > 1 && !isDatabaseUnavailable(error)) {
        await Promise.all(batch.map((one) => settle([one])));
      } else {
        for (const { reject } of batch) reject(error);
      }
    }
  }

  function send(): void {
    scheduled = false;
    underWay++;
    void settle(waiting.splice(0, MOST_TOGETHER)).finally(() => {
      underWay--;
      schedule();
    });
    schedule();
  }

  function schedule(): void {
    if (scheduled || waiting.length === 0 || underWay >= MOST_UNDER_WAY) return;
    scheduled = true;
    // After everything that this turn of the event loop has read.
    setImmediate(send);
  }

  return (item: Item) =>
    new Promise<Result>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      schedule();
    });
}

/** What is looked for together, as a table `wanted` with the columns' names, to be joined with theirs. */
export interface Wanted<Item> {
  /**
   * For `from`. What is found by its keys is to be joined laterally, with `limit(1)`: a plain join may be planned while a table
   * is small, to read all of it for each statement, and be run so while it grows.
   */
  readonly table: SQL;
  /** Of the item that a row was found for, from 1. */
  readonly place: SQL<number>;
  column(name: keyof Item & string): SQL;
  /** The parameters of `table`. */
  encode(items: readonly Item[]): Record<string, string>;
}

/** @param columns what each member of an item is compared with: how it is written, and of what type it is */
export function wantedBy<Item extends object>(columns: {
  readonly [Name in keyof Item & string]: PgColumn;
}): Wanted<Item> {
  const all = Object.entries<PgColumn>(columns);
  const arrays = all.map(
    ([name, column]) => sql`${sql.placeholder(name)}::${sql.raw(column.getSQLType())}[]`,
  );
  const names = all.map(([name]) => sql.identifier(name));
  return {
    table: sql`unnest(${sql.join(arrays, sql`, `)}) with ordinality as wanted(${sql.join(names, sql`, `)}, place)`,
    place: sql<number>`wanted.place::int`,
    column: (name) => sql`wanted.${sql.identifier(name)}`,
    encode(items) {
      const arrayOf = (name: string, column: PgColumn) =>
        arrayLiteral(items.map((item) => String(column.mapToDriverValue(Reflect.get(item, name)))));
      return Object.fromEntries(all.map(([name, column]) => [name, arrayOf(name, column)]));
    },
  };
}

/** @returns the row of each place; undefined where there is none */
export function byPlace<Row extends { readonly place: number }>(
  rows: readonly Row[],
  count: number,
): (Row | undefined)[] {
  const found = Array.from<Row | undefined>({ length: count });
  for (const row of rows) found[row.place - 1] = row;
  return found;
}

/** An array as PostgreSQL reads it: the driver would otherwise have to learn the array's type from the server. */
export function arrayLiteral(values: readonly (string | null)[]): string {
  const json = JSON.stringify(values);
  // Texts without a character that either has to escape look the same in both, and JSON is written by the engine at once.
  if (!json.includes("\\")) return `{${json.slice(1, -1)}}`;
  return `{${values.map((value) => (value === null ? "null" : quoted(value))).join(",")}}`;
}

const quoted = (value: string) => `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
