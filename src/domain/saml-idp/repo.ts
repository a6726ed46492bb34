import { and, asc, count, desc, eq, gt, inArray, lt, type SQL, sql } from "drizzle-orm";
import { type Database, type Executor, moment, parameter, prepared } from "../../db/client.ts";
import { groups, groupUsers, samlClients, samlSessions } from "../../db/schema/index.ts";
import { type Id, isId, uuidFromId } from "../../lib/ids.ts";
import { COUNTED_AT_MOST, type PageRequest, pageOf, type PageResult } from "../../lib/page.ts";

export type { SamlAcs, SamlAttribute } from "../../db/schema/index.ts";

export type SamlClient = typeof samlClients.$inferSelect;

/** All but what we make of it. */
export type SamlClientValues = Omit<SamlClient, "tenantId" | "id" | "createdAt" | "updatedAt">;

const byId = prepared((db) =>
  db
    .select()
    .from(samlClients)
    .where(
      and(
        eq(samlClients.tenantId, parameter(samlClients.tenantId, "tenantId")),
        eq(samlClients.id, parameter(samlClients.id, "id")),
      ),
    )
    .prepare("saml_client_by_id"),
);

export async function findCached(
  db: Database,
  tenantId: Id<"tenant">,
  id: Id<"samlClient">,
): Promise<SamlClient | undefined> {
  const [found] = await byId(db).execute({ tenantId, id });
  return found;
}

const theClient = (tenantId: Id<"tenant">, id: Id<"samlClient">) =>
  and(eq(samlClients.tenantId, tenantId), eq(samlClients.id, id));

export async function findById(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"samlClient">,
): Promise<SamlClient | undefined> {
  const [found] = await executor.select().from(samlClients).where(theClient(tenantId, id));
  return found;
}

export async function findAll(executor: Executor, tenantId: Id<"tenant">): Promise<SamlClient[]> {
  return executor
    .select()
    .from(samlClients)
    .where(eq(samlClients.tenantId, tenantId))
    .orderBy(asc(samlClients.createdAt), asc(samlClients.id));
}

export async function insertClient(executor: Executor, client: SamlClient): Promise<void> {
  await executor.insert(samlClients).values(client);
}

export async function updateClient(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"samlClient">,
  changes: SamlClientValues & { updatedAt: Date },
): Promise<void> {
  await executor.update(samlClients).set(changes).where(theClient(tenantId, id));
}

export async function deleteClient(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"samlClient">,
): Promise<void> {
  await executor.delete(samlClients).where(theClient(tenantId, id));
}

export async function listClients(
  db: Database,
  tenantId: Id<"tenant">,
  page: PageRequest<"created_at">,
): Promise<PageResult<SamlClient>> {
  const matching = eq(samlClients.tenantId, tenantId);
  const direction = page.order === "asc" ? asc : desc;
  const [rows, [counted]] = await Promise.all([
    db
      .select()
      .from(samlClients)
      .where(and(matching, following(page)))
      .orderBy(direction(samlClients.createdAt), direction(samlClients.id))
      .limit(page.limit + 1),
    db
      .select({ total: count() })
      .from(
        db
          .select({ id: samlClients.id })
          .from(samlClients)
          .where(matching)
          .limit(COUNTED_AT_MOST)
          .as("matching"),
      ),
  ]);
  return pageOf(rows, page.limit, counted?.total ?? 0);
}

function following({ after, order }: PageRequest<"created_at">): SQL | undefined {
  if (!after || !isId("samlClient", after.id)) return undefined;
  const beyond = order === "asc" ? gt : lt;
  return beyond(
    sql`(${samlClients.createdAt}, ${samlClients.id})`,
    sql`(${moment(new Date(after.value))}, ${uuidFromId("samlClient", after.id)}::uuid)`,
  );
}

/** Names of the groups that the user is in, in order. */
export async function findGroupNames(
  executor: Executor,
  user: { tenantId: Id<"tenant">; id: Id<"user"> },
): Promise<string[]> {
  const rows = await executor
    .select({ name: groups.displayName })
    .from(groupUsers)
    .innerJoin(groups, and(eq(groups.tenantId, groupUsers.tenantId), eq(groups.id, groupUsers.groupId)))
    .where(and(eq(groupUsers.tenantId, user.tenantId), eq(groupUsers.userId, user.id)))
    .orderBy(asc(groups.displayName));
  return rows.map(({ name }) => name);
}

export type SamlSession = typeof samlSessions.$inferSelect;

/** Notes that a session signed in to an application, or finds what was noted at the first time: it knows them by that. */
export async function openSession(executor: Executor, session: SamlSession): Promise<SamlSession> {
  const [row] = await executor
    .insert(samlSessions)
    .values(session)
    .onConflictDoUpdate({
      target: [samlSessions.tenantId, samlSessions.sessionId, samlSessions.samlClientId],
      set: {
        // A transient name stays one for the session; one of another format is what the administrator chose since.
        nameId: sql`case when ${samlSessions.nameIdFormat} = excluded.name_id_format
          and excluded.name_id_format like '%:transient' then ${samlSessions.nameId} else excluded.name_id end`,
        nameIdFormat: sql`excluded.name_id_format`,
      },
    })
    .returning();
  if (!row) throw new Error("a session that was noted is not there");
  return row;
}

/** The sessions that an application's LogoutRequest means: of this name, and of these indexes if it gives any. */
export async function findNamed(
  executor: Executor,
  client: { tenantId: Id<"tenant">; id: Id<"samlClient"> },
  { nameId, indexes }: { nameId: string; indexes: readonly Id<"samlSession">[] | undefined },
): Promise<SamlSession[]> {
  return executor
    .select()
    .from(samlSessions)
    .where(
      and(
        eq(samlSessions.tenantId, client.tenantId),
        eq(samlSessions.samlClientId, client.id),
        eq(samlSessions.nameId, nameId),
        indexes && inArray(samlSessions.id, [...indexes]),
      ),
    )
    .limit(MOST_SESSIONS);
}

/** More sessions than one person has; of no person more are ended by one request. */
const MOST_SESSIONS = 200;

/** What a session signed in to, taken out: of two that end it, one tells the applications. */
export async function takeParticipants(
  executor: Executor,
  tenantId: Id<"tenant">,
  sessionIds: readonly Id<"session">[],
): Promise<SamlSession[]> {
  if (sessionIds.length === 0) return [];
  return executor
    .delete(samlSessions)
    .where(and(eq(samlSessions.tenantId, tenantId), inArray(samlSessions.sessionId, [...sessionIds])))
    .returning();
}
