import { and, eq } from "drizzle-orm";
import type { Executor } from "../../src/db/client.ts";
import { sessions, userEmails, users } from "../../src/db/schema/index.ts";
import type { Id } from "../../src/lib/ids.ts";

/** Whom a mail goes to, as the database says at the time of sending. */
export interface Recipient {
  userId: Id<"user">;
  emailId: Id<"email">;
  address: string;
  verified: boolean;
  givenName: string | null;
  locale: string | null;
}

/**
 * @param emailId undefined for the user's primary address
 * @returns undefined when user or address are gone or the user is disabled.
 */
export async function findRecipient(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  emailId?: Id<"email">,
): Promise<Recipient | undefined> {
  const [row] = await executor
    .select({
      userId: users.id,
      emailId: userEmails.id,
      address: userEmails.address,
      verifiedAt: userEmails.verifiedAt,
      givenName: users.givenName,
      locale: users.locale,
    })
    .from(users)
    .innerJoin(userEmails, and(eq(userEmails.tenantId, users.tenantId), eq(userEmails.userId, users.id)))
    .where(
      and(
        eq(users.tenantId, tenantId),
        eq(users.id, userId),
        eq(users.enabled, true),
        emailId ? eq(userEmails.id, emailId) : eq(userEmails.isPrimary, true),
      ),
    );
  if (!row) return undefined;
  const { verifiedAt, ...recipient } = row;
  return { ...recipient, verified: verifiedAt !== null };
}

export async function findSignIn(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  sessionId: Id<"session">,
): Promise<{ at: Date; ip: string | null; userAgent: string | null } | undefined> {
  const [row] = await executor
    .select({ at: sessions.createdAt, ip: sessions.ip, userAgent: sessions.userAgent })
    .from(sessions)
    .where(and(eq(sessions.tenantId, tenantId), eq(sessions.userId, userId), eq(sessions.id, sessionId)));
  return row;
}
