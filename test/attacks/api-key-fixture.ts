/** What the attacks on API keys share: two tenants, an administrator, and keys of people and of service accounts. */
import { and, eq } from "drizzle-orm";
import { users } from "../../src/db/schema/index.ts";
import { isId } from "../../src/lib/ids.ts";
import { caller, newAdministrator } from "../api/native/admin/support.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { bearer, createOtherTenant, login, type OtherTenant, type Person } from "./support.ts";

export let server: TestServer;
export let mine: OtherTenant;
export let theirs: OtherTenant;
export let admin: Person;
/** Calls as the administrator of `mine` who signed in. */
export let asAdmin: ReturnType<typeof caller>;
let counter = 0;

/** Two tenants, and somebody who administers the first. */
export async function begin(): Promise<void> {
  server = await startTestServer();
  [mine, theirs] = [await createOtherTenant(server, "mine"), await createOtherTenant(server, "theirs")];
  const made = await newAdministrator(server, mine);
  admin = made.person;
  asAdmin = caller(mine.base, made.token);
}

export const end = () => server.stop();

/** For who lets time pass. */
export async function signInAgain(): Promise<void> {
  asAdmin = caller(mine.base, (await login(mine.base, admin.username)).access_token);
}

/** For names. */
export const next = () => ++counter;

export interface Key {
  id: string;
  token: string;
  scopes: string[];
  expires_at: string | null;
}

export async function me<Body = Record<string, unknown>>(
  method: string,
  path: string,
  token: string,
  body?: unknown,
): Promise<{ status: number; body: Body; headers: Headers }> {
  const response = await fetch(`${mine.base}/me${path}`, {
    method,
    headers: { "content-type": "application/json", ...bearer(token) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const { status, headers } = response;
  return { status, headers, body: (text ? JSON.parse(text) : {}) as Body };
}

/** Makes a key of this person's own. */
export async function ownKey(
  username: string,
  scopes: string[],
  more: Record<string, unknown> = {},
): Promise<Key> {
  const { access_token: token } = await login(mine.base, username);
  const made = await me<Key>("POST", "/api-keys", token, { name: "Tool", scopes, ...more });
  if (made.status !== 201) throw new Error(`not made: ${made.status}`);
  return made.body;
}

export async function accountKey(names: string[], scopes: string[]): Promise<{ account: string; key: Key }> {
  const made = await asAdmin<{ id: string }>("POST", "/service-accounts", {
    name: `Account ${++counter}`,
    roles: names,
  });
  if (made.status !== 201) throw new Error(`not made: ${made.status}`);
  const key = await asAdmin<Key>("POST", `/service-accounts/${made.body.id}/api-keys`, {
    name: "Tool",
    scopes,
  });
  if (key.status !== 201) throw new Error(`not made: ${key.status}`);
  return { account: made.body.id, key: key.body };
}

export const by = (key: Pick<Key, "token">, base = mine.base) => caller(base, key.token);
export const userRow = (person: Person) => {
  if (!isId("user", person.id)) throw new Error("not a user's id");
  return and(eq(users.tenantId, mine.tenant.id), eq(users.id, person.id));
};
