/** Signing in with the password of a directory, where somebody types one of ours. */
import type { Deps } from "../../deps.ts";
import { sha256 } from "../../lib/crypto.ts";
import { AttributeMappingError } from "../connections/attribute-mapping.ts";
import { connectionForEmail, type LdapConnection, listSignInConnections } from "../connections/service.ts";
import { FederationRefusal } from "../federation/refusals.ts";
import { resolveExternal } from "../federation/sign-in.ts";
import { distinguishedNameKey } from "../../protocol/ldap/distinguished-name.ts";
import { beginAttempt } from "../protection/service.ts";
import type { RequestContext } from "../request-context.ts";
import { replaceManagedRoles } from "../roles/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { findUserById, isEmailIdentifier, type User } from "../users/service.ts";
import { DirectoryError } from "./client.ts";
import { authenticatePerson, type DirectoryPerson } from "./person.ts";

interface Credentials {
  readonly identifier: string;
  readonly password: string;
}

/**
 * The user whose password of a directory it is: linked, or new where the connection lets people sign up.
 * @returns undefined when no directory is asked for what was typed, or it is not theirs
 * @throws FederationRefusal; `upstream_failed` for a directory that cannot be asked
 */
export async function authenticateByDirectory(
  deps: Deps,
  tenant: Tenant,
  { identifier, password }: Credentials,
  context: RequestContext,
): Promise<User | undefined> {
  const connection = await directoryFor(deps, tenant, identifier);
  const person = connection && (await ask(deps, tenant, connection, { identifier, password, context }));
  if (!connection || !person) return undefined;
  try {
    const user = await resolveExternal(deps, tenant, connection, person.identity, context);
    return await withRolesOfGroups(deps, connection, user, person, context);
  } catch (error) {
    // As everywhere that a password is typed: who is disabled here learns nothing of it.
    if (error instanceof FederationRefusal && error.problem === "account_disabled") return undefined;
    throw error;
  }
}

/**
 * Which directory is asked depends on what was typed alone, and not on whether there is such a user: how long an answer
 * takes tells nothing of that. Of an address whose domain leads somewhere, it is that; of all else, the tenant's own.
 */
async function directoryFor(
  deps: Deps,
  tenant: Tenant,
  identifier: string,
): Promise<LdapConnection | undefined> {
  const byDomain = isEmailIdentifier(identifier)
    ? await connectionForEmail(deps, tenant, identifier)
    : undefined;
  if (byDomain) return byDomain.kind === "ldap" ? byDomain : undefined;
  const offered = await listSignInConnections(deps, tenant);
  return offered.find((connection) => connection.kind === "ldap");
}

async function ask(
  deps: Deps,
  tenant: Tenant,
  connection: LdapConnection,
  { identifier, password, context }: Credentials & { context: RequestContext },
): Promise<DirectoryPerson | undefined> {
  try {
    return await authenticatePerson(deps, connection, {
      username: identifier,
      password,
      beginAttempt: (dn) =>
        beginAttempt(deps, tenant, {
          user: undefined,
          identifier: sha256(`${connection.id}/${distinguishedNameKey(dn)}`).toString("hex"),
          // The address was counted by who takes the password, and once is enough.
          context: { ...context, ip: undefined },
          method: "password",
        }),
    });
  } catch (err) {
    if (!(err instanceof DirectoryError || err instanceof AttributeMappingError)) throw err;
    deps.log.warn({ err, connectionId: connection.id }, "a directory could not be asked");
    throw new FederationRefusal("upstream_failed", { cause: err });
  }
}

/** The roles that the connection gives by groups are those of the groups of now: given, and taken away. */
async function withRolesOfGroups(
  deps: Deps,
  { config }: LdapConnection,
  user: User,
  { roles }: DirectoryPerson,
  context: RequestContext,
): Promise<User> {
  const managed = Object.values(config.group_roles).flat();
  if (managed.length === 0) return user;
  const { tenantId, id: userId } = user;
  const by = { actor: { type: "system" }, context, now: deps.clock.now() } as const;
  await deps.db.transaction((tx) => replaceManagedRoles(tx, { tenantId, userId, roles, ...by }, managed));
  return (await findUserById(deps, tenantId, userId)) ?? user;
}
