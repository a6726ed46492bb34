/** The endpoints that the native surface promises, from `contract/*.tsv`: method, path, who may call it. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { Glob } from "bun";
import { startTestServer, type TestServer } from "../support/server.ts";

interface Row {
  method: string;
  path: string;
  auth: string;
}

const folder = `${import.meta.dir}/contract`;
const rows: Row[] = [];
for (const file of [...new Glob("*.tsv").scanSync(folder)].toSorted()) {
  const [, ...lines] = (await Bun.file(`${folder}/${file}`).text()).trim().split("\n");
  for (const line of lines) {
    const [method = "", path = "", auth = ""] = line.split("\t");
    rows.push({ method, path, auth });
  }
}

const TOKEN = "a-token-of-the-tests";
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_METRICS_TOKEN: TOKEN } });
});
afterAll(() => server.stop());

const call = ({ method, path }: Row, headers: Record<string, string> = {}) =>
  fetch(server.url + path, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(method === "POST" ? { body: "{}" } : {}),
  });

describe("the contract", () => {
  it("is read", () => {
    expect(rows.length).toBe(23);
  });
});

describe.each(rows)("$method $path", (row) => {
  it("is there", async () => {
    const response = await call(row, row.auth === "Token" ? { authorization: `Bearer ${TOKEN}` } : {});
    expect([404, 405, 500, 501]).not.toContain(response.status);
  });

  it(row.auth === "No" ? "needs no credentials" : "needs credentials", async () => {
    const { status } = await call(row);
    if (row.auth === "No") expect(status).not.toBe(401);
    else expect(status).toBe(401);
  });

  it("is described with who may call it", async () => {
    const { paths } = await fetch(`${server.url}/docs/json`).then((response) => response.json());
    const security = paths[row.path]?.[row.method.toLowerCase()]?.security;
    const expected = { No: [], Yes: [{ bearer: [] }], Token: [{ metricsToken: [] }] }[row.auth];
    expect(security).toEqual(expected);
  });

  it("answers other methods as a path that is not there", async () => {
    const served = rows.filter(({ path }) => path === row.path).map(({ method }) => method);
    // These paths are also pages.
    if (row.path === "/reset-password") served.push("GET");
    // What we offer beyond the contract.
    if (row.path === "/me") served.push("PUT", "PATCH", "DELETE");
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"].filter((one) => !served.includes(one))) {
      const response = await fetch(server.url + row.path, { method });
      expect({ method, status: response.status, body: await response.json() }).toEqual({
        method,
        status: 404,
        body: {
          error: "not_found",
          error_description: "There is nothing at this path.",
          request_id: response.headers.get("x-request-id"),
        },
      });
    }
  });
});
