import { and, eq, sql } from "drizzle-orm";
import {
  type Database,
  type Executor,
  type Fragment,
  parameter,
  prepared,
  type Sql,
} from "../../db/client.ts";
import {
  groupGroups,
  groupRoles,
  groupUsers,
  roles,
  userEmails,
  userRoles,
  users,
} from "../../db/schema/index.ts";
import { passwordCredentials } from "../../db/schema/passwords.ts";
import { type Id, uuidFromId } from "../../lib/ids.ts";
import { emailKey, type User, usernameKey } from "./model.ts";

const columns = {
  id: users.id,
  tenantId: users.tenantId,
  username: users.username,
  givenName: users.givenName,
  familyName: users.familyName,
  picture: users.picture,
  locale: users.locale,
  zoneinfo: users.zoneinfo,
  enabled: users.enabled,
  emailId: userEmails.id,
  email: userEmails.address,
  emailVerified: sql<boolean>`${userEmails.verifiedAt} is not null`,
  // Their own, and those of the groups that they are in, directly or through other groups. Who is in none does not pay
  // for the search through groups.
  roles: sql<string[]>`case when exists (select 1 from ${groupUsers}
      where ${groupUsers.tenantId} = ${users.tenantId} and ${groupUsers.userId} = ${users.id})
    then array(select ${roles.name} from ${roles} where ${roles.tenantId} = ${users.tenantId}
      and ${roles.id} in (
        select ${userRoles.roleId} from ${userRoles}
          where ${userRoles.tenantId} = ${users.tenantId} and ${userRoles.userId} = ${users.id}
        union all
        select ${groupRoles.roleId} from ${groupRoles} where ${groupRoles.tenantId} = ${users.tenantId}
          and ${groupRoles.groupId} in (
            with recursive held(id) as (
              select ${groupUsers.groupId} from ${groupUsers}
                where ${groupUsers.tenantId} = ${users.tenantId} and ${groupUsers.userId} = ${users.id}
              union
              select ${groupGroups.groupId} from ${groupGroups} join held on held.id = ${groupGroups.memberId}
                where ${groupGroups.tenantId} = ${users.tenantId})
            select held.id from held))
      order by ${roles.name})
    else array(select ${roles.name} from ${userRoles}
      join ${roles} on ${roles.tenantId} = ${userRoles.tenantId} and ${roles.id} = ${userRoles.roleId}
      where ${userRoles.tenantId} = ${users.tenantId} and ${userRoles.userId} = ${users.id}
      order by ${roles.name}) end`,
  createdAt: users.createdAt,
  updatedAt: users.updatedAt,
};
/** The columns of `User`, for other features' queries that read a user in the same round trip. */
export const userColumns = columns;

export const primaryEmail = and(
  eq(userEmails.tenantId, users.tenantId),
  eq(userEmails.userId, users.id),
  eq(userEmails.isPrimary, true),
);

const byId = prepared((db) =>
  db
    .select(columns)
    .from(users)
    .leftJoin(userEmails, primaryEmail)
    .where(
      and(eq(users.tenantId, parameter(users.tenantId, "tenantId")), eq(users.id, parameter(users.id, "id"))),
    )
    .prepare("user_by_id"),
);

export async function findById(
  db: Database,
  tenantId: Id<"tenant">,
  id: Id<"user">,
): Promise<User | undefined> {
  const [user] = await byId(db).execute({ tenantId, id });
  return user;
}

/** A user with what a password sign-in needs, in one round trip. */
export type UserWithPassword = User & { readonly passwordHash: string | null };

const withPassword = { ...columns, passwordHash: passwordCredentials.hash };
const passwordOfUser = and(
  eq(passwordCredentials.tenantId, users.tenantId),
  eq(passwordCredentials.userId, users.id),
);

const byUsername = prepared((db) =>
  db
    .select(withPassword)
    .from(users)
    .leftJoin(userEmails, primaryEmail)
    .leftJoin(passwordCredentials, passwordOfUser)
    .where(
      and(
        eq(users.tenantId, parameter(users.tenantId, "tenantId")),
        eq(users.usernameKey, parameter(users.usernameKey, "key")),
      ),
    )
    .prepare("user_by_username"),
);

