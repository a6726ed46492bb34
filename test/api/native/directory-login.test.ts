/** Signing in with the password of a directory, on the native API and on the hosted page. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { users } from "../../../src/db/schema/index.ts";
import { updateTenantSettings } from "../../../src/domain/tenants/service.ts";
import { Browser, createOtherTenant, type OtherTenant, register } from "../../attacks/support.ts";
import { type FakeDirectory, startFakeDirectory } from "../../support/directory/fake.ts";
import { company, PASSWORD, person, readerEntry, uuidOf } from "../../support/directory/people.ts";
import { connectDirectory } from "../../support/directory/connection.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import { caller, newAdministrator } from "./admin/support.ts";

let server: TestServer;
let directory: FakeDirectory;
let counter = 0;

beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE: "127.0.0.1" } });
  directory = await startFakeDirectory([]);
});
afterAll(async () => {
  await directory.stop();
  await server.stop();
});
beforeEach(() => {
  directory.entries = [...company, readerEntry];
  directory.asked.length = 0;
});

/** A tenant of its own with a directory: of its domain, and trusted with that. */
async function corp(more: Record<string, unknown> = {}, config: Record<string, unknown> = {}) {
  const tenant = await createOtherTenant(server, `corp${++counter}`);
  const admin = caller(tenant.base, (await newAdministrator(server, tenant)).token);
  const connection = await connectDirectory(
    server.deps,
    tenant.tenant.id,
    admin,
    { url: directory.url, ...config },
    { trust_emails: "own_domains", domains: ["corp.example"], ...more },
  );
  return { ...tenant, admin, connection };
}

interface SignedIn {
  user?: { id: string; username: string; email: string | null; email_verified: boolean; roles: string[] };
  access_token?: string;
  error?: string;
}

async function signIn({ base }: OtherTenant, identifier: string, password = PASSWORD) {
  const response = await postJson(`${base}/login`, { identifier, password });
  const body: SignedIn = JSON.parse(await response.text());
  return { status: response.status, body };
}
const timesAsked = () => directory.asked.filter(({ kind }) => kind === "bind").length;

