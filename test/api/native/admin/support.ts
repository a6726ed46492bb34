import { and, asc, eq } from "drizzle-orm";
import { auditEvents, roles, userRoles } from "../../../../src/db/schema/index.ts";
import type { Tenant } from "../../../../src/domain/tenants/service.ts";
import { isId } from "../../../../src/lib/ids.ts";
import { login, type Person, register } from "../../../attacks/support.ts";
import { administrator, type TestServer } from "../../../support/server.ts";

/** A token of the default tenant's first administrator. */
export async function administratorsToken(server: TestServer): Promise<string> {
  return (await login(server.url, administrator.email, administrator.password)).access_token;
}

/** Somebody who administers this tenant, and a token of theirs by the tenant's own sign-in. */
export async function newAdministrator(
  server: TestServer,
  of: { tenant: Tenant; base: string },
): Promise<{ person: Person; token: string }> {
  const person = await register(of.base);
  await giveRole(server, of.tenant, person, "admin");
  return { person, token: (await login(of.base, person.username)).access_token };
}

export async function giveRole(
  server: TestServer,
  tenant: Tenant,
  person: Person,
  name: string,
): Promise<void> {
  if (!isId("user", person.id)) throw new Error("not a user's id");
  const [role] = await server.deps.db
    .select({ id: roles.id })
    .from(roles)
    .where(and(eq(roles.tenantId, tenant.id), eq(roles.name, name)));
  if (!role) throw new Error(`no role ${name}`);
  await server.deps.db
    .insert(userRoles)
    .values({ tenantId: tenant.id, userId: person.id, roleId: role.id, createdAt: server.clock.now() });
}

export interface Answer<Body = Record<string, unknown>> {
  readonly status: number;
  readonly body: Body;
  readonly headers: Headers;
}

/** Calls the administrators' API. */
export function caller(base: string, token: string | undefined) {
  return async <Body = Record<string, never>>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Answer<Body>> => {
    const response = await fetch(`${base}/api/v1/admin${path}`, {
      method,
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === "" ? {} : JSON.parse(text)) as Body,
    };
  };
}

/** What the audit trail says of something, the oldest first. */
export async function auditOf(server: TestServer, targetId: string) {
  return server.deps.db
    .select({ type: auditEvents.type, actor: auditEvents.actorId, details: auditEvents.details })
    .from(auditEvents)
    .where(eq(auditEvents.targetId, targetId))
    .orderBy(asc(auditEvents.createdAt), asc(auditEvents.id));
}
