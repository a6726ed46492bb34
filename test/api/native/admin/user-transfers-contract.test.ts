/** Every endpoint of imports and exports of users, from `contract/admin/user-transfers.tsv`, for who may not call it. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { join } from "node:path";
import { newId } from "../../../../src/lib/ids.ts";
import { login, register } from "../../../attacks/support.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { administratorsToken } from "./support.ts";

const table = await Bun.file(join(import.meta.dir, "../../contract/admin/user-transfers.tsv")).text();
const rows = table
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => line.split("\t"))
  .map(([method = "", path = ""]) => ({ method, path }));
const withId = rows.filter(({ path }) => path.includes("{id}"));

let server: TestServer;
let administrator: string;
let ordinary: string;

beforeAll(async () => {
  server = await startTestServer();
  administrator = await administratorsToken(server);
  ordinary = (await login(server.url, (await register(server.url)).username)).access_token;
});
afterAll(() => server.stop());

const call = (method: string, path: string, id: string, token?: string) =>
  fetch(`${server.url}${path.replace("{id}", id)}`, {
    method,
    headers: {
      "content-type": path.endsWith("/import") ? "application/x-ndjson" : "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(method === "POST" ? { body: "{}" } : {}),
  });
const someId = ({ path }: { path: string }) =>
  newId(path.includes("/imports/") ? "userImport" : "userExport");

describe("every endpoint", () => {
  it("is in the table", async () => {
    const { paths } = (await (await fetch(`${server.url}/docs/json`)).json()) as {
      paths: Record<string, object>;
    };
    const served = Object.entries(paths)
      .filter(([path]) => /^\/api\/v1\/admin\/users\/(?:im|ex)ports?(?:\/|$)/.test(path))
      .flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`));
    expect(served.toSorted()).toEqual(rows.map(({ method, path }) => `${method} ${path}`).toSorted());
  });

  it.each(rows)("$method $path is for nobody without a token", async (row) => {
    expect((await call(row.method, row.path, someId(row))).status).toBe(401);
  });

  it.each(rows)("$method $path is for administrators", async (row) => {
    expect((await call(row.method, row.path, someId(row), ordinary)).status).toBe(403);
  });

  it.each(withId)("$method $path of none, or of what is no id, is a 404", async (row) => {
    expect((await call(row.method, row.path, someId(row), administrator)).status).toBe(404);
    expect((await call(row.method, row.path, "nothing", administrator)).status).toBe(404);
  });
});
