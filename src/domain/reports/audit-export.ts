/** The audit trail as a file, the newest first. A page is in memory at a time, however long the trail is. */
import type { Deps } from "../../deps.ts";
import { csvLine } from "../../lib/csv.ts";
import { idFromUuid } from "../../lib/ids.ts";
import { eachPage, type WrittenEvent } from "../audit/reading.ts";
import type { Tenant } from "../tenants/service.ts";
import type { ExportParameters } from "./model.ts";
import * as repo from "./repo.ts";

const PAGE = 2000;
/** Of so many people a name is kept while the file is written, some 20 MB. */
const NAMES_KEPT = 100_000;

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
  const names = namesOf(deps, tenant);
  const pages = eachPage(deps, tenant, { type: type ?? undefined }, { most: limit, pageSize: PAGE });
  let events = 0;
  const nextLines = async (): Promise<string> => {
    const next = await pages.next();
    const page = next.done ? [] : next.value;
    const nameOf = await names(page);
    const lines = page.map((event, at) => writer.line(event, nameOf, events + at === 0));
    events += page.length;
    return lines.join("");
  };
  yield writer.head;
  for (;;) {
    const lines = await deps.pace.part(nextLines);
    if (lines === "") break;
    yield lines;
    await onPage(events);
  }
  yield writer.tail;
}

/** Of an id that nothing has (any more) it is the id itself. */
type NameOf = (id: string | null) => string | null;

/** A name as it was when it was first looked up: most events are about somebody whom others were about, too. */
function namesOf({ db }: Deps, { id: tenantId }: Tenant): (page: readonly WrittenEvent[]) => Promise<NameOf> {
  const known = new Map<string, string>();
  return async (page) => {
    if (known.size > NAMES_KEPT) known.clear();
    const ids = new Set<string>();
    for (const { actor_id: actor, target_id: target } of page) {
      if (actor !== null && !known.has(actor)) ids.add(actor);
      if (target !== null && !known.has(target)) ids.add(target);
    }
    for (const [id, name] of await repo.findNames(db, tenantId, [...ids])) known.set(id, name);
    return (id) => (id === null ? null : (known.get(id) ?? id));
  };
}

interface Writer {
  readonly head: string;
  line(event: WrittenEvent, nameOf: NameOf, first: boolean): string;
  readonly tail: string;
}

const csvWriter: Writer = {
  head: csvLine(COLUMNS),
  line: (event, nameOf) =>
    csvLine([
      idOf(event),
      event.type,
      nameOf(event.actor_id) ?? event.actor_type,
      event.target_type,
      nameOf(event.target_id),
      event.ip,
      momentOf(event),
    ]),
  tail: "",
};

const jsonWriter: Writer = {
  head: "[",
  line(event, nameOf, first) {
    const members = {
      id: idOf(event),
      event_type: event.type,
      actor_type: event.actor_type,
      actor_id: event.actor_id,
      actor_name: nameOf(event.actor_id) ?? event.actor_type,
      target_type: event.target_type,
      target_id: event.target_id,
      target_name: nameOf(event.target_id),
      ip_address: event.ip,
      user_agent: event.user_agent,
      request_id: event.request_id,
      details: JSON.parse(event.details) as unknown,
      created_at: momentOf(event),
    };
    return `${first ? "" : ","}\n${JSON.stringify(members)}`;
  },
  tail: "\n]\n",
};

const idOf = ({ id }: WrittenEvent) => idFromUuid("auditEvent", id);
const momentOf = ({ at }: WrittenEvent) => new Date(Number(at)).toISOString();
