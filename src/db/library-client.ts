import type { Database } from "./client.ts";

/** What a library that writes its own SQL for `pg` needs: our pool, asked in the way of `pg`. Statements are prepared. */
export function libraryClient(db: Database) {
  return {
    async query({ text, values }: { text: string; values: (string | number)[] }) {
      const rows = await db.$client.unsafe(text, values, { prepare: true });
      return { rows, rowCount: rows.count };
    },
  };
}
