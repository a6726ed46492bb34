/** What tests of federation share: connections to upstream providers, and trips there and back. */
import { and, asc, eq, inArray } from "drizzle-orm";
import { auditEvents, externalAccounts } from "../../src/db/schema/index.ts";
import { createConnection, type NewConnection } from "../../src/domain/connections/administration.ts";
import type { Connection } from "../../src/domain/connections/model.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import type { Tenant } from "../../src/domain/tenants/service.ts";
import { Browser } from "../attacks/support.ts";
import type { TestServer } from "./server.ts";
import type { Upstream } from "./upstream.ts";

/** Lets the server ask the providers of the test, which are on this machine. */
export const upstreamsAllowed = { GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE: "127.0.0.1,::1,localhost" };

let made = 0;
/** A key that no other connection of the file has. */
export const newKey = () => `up-${(made += 1)}`;

export async function connect(
  { deps, tenant }: Pick<TestServer, "deps" | "tenant">,
  input: NewConnection & { organizationId?: string },
  of: Tenant = tenant,
): Promise<Connection> {
  const by = { actor: { type: "system" } as const, context: systemContext, superAdmin: true };
  const { connection } = await createConnection(deps, of.id, { key: newKey(), ...input }, by);
  return connection;
}

/** A connection to an OpenID provider of the test, whose word on addresses is taken. */
export function connectOidc(
  server: Pick<TestServer, "deps" | "tenant">,
  upstream: Pick<Upstream, "url">,
  input: Partial<NewConnection> & { organizationId?: string } = {},
  of: Tenant = server.tenant,
): Promise<Connection> {
  const { config, ...rest } = input;
  return connect(
    server,
    {
      kind: "oidc",
      name: "Upstream",
      trustEmails: "if_verified",
      secrets: { client_secret: "our-secret" },
      ...rest,
      config: { issuer: upstream.url, client_id: "us", ...config },
    },
    of,
  );
}

/** A connection to an OAuth server with an API like GitHub's. */
export function connectOauth2(
  server: Pick<TestServer, "deps" | "tenant">,
  upstream: Pick<Upstream, "url">,
  input: Partial<NewConnection> = {},
): Promise<Connection> {
  const { config, ...rest } = input;
  return connect(server, {
    kind: "oauth2",
    name: "Hub",
    trustEmails: "if_verified",
    secrets: { client_secret: "our-secret" },
    attributeMapping: { subject: "{{ id }}", username: "{{ login }}" },
    ...rest,
    config: {
      authorization_endpoint: `${upstream.url}/authorize`,
      token_endpoint: `${upstream.url}/token`,
      userinfo_endpoint: `${upstream.url}/userinfo`,
      emails_endpoint: `${upstream.url}/user/emails`,
      client_id: "us",
      scopes: ["user:email"],
      ...config,
    },
  });
}

/** Where a browser is sent that begins a sign-in: the provider's authorization endpoint. */
export async function leave(
  browser: Browser,
  { key }: Pick<Connection, "key">,
  query: Record<string, string> = {},
): Promise<URL> {
  const search = new URLSearchParams(query);
  const response = await browser.get(`/oauth/social/${key}${search.size > 0 ? `?${search}` : ""}`);
  const location = response.headers.get("location");
  if (location === null) throw new Error(`not sent anywhere: ${response.status} ${await response.text()}`);
  return new URL(location);
}

/** What the provider answers: the address of ours that the browser is sent back to. */
export async function visit(authorizationUrl: URL): Promise<URL> {
  const response = await fetch(authorizationUrl, { redirect: "manual" });
  const location = response.headers.get("location");
  if (location === null) throw new Error(`the provider sent nobody back: ${response.status}`);
  return new URL(location);
}

/** There and back. @returns what the browser is answered in the end */
export async function travel(
  browser: Browser,
  connection: Pick<Connection, "key">,
  query: Record<string, string> = {},
): Promise<Response> {
  const callback = await visit(await leave(browser, connection, query));
  return browser.get(callback.href);
}

/** There and back in a browser that nobody used before. */
export async function arriveIn(
  base: string,
  connection: Pick<Connection, "key">,
): Promise<{ browser: Browser; response: Response }> {
  const browser = new Browser(base);
  return { browser, response: await travel(browser, connection) };
}

/** The session that a browser has: whose it is, or nobody's. */
export const isSignedIn = (browser: Browser): boolean =>
  [...browser.cookies.keys()].some((name) => name.startsWith("__Host-gw_session"));

/** What the page says that somebody is shown who was refused. */
export async function refusalOf(response: Response): Promise<string> {
  const html = await response.text();
  return (/<p role="alert">([^<]*)<\/p>/.exec(html)?.[1] ?? "").replaceAll("&#39;", "'");
}

/** What the audit trail holds of these types, oldest first. */
export async function audited(
  { deps, tenant }: Pick<TestServer, "deps" | "tenant">,
  ...types: string[]
): Promise<{ type: string; actorId: string | null; details: Record<string, unknown> }[]> {
  return deps.db
    .select({ type: auditEvents.type, actorId: auditEvents.actorId, details: auditEvents.details })
    .from(auditEvents)
    .where(and(eq(auditEvents.tenantId, tenant.id), inArray(auditEvents.type, types)))
    .orderBy(asc(auditEvents.createdAt), asc(auditEvents.id));
}

/** Whose external account it is, and what is kept of it. */
export async function linkedTo(
  { deps, tenant }: Pick<TestServer, "deps" | "tenant">,
  { id }: Pick<Connection, "id">,
  subject: string,
) {
  const [account] = await deps.db
    .select()
    .from(externalAccounts)
    .where(
      and(
        eq(externalAccounts.tenantId, tenant.id),
        eq(externalAccounts.connectionId, id),
        eq(externalAccounts.subject, subject),
      ),
    );
  return account;
}
