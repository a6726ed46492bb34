/** Column types that the schema files share. */
import { customType, timestamp } from "drizzle-orm/pg-core";
import { type Id, type IdKind, idFromUuid, uuidFromId } from "../lib/ids.ts";

/** A uuid column that the program sees as a prefixed id of one kind (`user_01J…`). */
export function id<K extends IdKind>(kind: K, name: string) {
  // Rows that are written or looked for together are mostly of one tenant.
  let last: { readonly id: Id<K>; readonly uuid: string } | undefined;
  return customType<{ data: Id<K>; driverData: string }>({
    dataType: () => "uuid",
    toDriver(value) {
      if (last?.id !== value) last = { id: value, uuid: uuidFromId(kind, value) };
      return last.uuid;
    },
    fromDriver: (value) => idFromUuid(kind, value),
  })(name);
}

export const bytea = customType<{ data: Buffer; driverData: Uint8Array }>({
  dataType: () => "bytea",
  fromDriver: (value) => Buffer.from(value),
});

/** Milliseconds, as `Date` and the clock have them. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: "date", precision: 3 });
