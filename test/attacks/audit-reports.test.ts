/**
 * Reports of the audit trail in the wrong hands. The guards: the tenant in `domain/reports/repo.ts`, `adminScope` on every
 * route of `api/native/compliance.ts`, the apostrophe of `lib/csv.ts`, and the context of each frame in `storage/sealed.ts`.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { copyFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { csvLine } from "../../src/lib/csv.ts";
import { createTenant, type Tenant } from "../../src/domain/tenants/service.ts";
import { administratorsToken, newAdministrator } from "../api/native/admin/support.ts";
import { scratchDirectory } from "../support/scratch.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { login, register } from "./support.ts";

const FORMULA = '=HYPERLINK("https://evil.example","click")';
const directory = scratchDirectory();
let server: TestServer;
let other: Tenant;
let token: string;

beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_DATA_DIR: directory.path } });
  await server.startWorker();
  other = await createTenant(server.deps, { slug: "other", name: "Other" });
  token = await administratorsToken(server);
});
afterAll(async () => {
  await server.stop();
  directory[Symbol.dispose]();
});

const get = (path: string, bearer = token, base = server.url) =>
  fetch(`${base}/api/v1/compliance${path}`, {
    headers: { authorization: `Bearer ${bearer}`, prefer: "wait=20" },
  });

/** The id of a finished report of the default tenant. */
async function madeReport(path = "/soc2"): Promise<string> {
  server.clock.advance(60);
  token = await administratorsToken(server);
  const asked = await fetch(`${server.url}/api/v1/compliance${path}`, {
    headers: { authorization: `Bearer ${token}`, prefer: "wait=0" },
  });
  const { id } = (await asked.json()) as { id: string };
  // Asked for again in the same words it is the same one, or done by now.
  expect((await get(path)).status).toBe(200);
  return id;
}

describe("somebody else's report", () => {
  it("is answered like one that does not exist, to another tenant's administrator", async () => {
    const id = await madeReport();
    expect((await get(`/reports/${id}`)).status).toBe(200);
    const base = `${server.url}/t/other`;
    const { token: theirs } = await newAdministrator(server, { tenant: other, base });
    const absent = `report_${"0".repeat(26)}`;
    for (const of of [id, absent, "x"]) {
      for (const path of [
        `/reports/${of}`,
        `/reports/${of}/download`,
        `/reports/${of}/download?format=pdf`,
      ]) {
        const response = await get(path, theirs, base);
        const body = (await response.json()) as Record<string, unknown>;
        expect({
          path,
          status: response.status,
          error: body["error"],
          said: body["error_description"],
        }).toEqual({
          path,
          status: 404,
          error: "not_found",
          said: "There is no such report.",
        });
      }
    }
  });
});

describe("somebody who administers nothing", () => {
  it("gets no report, no export and no status", async () => {
    const id = await madeReport();
    const person = await register(server.url);
    const { access_token: theirs } = await login(server.url, person.email);
    for (const path of [
      "/soc2",
      "/gdpr",
      "/hipaa",
      "/audit-export",
      `/reports/${id}`,
      `/reports/${id}/download`,
    ]) {
      expect({ path, status: (await get(path, theirs)).status }).toEqual({ path, status: 403 });
      expect({ path, status: (await fetch(`${server.url}/api/v1/compliance${path}`)).status }).toEqual({
        path,
        status: 401,
      });
    }
  });
});

describe("CSV injection", () => {
  it("is taken the sting out of: no cell of an export begins like a formula", async () => {
    await fetch(`${server.url}/api/v1/admin/clients`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ name: FORMULA, grant_types: ["client_credentials"], redirect_uris: [] }),
    }).then(async (response) =>
      expect({ status: response.status, body: await response.text() }).toMatchObject({ status: 201 }),
    );
    const csv = await (await get("/audit-export?format=csv&limit=100&event_type=client.created")).text();
    expect(csv).toContain(`"'=HYPERLINK(""https://evil.example"",""click"")"`);
    expect(csv).not.toMatch(/(?:^|,|\n)"?[=+\-@]/);
  });

  it("knows every beginning that a spreadsheet takes for a formula", () => {
    for (const text of ["=1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u00a0=1", "＝1"]) {
      expect(csvLine([text]).replace(/^"/, "").startsWith("'")).toBe(true);
    }
    expect(csvLine(["a=1", "x", 'say "so"', null, 3])).toBe('a=1,x,"say ""so""",,3\r\n');
  });
});

describe("a file in the storage", () => {
  it("opens only as the report that it is, whole", async () => {
    const [first, second] = [await madeReport("/gdpr"), await madeReport("/gdpr")];
    const path = (id: string) => join(directory.path, "files", "reports", server.tenant.id, `${id}.json`);
    const read = (id: string) => get(`/reports/${id}/download?format=json`);
    expect(await (await read(first)).text()).toContain('"framework":"gdpr"');
    copyFileSync(path(second), path(first));
    expect((await read(first)).status).toBe(410);
    truncateSync(path(second), 200);
    expect((await read(second)).status).toBe(410);
  });
});
