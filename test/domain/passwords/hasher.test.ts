import { afterAll, beforeAll, describe, expect, it, spyOn } from "bun:test";
import { eq } from "drizzle-orm";
import { passwordCredentials } from "../../../src/db/schema/index.ts";
import { createPasswordHasher } from "../../../src/domain/passwords/hasher.ts";
import { isId } from "../../../src/lib/ids.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";

const PASSWORD = "SecureP@ssw0rd!";

/** Watches what the hasher asks of Bun: how often, with which hash, and how many at once. */
function watch() {
  const { hash, verify } = Bun.password;
  const seen = { running: 0, most: 0, verified: [] as string[] };
  async function counted<Result>(task: () => Promise<Result>): Promise<Result> {
    seen.most = Math.max(seen.most, ++seen.running);
    try {
      return await task();
    } finally {
      seen.running--;
    }
  }
  const spies = [
    spyOn(Bun.password, "hash").mockImplementation((...given) => counted(() => hash(...given))),
    spyOn(Bun.password, "verify").mockImplementation((...given) => {
      seen.verified.push(String(given[1]));
      return counted(() => verify(...given));
    }),
  ];
  return { seen, [Symbol.dispose]: () => spies.forEach((spy) => spy.mockRestore()) };
}

describe("the password hasher", () => {
  it("makes argon2id hashes at OWASP's cost, each with its own salt", async () => {
    const hasher = createPasswordHasher();
    const [first, second] = await Promise.all([hasher.hash(PASSWORD), hasher.hash(PASSWORD)]);
    expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(second).not.toBe(first);
    expect(await hasher.verify(PASSWORD, first)).toBe(true);
    expect(await hasher.verify(`${PASSWORD} `, first)).toBe(false);
  });

  it("does the work of a verification for nobody, and answers false", async () => {
    using watched = watch();
    const hasher = createPasswordHasher();
    expect(await hasher.verify("no user has this password", undefined)).toBe(false);
    expect(await hasher.verify(PASSWORD, undefined)).toBe(false);
    expect(watched.seen.verified).toHaveLength(2);
    for (const hash of watched.seen.verified) expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  it("runs no more at once than it may, and all of them in the end", async () => {
    using watched = watch();
    const hasher = createPasswordHasher(2);
    const hash = await hasher.hash(PASSWORD);
    const results = await Promise.all([
      ...Array.from({ length: 8 }, () => hasher.verify(PASSWORD, hash)),
      ...Array.from({ length: 4 }, () => hasher.hash(PASSWORD).then(() => true)),
    ]);
    expect(results).toEqual(Array(12).fill(true));
    expect(watched.seen.most).toBe(2);
  });

  it("turns away who would wait behind 500 others, and serves again afterwards", async () => {
    using spy = spyOn(Bun.password, "hash").mockImplementation(() => Promise.resolve("hash"));
    const hasher = createPasswordHasher(1);
    const results = await Promise.allSettled(Array.from({ length: 600 }, () => hasher.hash(PASSWORD)));
    const refused = results.filter((result) => result.status === "rejected");
    expect(refused).toHaveLength(600 - 501);
    expect(refused[0]?.reason).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
    expect(await hasher.hash(PASSWORD)).toBe("hash");
    expect(spy).toHaveBeenCalledTimes(502);
  });

  it("gives its place back when a hash fails", async () => {
    const hasher = createPasswordHasher(1);
    for (let time = 0; time < 3; time++) {
      expect(await hasher.verify(PASSWORD, "no hash at all").catch(() => "failed")).not.toBe(true);
    }
    expect(await hasher.verify(PASSWORD, await hasher.hash(PASSWORD))).toBe(true);
  });

  it.each([
    ["$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", false],
    ["$argon2id$v=19$m=4096,t=2,p=1$c2FsdA$aGFzaA", true],
    ["$argon2id$v=19$m=19456,t=1,p=1$c2FsdA$aGFzaA", true],
    ["$argon2i$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", true],
    ["$2b$10$abcdefghijklmnopqrstuv", true],
  ])("knows whether %s is outdated: %p", (hash, outdated) => {
    expect(createPasswordHasher().isOutdated(hash)).toBe(outdated);
  });
});

describe("a sign-in with an outdated hash", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());

  it("replaces it, once the password proved right", async () => {
    const registered = await postJson(`${server.url}/register`, {
      username: "outdated",
      email: "outdated@example.com",
      password: PASSWORD,
    });
    const { id } = (await registered.json()) as { id: string };
    if (!isId("user", id)) throw new Error("not a user's id");
    const mine = eq(passwordCredentials.userId, id);
    const { db } = server.deps;
    const stored = async () => (await db.select().from(passwordCredentials).where(mine))[0]?.hash ?? "";
    for (const options of [
      { algorithm: "bcrypt", cost: 4 },
      { algorithm: "argon2id", memoryCost: 64, timeCost: 1 },
    ] as const) {
      const old = await Bun.password.hash(PASSWORD, options);
      await db.update(passwordCredentials).set({ hash: old }).where(mine);
      const login = (password: string) =>
        postJson(`${server.url}/login`, { identifier: "outdated", password });
      expect((await login("Wr0ng-password!")).status).toBe(401);
      expect(await stored()).toBe(old);
      expect((await login(PASSWORD)).status).toBe(200);
      const renewed = await stored();
      expect(renewed).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      expect((await login(PASSWORD)).status).toBe(200);
      expect(await stored()).toBe(renewed);
    }
  });
});
