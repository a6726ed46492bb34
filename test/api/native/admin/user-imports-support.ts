import { expect } from "bun:test";
import { eventually } from "../../../support/queue.ts";
import { scratchDirectory } from "../../../support/scratch.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { administratorsToken, caller, newAdministrator } from "./support.ts";

export interface ImportBody {
  id: string;
  status: string;
  problem: string | null;
  progress: number;
  rows: { read: number; created: number; updated: number; skipped: number; failed: number };
}

/** A row for each line. */
export const lines = (...rows: Record<string, unknown>[]) =>
  rows.map((row) => JSON.stringify(row)).join("\n");

/** A server with a worker, and an administrator of its tenant who imports. */
export async function startImporting() {
  const directory = scratchDirectory();
  const server: TestServer = await startTestServer({ env: { GATEWRIGHT_DATA_DIR: directory.path } });
  await server.startWorker();
  const superToken = await administratorsToken(server);
  const { token } = await newAdministrator(server, { tenant: server.tenant, base: server.url });
  const call = caller(server.url, token);
  const headersOf = (bearer: string) => ({ authorization: `Bearer ${bearer}` });

  return {
    server,
    directory: directory.path,
    superToken,
    token,
    call,
    post: (
      body: BodyInit,
      { query = "", as = token, type = "application/x-ndjson", headers = {} } = {},
    ): Promise<Response> =>
      fetch(`${server.url}/api/v1/admin/users/import${query}`, {
        method: "POST",
        headers: { ...headersOf(as), "content-type": type, ...headers },
        body,
      }),
    /** Waits until a worker is done with what was posted. */
    async imported(asked: Promise<Response>): Promise<ImportBody> {
      const response = await asked;
      expect(response.status).toBe(202);
      const path = response.headers.get("location")?.replace("/api/v1/admin", "") ?? "";
      expect(path).toMatch(/^\/users\/imports\/uimp_/);
      return eventually(
        "the import",
        async () => {
          const { body } = await call<ImportBody>("GET", path);
          return !["uploading", "pending", "running"].includes(body.status) && body;
        },
        60_000,
      );
    },
    async errorsOf(id: string): Promise<{ row: number; field: string; reason: string }[]> {
      const response = await fetch(`${server.url}/api/v1/admin/users/imports/${id}/errors`, {
        headers: headersOf(token),
      });
      expect(response.headers.get("content-type")).toBe("application/x-ndjson");
      const text = await response.text();
      return text
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    },
    find: async (search: string) =>
      (await call<{ data: Record<string, unknown>[] }>("GET", `/users?search=${encodeURIComponent(search)}`))
        .body.data,
    async stop() {
      await server.stop();
      directory[Symbol.dispose]();
    },
  };
}
