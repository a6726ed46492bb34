import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import { arrayLiteral, together } from "../../src/db/batched.ts";
import { closeDatabase, connectDatabase, type Database } from "../../src/db/client.ts";
import { accessTokens, revokedAccessTokens } from "../../src/db/schema/index.ts";
import * as repo from "../../src/domain/access-tokens/repo.ts";
import { addSeconds } from "../../src/lib/clock.ts";
import { newId } from "../../src/lib/ids.ts";
import { newSecretToken } from "../../src/lib/secret-token.ts";
import { registerApplication } from "../conformance/support.ts";
import { testDatabaseUrl } from "../support/environment.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

/** Never connected to. */
const nowhere = connectDatabase("postgres://nobody@127.0.0.1:1/nothing", { max: 1, applicationName: "test" });
afterAll(() => closeDatabase(nowhere));

/** Statements that are answered when they are told to be. */
function heldStatements() {
  const sent: { items: readonly number[]; answer: () => void; fail: (error: Error) => void }[] = [];
  const ask = together<number, number>((_, items) => {
    const held = Promise.withResolvers<number[]>();
    sent.push({
      items,
      answer: () => held.resolve(items.map((item) => item * 10)),
      fail: (error) => held.reject(error),
    });
    return held.promise;
  });
  return { sent, ask: (item: number) => ask(nowhere, item) };
}

/** Long enough for everything that is only a matter of turns of the event loop. */
async function turn(): Promise<void> {
  for (let turns = 0; turns < 3; turns++) await new Promise<void>((resolve) => setImmediate(resolve));
}

describe("statements that arrive together", () => {
  it("travel as one, and each gets its own answer", async () => {
    const { sent, ask } = heldStatements();
    const asked = [1, 2, 3].map(ask);
    expect(sent).toEqual([]);
    await turn();
    expect(sent.map(({ items }) => items)).toEqual([[1, 2, 3]]);
    sent[0]?.answer();
    expect(await Promise.all(asked)).toEqual([10, 20, 30]);
  });

  it("wait for nobody when they are alone", async () => {
    const { sent, ask } = heldStatements();
    const first = ask(1);
    await turn();
    const second = ask(2);
    await turn();
    expect(sent.map(({ items }) => items)).toEqual([[1], [2]]);
    for (const { answer } of sent) answer();
    expect(await Promise.all([first, second])).toEqual([10, 20]);
  });

  it("never join one that was sent before: what is asked later may be otherwise by then", async () => {
    const { sent, ask } = heldStatements();
    const asked = [ask(1)];
    await turn();
    asked.push(ask(2));
    await turn();
    // Two are on their way.
    asked.push(ask(3), ask(4));
    await turn();
    expect(sent.map(({ items }) => items)).toEqual([[1], [2]]);
    sent[1]?.answer();
    await asked[1];
    await turn();
    expect(sent.map(({ items }) => items)).toEqual([[1], [2], [3, 4]]);
    for (const { answer } of sent) answer();
    expect(await Promise.all(asked)).toEqual([10, 20, 30, 40]);
  });

  it("are no more than one statement bears", async () => {
    const { sent, ask } = heldStatements();
    const asked = Array.from({ length: 600 }, (_, index) => ask(index));
    for (let sends = 0; sends < 3; sends++) {
      await turn();
      for (const { answer } of sent) answer();
      await turn();
    }
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 600 }, (_, index) => index * 10));
    expect(sent.map(({ items }) => items.length)).toEqual([256, 256, 88]);
  });

  it("fail for themselves alone", async () => {
    const tried: (readonly number[])[] = [];
    const ask = together<number, number>(async (_, items) => {
      tried.push(items);
      if (items.includes(2)) throw new Error("no 2");
      return items;
    });
    const settled = await Promise.allSettled([1, 2, 3].map((item) => ask(nowhere, item)));
    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(tried).toEqual([[1, 2, 3], [1], [2], [3]]);
  });

  it("are not tried again when the database is away", async () => {
    const { sent, ask } = heldStatements();
    const asked = [1, 2].map(ask);
    await turn();
    sent[0]?.fail(Object.assign(new Error("gone"), { code: "CONNECTION_CLOSED" }));
    const settled = await Promise.allSettled(asked);
    expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await turn();
    expect(sent).toHaveLength(1);
  });

  it("are refused when a statement does not answer each", async () => {
    const ask = together<number, number>(async () => []);
    const settled = await Promise.allSettled([1, 2].map((item) => ask(nowhere, item)));
    expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });

  it("go on after one that failed", async () => {
    let away = true;
    const ask = together<number, number>(async (_, items) => {
      if (away) throw Object.assign(new Error("gone"), { code: "CONNECTION_CLOSED" });
      return items;
    });
    for (let index = 0; index < 5; index++)
      expect(await ask(nowhere, 1).catch(() => "failed")).toBe("failed");
    away = false;
    expect(await ask(nowhere, 1)).toBe(1);
  });

  it("are each database's own", async () => {
    const other = connectDatabase("postgres://nobody@127.0.0.1:1/other", { max: 1, applicationName: "test" });
    const seen: Database[] = [];
    const ask = together<number, number>(async (db, items) => {
      seen.push(db);
      return items;
    });
    await Promise.all([ask(nowhere, 1), ask(other, 2)]);
    expect(seen).toEqual([nowhere, other]);
    await closeDatabase(other);
  });
});