describe("POST /login", () => {
  it("makes an account of whoever the directory knows, and finds it again", async () => {
    const of = await corp();
    const first = await signIn(of, "ada@corp.example");
    expect(first).toMatchObject({
      status: 200,
      body: { user: { username: "ada", email: "ada@corp.example", email_verified: true } },
    });
    const second = await signIn(of, "ada");
    expect(second.body.user?.id).toBe(first.body.user?.id ?? "");
    const { body } = await of.admin<{ data: { subject: string; connection: { kind: string } }[] }>(
      "GET",
      `/users/${first.body.user?.id}/external-accounts`,
    );
    expect(body.data).toMatchObject([{ subject: uuidOf.ada, connection: { kind: "ldap" } }]);
  });

  it("links the account that has the same address, verified on both sides", async () => {
    const of = await corp();
    const { status, body } = await of.admin<{ id: string }>("POST", "/users", {
      username: "countess",
      email: "ada@corp.example",
      email_verified: true,
      password: "L0cal-P@ssw0rd!",
    });
    expect(status).toBe(201);
    expect((await signIn(of, "ada@corp.example")).body.user?.id).toBe(body.id);
    // Their own password goes on working.
    expect((await signIn(of, "ada@corp.example", "L0cal-P@ssw0rd!")).body.user?.id).toBe(body.id);
  });

  it("does not ask the directory for a password that is right here", async () => {
    const of = await corp();
    const { username } = await register(of.base);
    expect((await signIn(of, username, "SecureP@ssw0rd!")).status).toBe(200);
    expect(timesAsked()).toBe(0);
  });

  it("answers a wrong password, an unknown name and a disabled account alike", async () => {
    const of = await corp();
    const { body } = await signIn(of, "grace");
    await server.deps.db.update(users).set({ enabled: false }).where(eq(users.username, "grace"));
    expect(body.user).toBeDefined();
    const answers = [
      await signIn(of, "ada", "wrong"),
      await signIn(of, "nobody"),
      await signIn(of, "nobody@corp.example"),
      await signIn(of, "grace"),
      await signIn(of, "ada", " "),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(answer.body.error).toBe("unauthorized");
    }
  });

  it("sends an address whose domain leads elsewhere to no directory", async () => {
    const of = await corp();
    await of.admin("POST", "/connections", {
      kind: "oidc",
      key: "other",
      domains: ["other.example"],
      config: { issuer: "https://idp.example.com", client_id: "c" },
      secrets: { client_secret: "s" },
    });
    expect((await signIn(of, "ada@other.example")).status).toBe(401);
    expect(timesAsked()).toBe(0);
  });

  it("asks no directory that is switched off, or another tenant's", async () => {
    const of = await corp({ enabled: false });
    expect((await signIn(of, "ada")).status).toBe(401);
    const other = await createOtherTenant(server, `bare${++counter}`);
    expect((await signIn(other, "ada@corp.example")).status).toBe(401);
    expect(timesAsked()).toBe(0);
  });

  it("lets nobody new in where the connection does not", async () => {
    const of = await corp({ allow_sign_up: false });
    expect(await signIn(of, "ada")).toMatchObject({
      status: 403,
      body: { error: "federation_sign_up_closed" },
    });
  });

  it("tells when the directory cannot be asked, and counts the password as wrong", async () => {
    const of = await corp({}, { bind_dn: "cn=other,dc=corp,dc=example" });
    for (let attempt = 0; attempt < of.tenant.settings.max_failed_login_attempts; attempt++)
      expect(await signIn(of, "ada")).toMatchObject({
        status: 502,
        body: { error: "federation_upstream_failed" },
      });
    expect((await signIn(of, "ada")).status).toBe(401);
  });

  it("locks as for any password, and then does not ask the directory", async () => {
    const of = await corp();
    for (let attempt = 0; attempt < of.tenant.settings.max_failed_login_attempts; attempt++)
      expect((await signIn(of, "ada", "wrong")).status).toBe(401);
    directory.asked.length = 0;
    expect((await signIn(of, "ada")).status).toBe(401);
    expect(timesAsked()).toBe(0);
  });

  /** Guard: ldap/sign-in.ts, beginAttempt: what directories take for one name is typed in many ways. */
  it("locks however the name is spelt", async () => {
    const of = await corp();
    const most = of.tenant.settings.max_failed_login_attempts;
    const spellings = Array.from({ length: most + 3 }, (_, place) => `ada-${place}`);
    directory.entries = [readerEntry, person({ uid: "ada", uuid: uuidOf.ada, more: { uid: spellings } })];
    for (const spelling of spellings) expect((await signIn(of, spelling, "wrong")).status).toBe(401);
    const tried = directory.asked.filter((asked) => asked.kind === "bind" && asked.dn.startsWith("uid=ada"));
    expect(tried).toHaveLength(most);
    expect((await signIn(of, "ada-0")).status).toBe(401);
  });

  it("gives the roles of their groups, and takes those that they lost", async () => {
    const of = await corp({}, { group_roles: { "cn=a": ["builder"], "cn=b": ["boss"] } });
    const inGroups = (...memberOf: string[]) => {
      directory.entries = [
        readerEntry,
        person({ uid: "ada", uuid: uuidOf.ada, mail: "ada@corp.example", more: { memberOf } }),
      ];
    };
    inGroups("cn=a", "cn=b");
    const { body } = await signIn(of, "ada");
    expect(body.user?.roles.toSorted()).toEqual(["boss", "builder"]);
    // What an administrator gave beside stays.
    await of.admin("POST", "/roles", { name: "guest" });
    await of.admin("PUT", `/users/${body.user?.id}`, { roles: ["boss", "builder", "guest"] });
    inGroups("cn=b");
    expect((await signIn(of, "ada")).body.user?.roles.toSorted()).toEqual(["boss", "guest"]);
  });

  it("asks for a second factor where the tenant does", async () => {
    const of = await corp();
    await updateTenantSettings(server.deps, of.tenant, { mfa_enforcement: "required" });
    const { status, body } = await signIn(of, "ada");
    expect(status).toBe(200);
    expect(body.access_token).toBeUndefined();
    expect(body).toMatchObject({ mfa_enrollment_required: true });
  });
});

describe("the sign-in page", () => {
  it("takes the password of a directory", async () => {
    const of = await corp();
    const browser = new Browser(of.base);
    const response = await browser.signIn("ada@corp.example", "/signin", PASSWORD);
    expect(response.status).toBe(303);
    expect(await (await browser.get("/account")).text()).toContain("ada@corp.example");
  });

  it("says it with its own words where the directory lets nobody new in", async () => {
    const of = await corp({ allow_sign_up: false });
    const response = await new Browser(of.base).signIn("ada", "/signin", PASSWORD);
    expect(response.status).toBe(403);
    expect(await response.text()).not.toContain("ada@corp.example");
  });

  it("sends nobody away who left the password out: it is to be typed here", async () => {
    const of = await corp();
    const response = await new Browser(of.base).signIn("ada@corp.example", "/signin", "");
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('name="password"');
    const elsewhere = await fetch(`${of.base}/oauth/social/${of.connection.key}`, { redirect: "manual" });
    expect(elsewhere.status).toBe(404);
    expect(timesAsked()).toBe(0);
  });
});
