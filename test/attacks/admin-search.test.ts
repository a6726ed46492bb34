/** Search, sort and cursors of the administrators' lists as a way into the query (CWE-89), or into another tenant. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { caller, newAdministrator } from "../api/native/admin/support.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { createOtherTenant, type OtherTenant, register } from "./support.ts";

interface List {
  data: { username: string }[];
  pagination: { total: number; next_cursor?: string };
}

let server: TestServer;
let mine: OtherTenant;
let theirs: OtherTenant;
let call: ReturnType<typeof caller>;

beforeAll(async () => {
  server = await startTestServer();
  [mine, theirs] = [await createOtherTenant(server, "mine"), await createOtherTenant(server, "theirs")];
  const { token } = await newAdministrator(server, mine);
  call = caller(mine.base, token);
  const names = ["100%", "a_b", "a\\b", `o'neil "x"`, "axb"];
  for (const [index, given_name] of names.entries())
    await register(mine.base, { username: `named${index}`, given_name });
  await register(theirs.base, { username: "theirs1", given_name: "100% a_b" });
});
afterAll(() => server.stop());

const found = async (search: string) => {
  const path = `/users?sort=username&order=asc&search=${encodeURIComponent(search)}`;
  const { status, body } = await call<List>("GET", path);
  expect(status).toBe(200);
  expect(body.pagination.total).toBe(body.data.length);
  return body.data.map(({ username }) => username);
};

describe("search", () => {
  /** Guard: `holds` (domain/user-administration/listing) escapes what LIKE would take for a pattern. */
  it("takes %, _ and \\\\ for themselves", async () => {
    expect(await found("100%")).toEqual(["named0"]);
    expect(await found("1%")).toEqual([]);
    expect(await found("a_b")).toEqual(["named1"]);
    expect(await found("a\\b")).toEqual(["named2"]);
    // Marks alone are no search.
    for (const marks of ["%", "_", "\\", "%%%"]) expect(await found(marks)).toEqual([]);
  });

  /** Guard: it is a bound parameter. */
  it("takes quotes and SQL for themselves", async () => {
    expect(await found(`o'neil "x"`)).toEqual(["named3"]);
    for (const text of ["' or 1=1 --", "'; drop table users; --", "$1", "${x}", "\u202e", "E'\\n'"])
      expect([text, await found(text)]).toEqual([text, []]);
    expect((await call<List>("GET", "/users")).body.pagination.total).toBe(6);
  });

  /** Guard: `tenant_id` in the conditions of both tables. */
  it("finds nobody of another tenant", async () => {
    expect(await found("theirs")).toEqual([]);
    expect((await call<List>("GET", `/users?organization_id=${theirs.tenant.id}`)).body.data).toEqual([]);
  });

  it("takes the other lists' patterns for themselves, too", async () => {
    await call("POST", "/roles", { name: "a_b" });
    await call("POST", "/roles", { name: "axb" });
    await call("POST", "/groups", { name: "50%" });
    await call("POST", "/groups", { name: "50 %" });
    const names = async (path: string) =>
      (await call<{ data: { name: string }[] }>("GET", path)).body.data.map(({ name }) => name);
    expect(await names("/roles?search=a_b")).toEqual(["a_b"]);
    expect(await names(`/groups?search=${encodeURIComponent("0%")}`)).toEqual(["50%"]);
    expect(await names("/organizations?search=%25")).toEqual([]);
  });
});

describe("sort and cursor", () => {
  /** Guard: readPage (http/pagination.ts) takes no column that the list does not offer, and no cursor of another list. */
  it("are taken from what the list offers alone", async () => {
    const groups = await call<List>("POST", "/groups", { name: "Third" });
    expect(groups.status).toBe(201);
    const { body } = await call<List>("GET", "/groups?limit=1");
    const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const bad = [
      "sort=password_hash",
      "sort=created_at;drop",
      "order=asc,id",
      `cursor=${body.pagination.next_cursor}`,
      `cursor=${forged(["user created_at desc", "' or 1=1 --", "user_x"])}`,
      `cursor=${forged(["user created_at desc", "2026-01-01T00:00:00Z", "user_x' or '1'='1"])}`,
      `cursor=${forged({})}`,
    ];
    for (const query of bad)
      expect([query, (await call("GET", `/users?${query}`)).status]).toEqual([query, 400]);
  });
});
