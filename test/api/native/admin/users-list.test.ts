/** The list of users: pages, orders, search and filters. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { groupRoles, groups, groupUsers, roles, users } from "../../../../src/db/schema/index.ts";
import { createOrganization } from "../../../../src/domain/organizations/service.ts";
import { organizationMembers } from "../../../../src/db/schema/organizations.ts";
import { systemContext } from "../../../../src/domain/request-context.ts";
import { isId, newId } from "../../../../src/lib/ids.ts";
import { createOtherTenant, type OtherTenant, register } from "../../../attacks/support.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { caller, newAdministrator } from "./support.ts";

interface Listed {
  id: string;
  username: string;
  email: string;
}
interface Page {
  data: Listed[];
  pagination: { total: number; limit: number; has_more: boolean; next_cursor?: string };
}

let server: TestServer;
let of: OtherTenant;
let call: ReturnType<typeof caller>;
let everybody: Listed[];

beforeAll(async () => {
  server = await startTestServer();
  of = await createOtherTenant(server, "listed");
  const { token } = await newAdministrator(server, of);
  call = caller(of.base, token);
  const names = [
    { username: "ada.l", given_name: "Ada", family_name: "Lovelace", email: "Ada@Analytical.example" },
    { username: "grace", given_name: "Grace", family_name: "Hopper", email: "grace@navy.example" },
    { username: "under_score", given_name: "Müller", family_name: "50%", email: "m@example.org" },
    { username: "edsger", given_name: "Edsger", family_name: 'O\'Neil \\ "x"', email: "e@example.org" },
  ];
  for (const person of names) {
    server.clock.advance(60);
    await register(of.base, person);
  }
  everybody = await all("");
});
afterAll(() => server.stop());

const list = async (query: string) => (await call<Page>("GET", `/users?${query}`)).body;

/** All pages, two users each. */
async function all(query: string): Promise<Listed[]> {
  const found: Listed[] = [];
  let cursor = "";
  for (;;) {
    const { data, pagination } = await list(`limit=2&${query}${cursor}`);
    found.push(...data);
    if (!pagination.has_more) {
      expect(pagination.next_cursor).toBeUndefined();
      return found;
    }
    cursor = `&cursor=${encodeURIComponent(pagination.next_cursor ?? "")}`;
  }
}
const usernames = (found: readonly Listed[]) => found.map(({ username }) => username);
const search = async (text: string) =>
  usernames(await all(`sort=username&order=asc&search=${encodeURIComponent(text)}`));

describe("pages", () => {
  it("hold everybody once, in each order and both directions", async () => {
    for (const sort of ["created_at", "updated_at", "username", "email", "last_login_at"]) {
      const ascending = await all(`sort=${sort}&order=asc`);
      const descending = await all(`sort=${sort}&order=desc`);
      expect([sort, new Set(usernames(ascending)).size]).toEqual([sort, 5]);
      expect([sort, usernames(descending)]).toEqual([sort, usernames(ascending).toReversed()]);
    }
  });

  it("are in order", async () => {
    const names = usernames(await all("sort=username&order=asc"));
    expect(names).toEqual(names.toSorted());
    const addresses = (await all("sort=email&order=asc")).map(({ email }) => email.toLowerCase());
    expect(addresses).toEqual(addresses.toSorted());
    expect(usernames(everybody)[0]).toBe("edsger");
    // The administrator alone has signed in.
    expect(usernames(await all("sort=last_login_at&order=desc"))[0]).toStartWith("person");
  });

  it("say how many there are", async () => {
    expect((await list("limit=2")).pagination).toMatchObject({ total: 5, limit: 2, has_more: true });
  });

  it("refuse a cursor of another order, a wrong sort and a wrong limit", async () => {
    const cursor = (await list("limit=2")).pagination.next_cursor ?? "";
    for (const query of [`sort=email&cursor=${cursor}`, "cursor=x", "sort=password", "limit=101", "order=up"])
      expect([query, (await call("GET", `/users?${query}`)).status]).toEqual([query, 400]);
  });
});

