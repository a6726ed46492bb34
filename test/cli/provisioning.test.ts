/** gatewright organizations, scim-tokens and groups, on a real database. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { scimClient } from "../conformance/scim/support.ts";
import { runCommandLine } from "../support/command-line.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

interface Shown {
  id: string;
  token?: string;
  organization_id?: string | null;
  revoked_at?: string | null;
  expires_at?: string | null;
  roles?: string[];
}

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

async function run(...args: string[]) {
  const { code, stdout, stderr } = await runCommandLine(args, {
    NODE_ENV: "test",
    DATABASE_URL: server.config.databaseUrl,
    PUBLIC_URL: server.url,
    GATEWRIGHT_MASTER_KEY: `1:${Buffer.alloc(32, 7).toString("base64")}`,
  });
  const lines = stdout.trim().split("\n").filter(Boolean);
  return {
    code,
    stderr: stderr.trim(),
    shown: code === 0 ? lines.map((line): Shown => JSON.parse(line)) : [],
  };
}

async function one(...args: string[]): Promise<Shown> {
  const { shown, stderr } = await run(...args);
  const [only] = shown;
  if (!only) throw new Error(stderr || "nothing was printed");
  return only;
}

describe("gatewright organizations and scim-tokens", () => {
  it("let an organization's directory in, and out", async () => {
    const { id } = await one("organizations", "create", "--slug", "acme", "--name", "Acme");
    expect((await run("organizations", "list")).shown.map((shown) => shown.id)).toEqual([id]);
    const args = ["--organization", id];
    const made = await one("scim-tokens", "create", "--name", "Okta", "--expires-in", "30", ...args);
    expect(made).toMatchObject({ organization_id: id, expires_at: expect.any(String) });
    const scim = await scimClient(server, { token: made.token ?? "" });
    expect((await scim.get("/Users")).body.totalResults).toBe(0);
    expect((await run("scim-tokens", "list")).shown).toEqual([]);
    expect((await run("scim-tokens", "list", ...args)).shown.map((shown) => shown.id)).toEqual([made.id]);
    expect((await run("scim-tokens", "revoke", made.id)).stderr).toContain("no such SCIM token");
    expect((await one("scim-tokens", "revoke", made.id, ...args)).revoked_at).toEqual(expect.any(String));
    expect((await scim.get("/Users")).status).toBe(401);
  });

  it("say what is wrong", async () => {
    for (const [args, message] of [
      [["organizations", "create", "--slug", "acme", "--name", "Again"], "slug"],
      [["organizations", "create", "--slug", "A B", "--name", "x"], "slug"],
      [["scim-tokens", "create", "--name", "x", "--organization", "org_x"], "no such organization"],
      [["scim-tokens", "create", "--name", "x", "--expires-in", "0"], "--expires-in"],
      [["groups", "roles", "x"], "no such group"],
    ] as const) {
      const { code, stderr } = await run(...args);
      expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    }
  });
});

describe("gatewright groups roles", () => {
  it("shows, sets and empties the roles that a group gives", async () => {
    const scim = await scimClient(server);
    const { id } = (await scim.post("/Groups", { displayName: "G" })).body;
    expect((await one("groups", "roles", id)).roles).toEqual([]);
    const both = await one("groups", "roles", id, "--set", "admin", "--set=super_admin");
    expect(both.roles?.toSorted()).toEqual(["admin", "super_admin"]);
    expect((await one("groups", "roles", id)).roles?.length).toBe(2);
    expect((await one("groups", "roles", id, "--none")).roles).toEqual([]);
    expect((await run("groups", "roles", id, "--none", "--set", "admin")).code).toBe(1);
  });
});
