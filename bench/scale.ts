/** What grows with the number of users: the administrators' list at a million, a directory's search at a hundred thousand. */
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { users } from "../src/db/schema/index.ts";
import { systemContext } from "../src/domain/request-context.ts";
import { createScimToken } from "../src/domain/scim-tokens/service.ts";
import { type Call, type Contender, send } from "./contender.ts";
import { administrator, type Gatewright } from "./gatewright.ts";

const CLI = join(import.meta.dir, "..", "src", "cli.ts");

const get = (path: string, token: string): Call => ({
  method: "GET",
  path,
  headers: { authorization: `Bearer ${token}` },
});

/** Adds invented users, as `gatewright seed` does. @throws Error with what it said */
export async function seed({ environment }: Gatewright, users: number, tenants = 1): Promise<void> {
  const sizes = ["--users", String(users), "--tenants", String(tenants)];
  const child = Bun.spawn([process.execPath, CLI, "seed", ...sizes, "--add", "--yes"], {
    env: { ...process.env, ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const said = (
    await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  ).join("");
  if ((await child.exited) !== 0) throw new Error(`the users could not be made: ${said}`);
}

/** A directory that looks for one user by name. */
export async function scimFilter(gatewright: Gatewright): Promise<Contender> {
  const { deps, tenant } = gatewright;
  const owner = { tenantId: tenant.id, organizationId: null };
  const by = { actor: { type: "system" }, context: systemContext } as const;
  const { token } = await createScimToken(deps, owner, { name: "Bench", expiresAt: null }, by);
  const [user] = await deps.db
    .select({ username: users.username })
    .from(users)
    .where(eq(users.tenantId, tenant.id))
    .offset(50_000)
    .limit(1);
  if (!user) throw new Error("there are too few users");
  const filter = encodeURIComponent(`userName eq "${user.username}"`);
  return { ...gatewright, calls: { "scim-filter": get(`/scim/v2/Users?filter=${filter}`, token) } };
}

interface Page {
  readonly next_cursor?: string | null;
}

/** An administrator who looks at the first page, at one far behind it, and for somebody. */
export async function adminLists(gatewright: Gatewright): Promise<Contender[]> {
  const { url } = gatewright;
  const login = await send(url, {
    method: "POST",
    path: "/login",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ identifier: administrator.email, password: administrator.password }),
  });
  const { access_token: token }: { access_token: string } = await login.json();
  let far: Page = {};
  for (let page = 0; page < 100; page++) {
    const after = far.next_cursor ? `&cursor=${encodeURIComponent(far.next_cursor)}` : "";
    far = await (await send(url, get(`/api/v1/admin/users?limit=100${after}`, token))).json();
  }
  const pages: readonly [name: string, query: string][] = [
    ["first page of 50", "?limit=50"],
    ["page of 50 after 10,000", `?limit=50&cursor=${encodeURIComponent(far.next_cursor ?? "")}`],
    ["search", "?limit=50&search=lovelace"],
  ];
  return pages.map(([name, query]) => ({
    ...gatewright,
    name: `Gatewright, ${name}`,
    calls: { "admin-list": get(`/api/v1/admin/users${query}`, token) },
  }));
}
