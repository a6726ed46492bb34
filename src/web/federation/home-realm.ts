/** Which connection a sign-in leads to: chosen by a button, by the application, or by the domain of an address. */
import type { Deps } from "../../deps.ts";
import {
  type Connection,
  connectionForEmail,
  findConnection,
  listSignInConnections,
} from "../../domain/connections/service.ts";
import type { PageRequest } from "../http.ts";
import type { PageAuthorization } from "../page-authorization.ts";

/** A connection as the pages show it. */
export interface ConnectionView {
  readonly name: string;
  /** Whose mark it bears; null: none that we know. */
  readonly preset: string | null;
  readonly url: string;
}

/** Where a sign-in through a connection begins. */
export function connectionUrl(
  page: PageRequest,
  connection: Pick<Connection, "key">,
  authorization: PageAuthorization | undefined,
  loginHint?: string,
): string {
  const query = new URLSearchParams({
    ...(authorization ? { interaction: authorization.sealed } : {}),
    ...(loginHint ? { login_hint: loginHint } : {}),
  });
  const path = `${page.base}/oauth/social/${connection.key}`;
  return query.size > 0 ? `${path}?${query}` : path;
}

/** Whether people go to a connection to sign in. A directory's password is typed here. */
export const leadsElsewhere = ({ kind }: Pick<Connection, "kind">): boolean => kind !== "ldap";

/** The buttons of a page. Those that addresses lead to are found by the address, not by everybody who looks. */
export async function connectionViews(
  deps: Deps,
  page: PageRequest,
  authorization: PageAuthorization | undefined,
  { signUp }: { signUp: boolean } = { signUp: false },
): Promise<ConnectionView[]> {
  const connections = await listSignInConnections(deps, page.tenant);
  const shown = connections.filter(
    (connection) => leadsElsewhere(connection) && (connection.allowSignUp || !signUp),
  );
  return shown.map((connection) => ({
    name: connection.name,
    preset: connection.preset,
    url: connectionUrl(page, connection, authorization),
  }));
}

/**
 * The connection that the application asks for (`connection`, a parameter of its authorization request), or that its
 * `login_hint` belongs to by domain. Whether anybody has an account of that address is not looked at.
 */
export async function wantedConnection(
  deps: Deps,
  page: PageRequest,
  authorization: PageAuthorization | undefined,
): Promise<Connection | undefined> {
  if (!authorization) return undefined;
  const { connection: named, loginHint } = authorization;
  const found = named === undefined ? undefined : await findConnection(deps, page.tenant.id, named);
  if (found?.enabled && found.allowSignIn && leadsElsewhere(found)) return found;
  const byAddress = loginHint ? await connectionForEmail(deps, page.tenant, loginHint) : undefined;
  return byAddress && leadsElsewhere(byAddress) ? byAddress : undefined;
}
