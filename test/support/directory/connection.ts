import type { Attempt } from "../../../src/domain/protection/service.ts";
import type { Deps } from "../../../src/deps.ts";
import type { LdapConfig } from "../../../src/domain/connections/kinds/ldap.ts";
import { findConnection, type LdapConnection } from "../../../src/domain/connections/service.ts";
import type { Id } from "../../../src/lib/ids.ts";
import type { caller } from "../../api/native/admin/support.ts";
import { READER, SUFFIX } from "./people.ts";

/** For who asks a directory apart from any sign-in. */
export const uncounted = async (): Promise<Attempt> => ({
  admitted: true,
  failed: async () => {},
  passed: async () => {},
  passedBy: (statement) => statement([]),
});

let counter = 0;

/** A connection to a directory of the tests' company, made as an administrator makes it. */
export async function connectDirectory(
  deps: Deps,
  tenantId: Id<"tenant">,
  admin: ReturnType<typeof caller>,
  config: Partial<LdapConfig> & { url: string },
  more: Record<string, unknown> = {},
): Promise<LdapConnection> {
  for (const role of Object.values(config.group_roles ?? {}).flat())
    await admin("POST", "/roles", { name: role });
  const { status, body } = await admin<{ id: string }>("POST", "/connections", {
    kind: "ldap",
    key: `directory-${++counter}`,
    config: { bind_dn: READER.dn, base_dn: `ou=people,${SUFFIX}`, ...config },
    secrets: { bind_password: READER.password },
    ...more,
  });
  const found = status === 201 ? await findConnection(deps, tenantId, body.id) : undefined;
  if (found?.kind !== "ldap") throw new Error(`no connection was made: ${status} ${JSON.stringify(body)}`);
  return found;
}