const byEmail = prepared((db) =>
  db
    .select(withPassword)
    .from(users)
    .leftJoin(userEmails, primaryEmail)
    .leftJoin(passwordCredentials, passwordOfUser)
    .where(
      and(
        eq(users.tenantId, parameter(users.tenantId, "tenantId")),
        sql`${users.id} = (select e.user_id from ${userEmails} e
          where e.tenant_id = ${parameter(users.tenantId, "tenantId")} and e.address_key = ${sql.placeholder("key")})`,
      ),
    )
    .prepare("user_by_email"),
);

const byAddressOrName = prepared((db) =>
  db
    .select(withPassword)
    .from(users)
    .leftJoin(userEmails, primaryEmail)
    .leftJoin(passwordCredentials, passwordOfUser)
    .where(
      and(
        eq(users.tenantId, parameter(users.tenantId, "tenantId")),
        sql`${users.id} = coalesce(
          (select e.user_id from ${userEmails} e
            where e.tenant_id = ${parameter(users.tenantId, "tenantId")} and e.address_key = ${sql.placeholder("address")}),
          (select u.id from ${users} u
            where u.tenant_id = ${parameter(users.tenantId, "tenantId")} and u.username_key = ${sql.placeholder("name")}))`,
      ),
    )
    .prepare("user_by_address_or_name"),
);

/** Directories call people by names that look like addresses. Whose address it is comes first. */
export async function findByAddressOrName(
  db: Database,
  tenantId: Id<"tenant">,
  identifier: string,
): Promise<UserWithPassword | undefined> {
  const [user] = await byAddressOrName(db).execute({
    tenantId,
    address: emailKey(identifier),
    name: usernameKey(identifier.trim()),
  });
  return user;
}

export async function findByUsername(
  db: Database,
  tenantId: Id<"tenant">,
  username: string,
): Promise<UserWithPassword | undefined> {
  const [user] = await byUsername(db).execute({ tenantId, key: usernameKey(username) });
  return user;
}

export async function findByEmail(
  db: Database,
  tenantId: Id<"tenant">,
  address: string,
): Promise<UserWithPassword | undefined> {
  const [user] = await byEmail(db).execute({ tenantId, key: emailKey(address) });
  return user;
}

export interface NewUser {
  tenantId: Id<"tenant">;
  id: Id<"user">;
  emailId: Id<"email">;
  username: string;
  /** Null for somebody without an address. */
  email: string | null;
  emailVerifiedAt: Date | null;
  givenName: string | null;
  familyName: string | null;
  locale: string | null;
  now: Date;
}

export async function insertUser(executor: Executor, user: NewUser): Promise<void> {
  await executor.insert(users).values({
    tenantId: user.tenantId,
    id: user.id,
    username: user.username,
    usernameKey: usernameKey(user.username),
    givenName: user.givenName,
    familyName: user.familyName,
    locale: user.locale,
    createdAt: user.now,
    updatedAt: user.now,
  });
  if (user.email === null) return;
  await executor.insert(userEmails).values({
    tenantId: user.tenantId,
    id: user.emailId,
    userId: user.id,
    address: user.email.trim(),
    addressKey: emailKey(user.email),
    isPrimary: true,
    verifiedAt: user.emailVerifiedAt,
    createdAt: user.now,
  });
}

/** @returns whether the address was there and not yet verified. */
export async function markEmailVerified(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  emailId: Id<"email">,
  now: Date,
): Promise<boolean> {
  const verified = await executor
    .update(userEmails)
    .set({ verifiedAt: now })
    .where(
      and(
        eq(userEmails.tenantId, tenantId),
        eq(userEmails.userId, userId),
        eq(userEmails.id, emailId),
        sql`${userEmails.verifiedAt} is null`,
      ),
    )
    .returning({ id: userEmails.id });
  return verified.length > 0;
}

/** Notes that a user signed in when `source` has a row, as a part of a larger statement. @returns one row if they are there */
export const lastLoginUpdate = (
  driver: Sql,
  { tenantId, id }: Pick<User, "tenantId" | "id">,
  now: Date,
  source: string,
): Fragment => driver`
  update users u set last_login_at = ${now.toISOString()}::timestamptz
  from ${driver(source)}
  where u.tenant_id = ${uuidFromId("tenant", tenantId)}::uuid and u.id = ${uuidFromId("user", id)}::uuid
  returning u.tenant_id, u.id`;

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
