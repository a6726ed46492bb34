import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { keyRingOf } from "../../src/domain/keys/service.ts";
import { runCommandLine } from "../support/command-line.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const MASTER_KEY = `1:${Buffer.alloc(32, 7).toString("base64")}`;

const keys = (args: readonly string[], masterKey = MASTER_KEY) =>
  runCommandLine(["keys", ...args], {
    NODE_ENV: "test",
    DATABASE_URL: server.config.databaseUrl,
    PUBLIC_URL: server.url,
    GATEWRIGHT_MASTER_KEY: masterKey,
  });

interface Listed {
  kid: string;
  alg: string;
  state: string;
}

async function list(): Promise<Listed[]> {
  const { stdout, code } = await keys(["list", "--json"]);
  expect(code).toBe(0);
  return JSON.parse(stdout) as Listed[];
}

describe("gatewright keys list", () => {
  it("shows the tenant's keys and what each is good for", async () => {
    const { stdout, code } = await keys(["list"]);
    expect(code).toBe(0);
    const [header, ...rows] = stdout.trim().split("\n");
    expect(header).toMatch(/^KID +ALG +STATE +SIGNS FROM +PUBLISHED UNTIL$/);
    expect(rows).toHaveLength(3);
    expect((await list()).map(({ alg, state }) => `${alg} ${state}`).toSorted()).toEqual([
      "ES256 signing",
      "EdDSA signing",
      "RS256 signing",
    ]);
  });
});

describe("gatewright keys rotate", () => {
  it("publishes the next key of one algorithm, or of all", async () => {
    const one = await keys(["rotate", "--alg", "ES256"]);
    expect([one.code, one.stdout]).toEqual([0, expect.stringMatching(/^ES256 +key_\w+ signs from \S+Z\n$/)]);
    expect((await list()).filter(({ state }) => state === "next").map(({ alg }) => alg)).toEqual(["ES256"]);
    const again = await keys(["rotate", "--alg", "ES256"]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("published already")]);
  });

  it("lets them sign at once with --now", async () => {
    const before = (await list()).find(({ alg, state }) => alg === "EdDSA" && state === "signing");
    expect((await keys(["rotate", "--alg", "EdDSA", "--now"])).code).toBe(0);
    const after = (await list()).filter(({ alg }) => alg === "EdDSA");
    expect(after.map(({ state }) => state)).toEqual(["signing", "verifying"]);
    expect(after[1]?.kid).toBe(before?.kid ?? "");
  });

  it("refuses an algorithm that there is not", async () => {
    const { code, stderr } = await keys(["rotate", "--alg", "HS256"]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("--alg must be one of")]);
  });
});

describe("gatewright keys revoke", () => {
  it("takes a key out, and tells which one signs in its place; the running server follows", async () => {
    const signing = (await list()).find(({ alg, state }) => alg === "RS256" && state === "signing");
    const { code, stdout } = await keys(["revoke", signing?.kid ?? ""]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Revoked key_\w+\nkey_\w+ signs in its place\n$/);
    const deadline = performance.now() + 5000;
    const isGone = async () =>
      !(await keyRingOf(server.deps, server.tenant.id)).verificationKey(signing?.kid ?? "");
    while (!(await isGone()) && performance.now() < deadline) await Bun.sleep(20);
    expect(await isGone()).toBe(true);
  });

  it("refuses what is no key of the tenant", async () => {
    expect((await keys(["revoke", "x"])).stderr).toContain("not a key's id");
    const unknown = await keys(["revoke", "key_01JD2M9V7QX5T8Z4C6B3N0K1HF"]);
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("no such key")]);
    expect((await keys(["revoke", "key_01JD2M9V7QX5T8Z4C6B3N0K1HF", "--tenant", "no"])).code).toBe(1);
  });
});

describe("gatewright keys reseal", () => {
  it("seals everything under the first master key, and says when it cannot", async () => {
    const newKey = `2:${Buffer.alloc(32, 8).toString("base64")}`;
    const without = await keys(["reseal"], newKey);
    expect([without.code, without.stderr]).toEqual([1, expect.stringContaining("cannot be opened")]);
    const both = await keys(["reseal"], `${newKey},${MASTER_KEY}`);
    expect([both.code, both.stdout]).toEqual([
      0,
      expect.stringMatching(/keys sealed anew under master key "2"/),
    ]);
    expect((await keys(["reseal"], newKey)).stdout).toContain("0 keys sealed anew");
  });
});
