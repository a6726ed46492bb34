/** GET /api/v1/admin/clients: pages, order, search; and the client that is built in. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { administratorsToken, caller } from "./support.ts";

interface ClientBody {
  id: string;
  name: string;
}
interface ListBody {
  data: ClientBody[];
  pagination: { total: number; limit: number; has_more: boolean; next_cursor?: string };
}

const sound = { name: "Shop", redirect_uris: ["https://shop.example/cb"] };
let server: TestServer;
let call: ReturnType<typeof caller>;

beforeAll(async () => {
  server = await startTestServer();
  call = caller(server.url, await administratorsToken(server));
});
afterAll(() => server.stop());

const create = async (changes: Record<string, unknown> = {}) =>
  (await call<ClientBody>("POST", "/clients", { ...sound, ...changes })).body;

describe("GET /api/v1/admin/clients", () => {
  const names = ({ body }: { body: ListBody }) => body.data.map(({ name }) => name);
  const pages = async (query: string) => {
    const seen: string[] = [];
    let cursor = "";
    do {
      const page = await call<ListBody>("GET", `/clients?${query}${cursor}`);
      expect(page.status).toBe(200);
      seen.push(...names(page));
      cursor = page.body.pagination.next_cursor ? `&cursor=${page.body.pagination.next_cursor}` : "";
      expect(page.body.pagination.has_more).toBe(cursor !== "");
    } while (cursor);
    return seen;
  };

  it("pages by name, in either order, without leaving any out or showing any twice", async () => {
    // Two of one name: the id tells them apart.
    for (const name of ["List C", "List A", "List B", "List B", "List 100%"]) await create({ name });
    const expected = ["List 100%", "List A", "List B", "List B", "List C"];
    for (const limit of [1, 2, 5, 100]) {
      expect(await pages(`search=list%20&sort=name&order=asc&limit=${limit}`)).toEqual(expected);
      expect(await pages(`search=LIST&sort=name&order=desc&limit=${limit}`)).toEqual(expected.toReversed());
    }
  });

  it("pages by when they were made, the newest first unless told", async () => {
    const made = ["Paged 1", "Paged 2", "Paged 3"];
    for (const name of made) await create({ name });
    expect(await pages("search=paged&limit=2")).toEqual(made.toReversed());
    expect(await pages("search=paged&limit=2&order=asc")).toEqual(made);
  });

  it("says how many there are", async () => {
    const { body } = await call<ListBody>("GET", "/clients?search=paged&limit=1");
    expect(body.pagination).toMatchObject({ total: 3, limit: 1, has_more: true });
  });

  it("searches names and client_ids as they are written", async () => {
    expect(names(await call<ListBody>("GET", "/clients?search=100%25"))).toEqual(["List 100%"]);
    expect(names(await call<ListBody>("GET", "/clients?search=L_st"))).toEqual([]);
    const { id } = await create({ name: "By id" });
    expect(names(await call<ListBody>("GET", `/clients?search=${id.slice(-12).toLowerCase()}`))).toEqual([
      "By id",
    ]);
  });

  it.each([
    "limit=0",
    "limit=101",
    "limit=x",
    "sort=secret",
    "order=up",
    "cursor=x",
    `cursor=${Buffer.from('["client created_at desc","x","client_x"]').toString("base64url")}`,
    `cursor=${Buffer.from("{}").toString("base64url")}`,
  ])("refuses %s", async (query) => {
    expect((await call("GET", `/clients?${query}`)).status).toBe(400);
  });

  it("refuses the cursor of another order", async () => {
    const { body } = await call<ListBody>("GET", "/clients?limit=1");
    const { status } = await call("GET", `/clients?order=asc&cursor=${body.pagination.next_cursor}`);
    expect(status).toBe(400);
  });

  it("shows no secret and no digest of one", async () => {
    const { body } = await call<ListBody>("GET", "/clients");
    expect(JSON.stringify(body)).not.toMatch(/secret_?hash|csec_|token_hash/i);
  });
});

describe("the built-in client", () => {
  it("is shown, and stays as it is", async () => {
    const { body } = await call<ListBody>("GET", "/clients?search=native%20api");
    const id = body.data[0]?.id;
    expect(body.data).toMatchObject([{ client_id: "native", origin: "built_in" }]);
    expect((await call("PUT", `/clients/${id}`, sound)).status).toBe(403);
    expect((await call("DELETE", `/clients/${id}`)).status).toBe(403);
    expect((await call("POST", `/clients/${id}/rotate-secret`)).status).toBe(403);
  });
});
