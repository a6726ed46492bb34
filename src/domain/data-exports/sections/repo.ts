import { and, asc, desc, eq, or } from "drizzle-orm";
import type { AnyPgColumn } from "drizzle-orm/pg-core";
import type { Executor } from "../../../db/client.ts";
import {
  apiKeys,
  auditEvents,
  clients,
  connections,
  emailChanges,
  externalAccounts,
  grants,
  groups,
  groupUsers,
  organizationMembers,
  organizations,
  passkeys,
  passwordCredentials,
  roles,
  samlClients,
  samlSessions,
  scimExternalIds,
  scimUsers,
  sessions,
  totpDevices,
  trustedDevices,
  userEmails,
  userPhones,
  userRoles,
  users,
} from "../../../db/schema/index.ts";
import type { Id } from "../../../lib/ids.ts";

export interface Owner {
  tenantId: Id<"tenant">;
  userId: Id<"user">;
}

/** Newest first; of a longer trail the rest is an administrator's to give. */
const MOST_EVENTS = 10_000;

/** What is kept about a user, by section. Credentials and their digests are left out: they identify, and tell nothing. */
export const sections: Readonly<Record<string, (executor: Executor, owner: Owner) => Promise<unknown>>> = {
  async profile(executor, { tenantId, userId }) {
    const [profile] = await executor
      .select({
        id: users.id,
        username: users.username,
        given_name: users.givenName,
        family_name: users.familyName,
        picture: users.picture,
        locale: users.locale,
        zoneinfo: users.zoneinfo,
        last_login_at: users.lastLoginAt,
        password_changed_at: passwordCredentials.changedAt,
        created_at: users.createdAt,
        updated_at: users.updatedAt,
      })
      .from(users)
      .leftJoin(
        passwordCredentials,
        and(eq(passwordCredentials.tenantId, users.tenantId), eq(passwordCredentials.userId, users.id)),
      )
      .where(and(eq(users.tenantId, tenantId), eq(users.id, userId)));
    return profile;
  },
  emails: (executor, owner) =>
    executor
      .select({
        address: userEmails.address,
        primary: userEmails.isPrimary,
        verified_at: userEmails.verifiedAt,
        created_at: userEmails.createdAt,
      })
      .from(userEmails)
      .where(of(userEmails, owner)),
  email_changes: (executor, owner) =>
    executor
      .select({
        old_address: emailChanges.oldAddress,
        new_address: emailChanges.newAddress,
        created_at: emailChanges.createdAt,
        completed_at: emailChanges.completedAt,
      })
      .from(emailChanges)
      .where(of(emailChanges, owner)),
  phones: (executor, owner) =>
    executor
      .select({
        number: userPhones.number,
        primary: userPhones.isPrimary,
        verified_at: userPhones.verifiedAt,
        created_at: userPhones.createdAt,
      })
      .from(userPhones)
      .where(of(userPhones, owner)),
  roles: (executor, owner) =>
    executor
      .select({ role: roles.name, since: userRoles.createdAt })
      .from(userRoles)
      .innerJoin(roles, and(eq(roles.tenantId, userRoles.tenantId), eq(roles.id, userRoles.roleId)))
      .where(of(userRoles, owner)),
  groups: (executor, owner) =>
    executor
      .select({ group: groups.displayName, since: groupUsers.createdAt })
      .from(groupUsers)
      .innerJoin(groups, and(eq(groups.tenantId, groupUsers.tenantId), eq(groups.id, groupUsers.groupId)))
      .where(of(groupUsers, owner)),
  organizations: (executor, owner) =>
    executor
      .select({ organization: organizations.name, since: organizationMembers.createdAt })
      .from(organizationMembers)
      .innerJoin(
        organizations,
        and(
          eq(organizations.tenantId, organizationMembers.tenantId),
          eq(organizations.id, organizationMembers.organizationId),
        ),
      )
      .where(of(organizationMembers, owner)),
  directory: (executor, owner) =>
    executor
      .select({ attributes: scimUsers.attributes, created_at: scimUsers.createdAt })
      .from(scimUsers)
      .where(of(scimUsers, owner)),
  directory_ids: (executor, owner) =>
    executor
      .select({ external_id: scimExternalIds.externalId })
      .from(scimExternalIds)
      .where(of(scimExternalIds, owner)),
  sessions: (executor, owner) =>
    executor
      .select({
        id: sessions.id,
        ip: sessions.ip,
        user_agent: sessions.userAgent,
        methods: sessions.amr,
        created_at: sessions.createdAt,
        last_seen_at: sessions.lastSeenAt,
        expires_at: sessions.expiresAt,
        ended_at: sessions.revokedAt,
      })
      .from(sessions)
      .where(of(sessions, owner))
      .orderBy(asc(sessions.createdAt)),
  applications: (executor, owner) =>
    executor
      .select({
        client_id: clients.clientId,
        name: clients.name,
        scopes: grants.scopes,
        created_at: grants.createdAt,
        updated_at: grants.updatedAt,
      })
      .from(grants)
      .innerJoin(clients, and(eq(clients.tenantId, grants.tenantId), eq(clients.id, grants.clientId)))
      .where(of(grants, owner)),
  external_accounts: (executor, owner) =>
    executor
      .select({
        connection: connections.name,
        known_as: externalAccounts.subject,
        email: externalAccounts.email,
        profile: externalAccounts.profile,
        created_at: externalAccounts.createdAt,
        last_sign_in_at: externalAccounts.lastSignInAt,
      })
      .from(externalAccounts)
      .innerJoin(
        connections,
        and(
          eq(connections.tenantId, externalAccounts.tenantId),
          eq(connections.id, externalAccounts.connectionId),
        ),
      )
      .where(of(externalAccounts, owner)),
  saml_applications: (executor, owner) =>
    executor
      .select({
        name: samlClients.name,
        entity_id: samlClients.entityId,
        known_as: samlSessions.nameId,
        signed_in_at: samlSessions.createdAt,
      })
      .from(samlSessions)
      .innerJoin(
        samlClients,
        and(eq(samlClients.tenantId, samlSessions.tenantId), eq(samlClients.id, samlSessions.samlClientId)),
      )
      .where(of(samlSessions, owner)),
  authenticator_apps: (executor, owner) =>
    executor
      .select({
        name: totpDevices.name,
        created_at: totpDevices.createdAt,
        last_used_at: totpDevices.lastUsedAt,
      })
      .from(totpDevices)
      .where(of(totpDevices, owner)),
  passkeys: (executor, owner) =>
    executor
      .select({
        name: passkeys.name,
        aaguid: passkeys.aaguid,
        created_at: passkeys.createdAt,
        last_used_at: passkeys.lastUsedAt,
      })
      .from(passkeys)
      .where(of(passkeys, owner)),
  trusted_devices: (executor, owner) =>
    executor
      .select({
        ip: trustedDevices.ip,
        user_agent: trustedDevices.userAgent,
        created_at: trustedDevices.createdAt,
        expires_at: trustedDevices.expiresAt,
      })
      .from(trustedDevices)
      .where(of(trustedDevices, owner)),
  api_keys: (executor, owner) =>
    executor
      .select({
        name: apiKeys.name,
        scopes: apiKeys.scopes,
        created_at: apiKeys.createdAt,
        expires_at: apiKeys.expiresAt,
        last_used_at: apiKeys.lastUsedAt,
        revoked_at: apiKeys.revokedAt,
      })
      .from(apiKeys)
      .where(of(apiKeys, owner)),
  events: (executor, { tenantId, userId }) =>
    executor
      .select({
        type: auditEvents.type,
        at: auditEvents.createdAt,
        ip: auditEvents.ip,
        user_agent: auditEvents.userAgent,
        details: auditEvents.details,
      })
      .from(auditEvents)
      .where(
        and(
          eq(auditEvents.tenantId, tenantId),
          or(eq(auditEvents.targetId, userId), eq(auditEvents.actorId, userId)),
        ),
      )
      .orderBy(desc(auditEvents.createdAt))
      .limit(MOST_EVENTS),
};

function of(table: { tenantId: AnyPgColumn; userId: AnyPgColumn }, { tenantId, userId }: Owner) {
  return and(eq(table.tenantId, tenantId), eq(table.userId, userId));
}
