import { and, eq, gt, sql } from "drizzle-orm";
import {
  type Database,
  type Executor,
  type Fragment,
  moment,
  parameter,
  prepared,
  type Sql,
} from "../../db/client.ts";
import { clients, deviceAuthorizations, sessions, userEmails, users } from "../../db/schema/index.ts";
import { type Id, uuidFromId } from "../../lib/ids.ts";
import { primaryEmail, userColumns } from "../users/service.ts";

export type DeviceAuthorizationRow = typeof deviceAuthorizations.$inferSelect;

export async function insertDeviceAuthorization(
  executor: Executor,
  row: typeof deviceAuthorizations.$inferInsert,
): Promise<void> {
  await executor.insert(deviceAuthorizations).values(row);
}

/** What a user code stands for while nobody has answered it. */
export async function findPending(executor: Executor, tenantId: Id<"tenant">, userCode: string, now: Date) {
  const [found] = await executor
    .select({ device: deviceAuthorizations, clientId: clients.clientId })
    .from(deviceAuthorizations)
    .innerJoin(
      clients,
      and(eq(clients.tenantId, deviceAuthorizations.tenantId), eq(clients.id, deviceAuthorizations.clientId)),
    )
    .where(
      and(
        eq(deviceAuthorizations.tenantId, tenantId),
        eq(deviceAuthorizations.userCode, userCode),
        eq(deviceAuthorizations.status, "pending"),
        gt(deviceAuthorizations.expiresAt, now),
      ),
    );
  return found;
}

/** One atomic statement: an authorization is answered once. @returns whether this was the answer */
export async function answer(
  executor: Executor,
  device: { tenantId: Id<"tenant">; id: Id<"deviceAuthorization"> },
  by: { status: "approved" | "denied"; userId: Id<"user">; sessionId: Id<"session"> },
  now: Date,
): Promise<boolean> {
  const answered = await executor
    .update(deviceAuthorizations)
    .set(by)
    .where(
      and(
        eq(deviceAuthorizations.tenantId, device.tenantId),
        eq(deviceAuthorizations.id, device.id),
        eq(deviceAuthorizations.status, "pending"),
        gt(deviceAuthorizations.expiresAt, now),
      ),
    )
    .returning({ id: deviceAuthorizations.id });
  return answered.length > 0;
}

/** What the client and the holder of the device code may see of it. */
export interface Poll {
  readonly tenantId: Id<"tenant">;
  readonly id: Id<"deviceAuthorization">;
  readonly clientId: Id<"client">;
  readonly hash: Buffer;
  readonly now: Date;
}

/**
 * Counts a poll, by one statement: too early a one makes the interval five seconds longer (RFC 8628 §3.5). Nobody but
 * the client that holds the code can make a device wait.
 * @returns undefined when there is no such device code
 */
export async function poll(executor: Executor, { tenantId, id, clientId, hash, now }: Poll) {
  const earlier = executor.$with("earlier").as(
    executor
      .select({
        tenantId: deviceAuthorizations.tenantId,
        id: deviceAuthorizations.id,
        tooEarly: sql<boolean>`coalesce(${deviceAuthorizations.polledAt} + make_interval(secs =>
          ${deviceAuthorizations.intervalSeconds}) > ${moment(now)}, false)`.as("too_early"),
      })
      .from(deviceAuthorizations)
      .where(
        and(
          eq(deviceAuthorizations.tenantId, tenantId),
          eq(deviceAuthorizations.id, id),
          eq(deviceAuthorizations.clientId, clientId),
          eq(deviceAuthorizations.hash, hash),
        ),
      )
      .for("update"),
  );
  const [polled] = await executor
    .with(earlier)
    .update(deviceAuthorizations)
    .set({
      polledAt: now,
      intervalSeconds: sql`${deviceAuthorizations.intervalSeconds} + case when ${earlier.tooEarly} then 5 else 0 end`,
    })
    .from(earlier)
    .where(and(eq(deviceAuthorizations.tenantId, earlier.tenantId), eq(deviceAuthorizations.id, earlier.id)))
    .returning({
      status: deviceAuthorizations.status,
      expiresAt: deviceAuthorizations.expiresAt,
      consumedAt: deviceAuthorizations.consumedAt,
      tooEarly: earlier.tooEarly,
    });
  return polled;
}

const approvedDevice = prepared((db) =>
  db
    .select({
      scope: deviceAuthorizations.scope,
      resources: deviceAuthorizations.resources,
      dpopJkt: deviceAuthorizations.dpopJkt,
      session: {
        sessionId: sessions.id,
        authTime: sessions.authTime,
        acr: sessions.acr,
        amr: sessions.amr,
        revokedAt: sessions.revokedAt,
      },
      user: userColumns,
    })
    .from(deviceAuthorizations)
    .innerJoin(
      users,
      and(eq(users.tenantId, deviceAuthorizations.tenantId), eq(users.id, deviceAuthorizations.userId)),
    )
    .innerJoin(
      sessions,
      and(
        eq(sessions.tenantId, deviceAuthorizations.tenantId),
        eq(sessions.id, deviceAuthorizations.sessionId),
      ),
    )
    .leftJoin(userEmails, primaryEmail)
    .where(
      and(
        eq(deviceAuthorizations.tenantId, parameter(deviceAuthorizations.tenantId, "tenantId")),
        eq(deviceAuthorizations.id, parameter(deviceAuthorizations.id, "id")),
        eq(deviceAuthorizations.status, "approved"),
      ),
    )
    .prepare("approved_device"),
);

/** Who approved it and in which session. */
export async function findApproval(db: Database, tenantId: Id<"tenant">, id: Id<"deviceAuthorization">) {
  const [found] = await approvedDevice(db).execute({ tenantId, id });
  return found;
}

/** Uses it up, as the part of the statement that issues tokens for it: of two polls that race, one gets a row. */
export const consumption =
  (tenantId: Id<"tenant">, id: Id<"deviceAuthorization">, familyId: Id<"tokenFamily">, now: Date) =>
  (client: Sql): Fragment => client`
    update device_authorizations
    set consumed_at = ${now.toISOString()}::timestamptz, family_id = ${uuidFromId("tokenFamily", familyId)}::uuid
    where tenant_id = ${uuidFromId("tenant", tenantId)}::uuid and id = ${uuidFromId("deviceAuthorization", id)}::uuid
      and status = 'approved' and consumed_at is null and exists (select 1 from live)
    returning 1`;