describe("against PostgreSQL", () => {
  let server: TestServer;
  let db: Database;
  beforeAll(async () => {
    server = await startTestServer();
    ({ db } = server.deps);
  });
  afterAll(() => server.stop());

  const tokenOf = (clientId: Awaited<ReturnType<typeof clientOf>>) => {
    const id = newId("accessToken");
    const { hash } = newSecretToken(id);
    const issuedAt = server.clock.now();
    return {
      tenantId: server.tenant.id,
      id,
      hash,
      clientId,
      claims: { sub: `"quoted" \\ back`, scope: "a b", nested: { list: [1, null] } },
      issuedAt,
      expiresAt: addSeconds(issuedAt, 60),
    };
  };
  const clientOf = async () => {
    const { registered } = await registerApplication(server);
    return registered.client.id;
  };

  it("writes rows that arrive together, each as it is, and refuses the one that cannot be", async () => {
    const clientId = await clientOf();
    const rows = [tokenOf(clientId), tokenOf(newId("client")), tokenOf(clientId)];
    const settled = await Promise.allSettled(rows.map((row) => repo.insertLoneAccessToken(db, row)));
    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    const now = server.clock.now();
    const found = await Promise.all(
      rows.map(({ tenantId, id }) => repo.findOpaque(db, { tenantId, id, now })),
    );
    expect(found.map((one) => one?.token)).toEqual(
      rows.map(({ hash, claims }, index) => (index === 1 ? undefined : { hash, claims, familyId: null })),
    );
    const [stored] = await db
      .select()
      .from(accessTokens)
      .where(
        and(
          eq(accessTokens.tenantId, server.tenant.id),
          eq(accessTokens.id, rows[0]?.id ?? newId("accessToken")),
        ),
      );
    expect(stored).toMatchObject({ issuedAt: rows[0]?.issuedAt, expiresAt: rows[0]?.expiresAt });
    const kinds = await db.$client`select distinct jsonb_typeof(claims) as kind from access_tokens`;
    expect(kinds.map(({ kind }) => kind)).toEqual(["object"]);
  });

  it("finds each by its own key, whatever the key looks like", async () => {
    const tenantId = server.tenant.id;
    const keys = [`plain`, `with "quotes"`, `back\\slash`, `a,b`, `{c}`, `null`, ``, ` space `];
    const odd = keys.filter((_, index) => index % 2 === 0);
    const expiresAt = addSeconds(server.clock.now(), 60);
    await db
      .insert(revokedAccessTokens)
      .values(odd.map((jti) => ({ tenantId, jti, revokedAt: server.clock.now(), expiresAt })));
    const revoked = await Promise.all(keys.map((jti) => repo.isRevoked(db, { tenantId, jti })));
    expect(revoked).toEqual(keys.map((jti) => odd.includes(jti)));
    const elsewhere = await Promise.all(
      keys.map((jti) => repo.isRevoked(db, { tenantId: newId("tenant"), jti })),
    );
    expect(elsewhere).toEqual(keys.map(() => false));
  });

  it("looks for the others when one key is none that PostgreSQL takes", async () => {
    const tenantId = server.tenant.id;
    const settled = await Promise.allSettled(
      ["plain", "\0", "unknown"].map((jti) => repo.isRevoked(db, { tenantId, jti })),
    );
    expect(settled.map((one) => (one.status === "fulfilled" ? one.value : "refused"))).toEqual([
      true,
      "refused",
      false,
    ]);
  });
});

describe("an array as PostgreSQL reads it", () => {
  const database = connectDatabase(testDatabaseUrl(), { max: 1, applicationName: "test" });
  afterAll(() => closeDatabase(database));

  it("holds every text as it is", async () => {
    const escaped = [`"`, "\\", "\n", "\t\b\u001f", '\\"', "\u2028"];
    const values = ["a", "é,{} ", "", "null", null, ...escaped.flatMap((one) => [one, null])];
    for (const some of [[], values, ...values.map((value) => [value])]) {
      const rows = await database.$client<{ value: string | null }[]>`
        select value from unnest(${arrayLiteral(some)}::text::text[]) with ordinality as one(value, place) order by place`;
      expect(rows.map(({ value }) => value)).toEqual(some);
    }
  });
});
