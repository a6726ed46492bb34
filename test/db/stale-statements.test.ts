/**
 * Statements that were prepared and that the server cannot run any more: a migration changed a type of what they select, or
 * somebody between us and the server reset the session. The driver prepares them anew; our patch of it has that done in the
 * order of everything else that is on its way, or answers would go to other questions.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { closeDatabase, connectDatabase, type Database } from "../../src/db/client.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

let database: TestDatabase;
let db: Database;
let migrating: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  db = connectDatabase(database.url, { max: 2, applicationName: "test" });
  migrating = connectDatabase(database.url, { max: 1, applicationName: "test" });
  await migrating.$client.unsafe("create table numbered (id int primary key, value int)");
  await migrating.$client.unsafe("insert into numbered select n, n from generate_series(1, 100) n");
});
afterAll(async () => {
  await Promise.all([closeDatabase(db), closeDatabase(migrating)]);
  await database.drop();
});

const numbers = Array.from({ length: 100 }, (_, index) => index + 1);
const valueOf = async (id: number, driver: Pick<typeof db.$client, "unsafe"> = db.$client) => {
  const select = "select id, value from numbered where id = $1";
  const rows: { id: number }[] = await driver.unsafe(select, [id], { prepare: true });
  return rows.map((row) => row.id);
};
const askAll = () => Promise.all(numbers.map((id) => valueOf(id)));
const answers = numbers.map((id) => [id]);

describe("statements on their way together", () => {
  it("each get their own answer after a type was changed of what they select", async () => {
    expect(await askAll()).toEqual(answers);
    await migrating.$client.unsafe("alter table numbered alter value type bigint");
    expect(await askAll()).toEqual(answers);
    expect(await askAll()).toEqual(answers);
  });

  it("each get their own answer after the sessions were reset", async () => {
    expect(await askAll()).toEqual(answers);
    await Promise.all(Array.from({ length: 8 }, () => db.$client.unsafe("discard all")));
    expect(await askAll()).toEqual(answers);
    expect(await askAll()).toEqual(answers);
  });
});

describe("a transaction", () => {
  it("fails with what was wrong at first, and the next one does not", async () => {
    const one = connectDatabase(database.url, { max: 1, applicationName: "test" });
    const inTransaction = () => one.$client.begin((driver) => valueOf(1, driver));
    expect(await inTransaction()).toEqual([1]);
    await migrating.$client.unsafe("alter table numbered alter value type numeric");
    expect(await inTransaction().catch((error: unknown) => error)).toMatchObject({ code: "0A000" });
    expect(await inTransaction()).toEqual([1]);
    await closeDatabase(one);
  });
});