describe("search", () => {
  it("finds parts of usernames, addresses and names, whatever their case", async () => {
    expect(await search("ANALYTICAL")).toEqual(["ada.l"]);
    expect(await search("hopp")).toEqual(["grace"]);
    expect(await search("a.l")).toEqual(["ada.l"]);
    expect(await search("grace hopper")).toEqual(["grace"]);
    expect(await search("MÜLL")).toEqual(["under_score"]);
    expect(await search("@example.org")).toEqual(["edsger", "under_score"]);
    expect(await search("nobody at all")).toEqual([]);
  });

  it("looks for one or two letters where names and addresses begin, and for marks alone nowhere", async () => {
    expect(await search("Lo")).toEqual(["ada.l"]);
    expect(await search("h")).toEqual(["grace"]);
    expect(await search("mü")).toEqual(["under_score"]);
    expect(await search("ov")).toEqual([]);
    expect(await search("e@")).toEqual(["edsger"]);
    expect(await search("...")).toEqual([]);
    expect(await search("%")).toEqual([]);
    expect(await search("_")).toEqual([]);
    expect(await search("0%")).toEqual([]);
    expect(await search("50%")).toEqual(["under_score"]);
    expect(await search("l%c")).toEqual([]);
  });

  it("knows the letters of every script, however they are composed", async () => {
    const { id } = everybody.find(({ username }) => username === "edsger") ?? {};
    const rename = (given_name: string) => call("PUT", `/users/${id}`, { given_name });
    await rename("Фёдор 田中太郎 ὀδυσσεύς");
    for (const text of ["фёд", "Ф\u0435\u0308дор", "ёд", "中太", "太", "ὈΔΥΣ"])
      expect([text, await search(text)]).toEqual([text, ["edsger"]]);
    for (const text of ["федот", "中郎", "x4e2dz1"]) expect([text, await search(text)]).toEqual([text, []]);
    await rename("Edsger");
  });

  it("follows changes of names and addresses", async () => {
    const grace = everybody.find(({ username }) => username === "grace");
    const path = `/users/${grace?.id}`;
    await call("PUT", path, { family_name: "Murray", email: "g@navy.example" });
    expect([await search("hopper"), await search("murray")]).toEqual([[], ["grace"]]);
    expect([await search("grace@navy"), await search("g@navy")]).toEqual([[], ["grace"]]);
    await call("PUT", path, { family_name: "Hopper", email: "grace@navy.example" });
  });
});

describe("filters", () => {
  it("enabled", async () => {
    const ada = everybody.find(({ username }) => username === "ada.l");
    await call("PUT", `/users/${ada?.id}`, { enabled: false });
    expect(usernames(await all("enabled=false"))).toEqual(["ada.l"]);
    expect((await all("enabled=true")).length).toBe(4);
    await call("PUT", `/users/${ada?.id}`, { enabled: true });
  });

  it("role, which somebody may have by a group", async () => {
    const { db } = server.deps;
    const tenantId = of.tenant.id;
    expect((await all("role=admin")).length).toBe(1);
    const [role] = await db.select().from(roles).where(eq(roles.tenantId, tenantId)).orderBy(roles.name);
    const grace = everybody.find(({ username }) => username === "grace")?.id;
    if (!role || !isId("user", grace)) throw new Error("no role, no user");
    const createdAt = server.clock.now();
    const groupId = newId("group");
    await db
      .insert(groups)
      .values({ tenantId, id: groupId, displayName: "Admins", createdAt, updatedAt: createdAt });
    await db.insert(groupRoles).values({ tenantId, groupId, roleId: role.id, createdAt });
    await db.insert(groupUsers).values({ tenantId, groupId, userId: grace, createdAt });
    const found = usernames(await all("role=admin&sort=username&order=asc"));
    expect(found).toEqual(["grace", expect.stringContaining("person")]);
    expect(await all("role=unheard-of")).toEqual([]);
  });

  it("organization_id: a customer company, or the tenant", async () => {
    const { db } = server.deps;
    const tenantId = of.tenant.id;
    const by = { actor: { type: "system" }, context: systemContext } as const;
    const company = await createOrganization(server.deps, tenantId, { slug: "acme", name: "Acme" }, by);
    const ada = everybody.find(({ username }) => username === "ada.l")?.id;
    if (!isId("user", ada)) throw new Error("no user");
    await db
      .insert(organizationMembers)
      .values({ tenantId, organizationId: company.id, userId: ada, createdAt: server.clock.now() });
    expect(usernames(await all(`organization_id=${company.id}`))).toEqual(["ada.l"]);
    expect((await all(`organization_id=${tenantId}`)).length).toBe(5);
    expect(await all(`organization_id=${server.tenant.id}`)).toEqual([]);
    expect(await all("organization_id=org_x")).toEqual([]);
  });

  it("created_after and created_before", async () => {
    const [row] = await server.deps.db
      .select({ at: users.createdAt })
      .from(users)
      .where(eq(users.username, "grace"));
    const at = encodeURIComponent(row?.at.toISOString() ?? "");
    expect(usernames(await all(`created_after=${at}&sort=username&order=asc`))).toEqual([
      "edsger",
      "under_score",
    ]);
    expect((await all(`created_before=${at}`)).length).toBe(2);
    expect((await call("GET", "/users?created_after=yesterday")).status).toBe(400);
  });
});
