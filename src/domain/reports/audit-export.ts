/** The audit trail as a file, the newest first. A page is in memory at a time, however long the trail is. */
import type { Deps } from "../../deps.ts";
import { csvLine } from "../../lib/csv.ts";
import { eachPage, type StoredEvent } from "../audit/reading.ts";
import type { Tenant } from "../tenants/service.ts";
import type { ExportParameters } from "./model.ts";
import * as repo from "./repo.ts";

const PAGE = 1000;

const COLUMNS = [
  "id",
  "event_type",
  "actor_name",
  "target_type",
  "target_name",
  "ip_address",
  "created_at",
] as const;

/** @param onPage told how many events have been written so far */
export async function* auditExport(
  deps: Deps,
  tenant: Tenant,
  { format, event_type: type, limit }: ExportParameters,
  onPage: (events: number) => Promise<void>,
): AsyncGenerator<string> {
  const writer = format === "csv" ? csvWriter : jsonWriter;
  let events = 0;
  yield writer.head;
  for await (const page of eachPage(
    deps,
    tenant,
    { type: type ?? undefined },
    { most: limit, pageSize: PAGE },
  )) {
    const ids = new Set(page.flatMap(({ actorId, targetId }) => [actorId ?? [], targetId ?? []].flat()));
    const names = await repo.findNames(deps.db, tenant.id, [...ids]);
    const lines = page.map((event, at) => writer.line(namedEvent(event, names), events + at === 0));
    yield lines.join("");
    events += page.length;
    await onPage(events);
  }
  yield writer.tail;
}

type NamedEvent = ReturnType<typeof namedEvent>;

interface Writer {
  readonly head: string;
  line(event: NamedEvent, first: boolean): string;
  readonly tail: string;
}

const csvWriter: Writer = {
  head: csvLine(COLUMNS),
  line: (event) => csvLine(COLUMNS.map((column) => event[column])),
  tail: "",
};

const jsonWriter: Writer = {
  head: "[",
  line: (event, first) => `${first ? "" : ","}\n${JSON.stringify(event)}`,
  tail: "\n]\n",
};

/** A name as it is now; the id where there is none any more. */
function namedEvent(event: StoredEvent, names: ReadonlyMap<string, string>) {
  const nameOf = (id: string | null) => (id === null ? null : (names.get(id) ?? id));
  return {
    id: event.id,
    event_type: event.type,
    actor_type: event.actorType,
    actor_id: event.actorId,
    actor_name: nameOf(event.actorId) ?? event.actorType,
    target_type: event.targetType,
    target_id: event.targetId,
    target_name: nameOf(event.targetId),
    ip_address: event.ip,
    user_agent: event.userAgent,
    request_id: event.requestId,
    details: event.details,
    created_at: event.createdAt.toISOString(),
  };
}
