/** Tenants, which the reference calls organizations: looked after, configured, exported and imported. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { tenants, users } from "../../../../src/db/schema/index.ts";
import { createOtherTenant, login, register } from "../../../attacks/support.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { administratorsToken, auditOf, caller, newAdministrator } from "./support.ts";

interface Organization {
  id: string;
  slug: string;
  name: string;
  domains: string[];
  issuer: string;
}
interface List {
  data: Organization[];
  pagination: { total: number };
}
interface Problem {
  details: { field: string }[];
}

let server: TestServer;
let token: string;
let admin: ReturnType<typeof caller>;
beforeAll(async () => {
  server = await startTestServer();
  token = await administratorsToken(server);
  admin = caller(server.url, token);
});
afterAll(() => server.stop());

let counter = 0;
async function make(more: Record<string, unknown> = {}): Promise<Organization> {
  const slug = `made${++counter}`;
  const { status, body } = await admin<Organization>("POST", "/organizations", { slug, name: slug, ...more });
  expect(status).toBe(201);
  return body;
}

describe("organizations", () => {
  it("are made, and work at once", async () => {
    const made = await make({ name: "Acme", domains: ["Login.Acme.example"] });
    expect(made).toMatchObject({ name: "Acme", domains: ["login.acme.example"], is_default: false });
    expect(made.issuer).toBe("https://login.acme.example");
    await register(`${server.url}/t/${made.slug}`);
    const [created] = await auditOf(server, made.id);
    expect(created).toMatchObject({ type: "tenant.created", actor: expect.stringMatching(/^user_/) });
  });

  it("are listed, searched and paged", async () => {
    const made = await make({ name: "Nimbus 100%" });
    const found = await admin<List>("GET", `/organizations?search=${encodeURIComponent("BUS 100%")}`);
    expect(found.body.data.map(({ id }) => id)).toEqual([made.id]);
    const { body } = await admin<List>("GET", "/organizations?limit=1&sort=slug&order=asc");
    expect(body.pagination).toMatchObject({ has_more: true, next_cursor: expect.any(String) });
  });

  it("are changed", async () => {
    const made = await make();
    const path = `/organizations/${made.id}`;
    const changed = await admin<Organization>("PUT", path, { name: "New", domains: ["new.example"] });
    expect(changed.body).toMatchObject({ name: "New", domains: ["new.example"], slug: made.slug });
    expect((await admin<Organization>("PUT", path, { name: "Newer" })).body.domains).toEqual(["new.example"]);
    const other = await make();
    const taken = await admin("PUT", `/organizations/${other.id}`, { domains: ["new.example"] });
    expect(taken.status).toBe(409);
    const wrong = await admin<Problem>("PUT", path, { domains: ["no host"] });
    expect([wrong.status, wrong.body.details[0]?.field]).toEqual([422, "domains"]);
  });

  it("are removed with all that is theirs, but the default one and one's own", async () => {
    const made = await make();
    const base = `${server.url}/t/${made.slug}`;
    const person = await register(base);
    const { access_token } = await login(base, person.username);
    expect((await admin("DELETE", `/organizations/${made.id}`)).status).toBe(204);
    expect((await admin("GET", `/organizations/${made.id}`)).status).toBe(404);
    expect((await caller(base, access_token)("GET", "/users")).status).toBe(404);
    const left = await server.deps.db.$count(users, eq(users.username, person.username));
    expect(left).toBe(0);
    expect((await admin("DELETE", `/organizations/${server.tenant.id}`)).status).toBe(409);
    expect((await auditOf(server, made.id)).at(-1)?.type).toBe("tenant.deleted");
  });
});

describe("who administers one organization", () => {
  it("sees and changes their own alone", async () => {
    const other = await createOtherTenant(server, "own");
    const call = caller(other.base, (await newAdministrator(server, other)).token);
    const { body } = await call<List>("GET", "/organizations");
    expect(body.data.map(({ id }) => id)).toEqual([other.tenant.id]);
    const own = `/organizations/${other.tenant.id}`;
    expect((await call("PUT", own, { name: "Mine" })).status).toBe(200);
    expect((await call("PUT", own, { domains: ["mine.example"] })).status).toBe(403);
    expect((await call("DELETE", own)).status).toBe(403);
    expect((await call("POST", "/organizations", { slug: "x1", name: "X" })).status).toBe(403);
    for (const path of ["", "/settings", "/export"])
      expect((await call("GET", `/organizations/${server.tenant.id}${path}`)).status).toBe(404);
  });
});

describe("settings", () => {
  it("are changed, and hold at once", async () => {
    const made = await make();
    const path = `/organizations/${made.id}/settings`;
    const before = await admin<Record<string, unknown>>("GET", path);
    expect(before.body).toMatchObject({ self_registration_enabled: true, access_token_lifetime: 900 });
    const changes = { self_registration_enabled: false, access_token_lifetime: 60 };
    const { body } = await admin<Record<string, unknown>>("PUT", path, changes);
    expect(body).toEqual({ ...before.body, ...changes });
    await expect(register(`${server.url}/t/${made.slug}`)).rejects.toThrow("403");
    const event = (await auditOf(server, made.id)).at(-1);
    expect(event).toMatchObject({
      type: "tenant.settings_changed",
      details: { before: { access_token_lifetime: 900 }, after: changes },
    });
  });

  it("are refused by name", async () => {
    const path = `/organizations/${(await make()).id}/settings`;
    const wrong = { access_token_lifetime: 59, mfa_enforcement: "maybe", unheard_of: 1, __proto__x: 2 };
    const { status, body } = await admin<Problem>("PUT", path, wrong);
    expect([status, body.details.map(({ field }) => field)]).toEqual([422, Object.keys(wrong)]);
  });
});

describe("export and import", () => {
  interface Imported {
    dry_run: boolean;
    settings: string[];
    roles: { created: string[]; extended: string[] };
    groups: { created: string[] };
    clients: { created: { client_id: string; client_secret?: string }[]; skipped: string[] };
  }
  const document = {
    version: 1,
    settings: { login_page_title: "Welcome" },
    roles: [{ name: "editor", description: "Edits", permissions: ["articles:write"] }],
    groups: [{ name: "Editors", roles: ["editor"] }],
    clients: [{ name: "Shop", redirect_uris: ["https://shop.example/cb"], roles: ["editor"] }],
  };

  it("take a configuration from one organization to another, without its secrets", async () => {
    const [from, to] = [await make(), await make()];
    const made = await admin<Imported>("POST", `/organizations/${from.id}/import`, document);
    expect(made.status).toBe(200);
    const [client] = made.body.clients.created;
    const secret = client?.client_secret ?? "none";
    expect(secret).toStartWith("csec_");
    expect(made.body).toMatchObject({
      dry_run: false,
      settings: ["login_page_title"],
      roles: { created: ["editor"], extended: [] },
      groups: { created: ["Editors"] },
      clients: { created: [{ name: "Shop" }], skipped: [] },
    });
    const exported = await admin<Record<string, unknown>>("GET", `/organizations/${from.id}/export`);
    expect(exported.body).toMatchObject({
      version: 1,
      settings: { login_page_title: "Welcome" },
      groups: [{ name: "Editors", roles: ["editor"] }],
      clients: [{ name: "Shop", roles: ["editor"], client_id: client?.client_id }],
    });
    expect(JSON.stringify(exported.body)).not.toContain(secret);
    const again = await admin<Imported>("POST", `/organizations/${to.id}/import`, exported.body);
    expect(again.status).toBe(200);
    expect(again.body.clients.created[0]?.client_id).toBe(client?.client_id ?? "");
    const second = await admin<Record<string, unknown>>("GET", `/organizations/${to.id}/export`);
    const { organization: _a, exported_at: _b, ...one } = exported.body;
    const { organization: _c, exported_at: _d, ...two } = second.body;
    expect(two).toEqual(one);
  });

  it("add nothing twice, and take nothing away", async () => {
    const { id } = await make();
    await admin("POST", `/organizations/${id}/import`, document);
    const exported = await admin<Record<string, unknown>>("GET", `/organizations/${id}/export`);
    const more = { version: 1, roles: [{ name: "editor", permissions: ["articles:read"] }] };
    const { body } = await admin<Imported>("POST", `/organizations/${id}/import`, more);
    expect(body.roles).toEqual({ created: [], extended: ["editor"] });
    const again = await admin<Imported>("POST", `/organizations/${id}/import`, exported.body);
    expect(again.body).toMatchObject({
      settings: [],
      roles: { created: [], extended: [] },
      groups: { created: [] },
      clients: { created: [], skipped: [expect.any(String)] },
    });
  });

  it("change nothing in a dry run", async () => {
    const { id } = await make();
    const before = await admin<Record<string, unknown>>("GET", `/organizations/${id}/export`);
    const { body } = await admin<Imported>("POST", `/organizations/${id}/import?dry_run=true`, document);
    expect(body).toMatchObject({ dry_run: true, roles: { created: ["editor"] } });
    expect(body.clients.created[0]?.client_secret).toBeUndefined();
    const after = await admin<Record<string, unknown>>("GET", `/organizations/${id}/export`);
    expect({ ...after.body, exported_at: "" }).toEqual({ ...before.body, exported_at: "" });
  });

  it("are all or nothing, and name what is wrong by its place", async () => {
    const { id } = await make();
    const path = `/organizations/${id}/import`;
    const wrong: [Record<string, unknown>, string][] = [
      [{ version: 2 }, "version"],
      [{ ...document, settings: { unheard_of: 1 } }, "settings.unheard_of"],
      [{ ...document, groups: [{ name: "G", roles: ["nobody"] }] }, "groups.0.roles"],
      [{ ...document, clients: [{ name: "Shop", redirect_uris: ["nowhere"] }] }, "clients.0.redirect_uris"],
      [{ ...document, roles: [{ name: "two words" }] }, "roles.0.name"],
    ];
    for (const [body, field] of wrong) {
      const answer = await admin<Problem>("POST", path, body);
      expect([field, answer.status, answer.body.details?.[0]?.field]).toEqual([field, 422, field]);
    }
    const { body } = await admin<{ roles: unknown[] }>("GET", `/organizations/${id}/export`);
    expect(body.roles.length).toBe(2);
  });
});

describe("X-Org-Context", () => {
  const withContext = (name: string, path = "/users", base = server.url) =>
    fetch(`${base}/api/v1/admin${path}`, {
      headers: { authorization: `Bearer ${token}`, "x-org-context": name },
    });

  it("lets a super_admin choose an organization, by id or slug", async () => {
    const made = await make();
    await register(`${server.url}/t/${made.slug}`);
    for (const name of [made.id, made.slug]) {
      const { data } = (await (await withContext(name)).json()) as { data: { org_id: string }[] };
      expect(data.map((user) => user.org_id)).toEqual([made.id]);
    }
    const own = await withContext(server.tenant.slug);
    expect(own.status).toBe(200);
  });

  it("answers 404 for one that is not there, and 400 where the path names another", async () => {
    const made = await make();
    expect((await withContext("nobody")).status).toBe(404);
    expect((await withContext(made.id, "/users", `${server.url}/t/default`)).status).toBe(400);
    const [row] = await server.deps.db.select().from(tenants).where(eq(tenants.isDefault, true));
    expect(row?.slug).toBe("default");
  });
});
